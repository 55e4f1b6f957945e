import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import type { Job } from '../../../../src/archive/queue/job';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import { MOST_STALLS } from '../../../../src/sharing/jobs/lending/job-lender';
import { Child } from '../../../support/child-process';
import { until } from '../../../support/until';
import { jobFor } from '../../archive/state-fixture';
import { SharingFixture } from '../sharing-fixture';
import { instanceOf, type SharingInstance } from './shared-jobs-stage';

const PROGRAM = path.join(__dirname, 'sharing-process.ts');
const nameOf = ({ message }: Job): string => String(message['name']);

describe('a shared job that keeps ending the processes that run it', function () {
  this.timeout(120_000);
  let fixture: SharingFixture;
  let origin: SharingInstance;
  let directory: string;
  const children: Child[] = [];
  const [worked, givenUp]: [string[], string[]] = [[], []];

  const noting =
    (list: string[]) =>
    (job: Job): Promise<JobOutcome> => {
      list.push(nameOf(job));
      return Promise.resolve({ kind: 'done', effects: NO_EFFECTS });
    };

  before(async function () {
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-stalls-'));
    fixture = await SharingFixture.start(this);
    origin = instanceOf(await fixture.join('origin'), {
      work: noting(worked),
      giveUp: noting(givenUp)
    });
  });
  after(async () => {
    await Promise.all(children.map((child) => child.end('SIGKILL')));
    await (origin as SharingInstance | undefined)?.jobs.close();
    await (origin as SharingInstance | undefined)?.state.remove();
    await (fixture as SharingFixture | undefined)?.close();
    rmSync(directory, { recursive: true });
  });

  async function dyingOf(name: string, deaths: number): Promise<void> {
    const args = [String(fixture.server.port), path.join(directory, 'never')];
    const child = new Child(PROGRAM, args, { nodeArgs: ['--import', 'tsx'] });
    children.push(child);
    await child.waitForOutput(/started/);
    let id = '';
    await origin.jobs.add({ name }, [jobFor(name)], (known) => (id = known));
    await child.waitForOutput(new RegExp(`begins ${name}`));
    // As if so many others had died of it before.
    await fixture.server.say(`HSET {test}:node:${id} stc ${deaths - 1}`);
  }

  it('is tried again after twenty of them, and given up once after the next one', async () => {
    await dyingOf('again', MOST_STALLS);
    await dyingOf('enough', MOST_STALLS + 1);
    await Promise.all(children.map((child) => child.end('SIGKILL')));
    origin.jobs.start();
    await until(
      'both ends',
      () => worked.length + givenUp.length >= 2 && origin.repository.count('node') === 0,
      {
        deadline: 60_000
      }
    );
    should(worked).eql(['again']);
    should(givenUp).eql(['enough']);
    // The error was raised when it was given up; the pending message is neither done nor answered.
    should(origin.finished).have.length(1);
  });
});
