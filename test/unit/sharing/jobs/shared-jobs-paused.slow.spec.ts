import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import type { Job } from '../../../../src/archive/queue/job';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import { until } from '../../../support/until';
import { jobFor } from '../../archive/state-fixture';
import { SharingFixture } from '../sharing-fixture';
import { type SharingInstance, instanceOf } from './shared-jobs-stage';

const DONE: JobOutcome = { kind: 'done', effects: NO_EFFECTS };

describe('shared jobs of an instance that is paused', () => {
  let fixture: SharingFixture;
  let instances: SharingInstance[];
  let begun: { by: string; job: string }[];
  /** Ends the runs of jobs whose name begins with "long". */
  let release: () => void;
  let released: Promise<void>;

  beforeEach(async function () {
    [instances, begun] = [[], []];
    released = new Promise((resolve) => (release = resolve));
    fixture = await SharingFixture.start(this);
  });
  afterEach(async () => {
    release();
    await Promise.all(instances.map(({ jobs }) => jobs.close()));
    await Promise.all(instances.map(({ state }) => state.remove()));
    await fixture.close();
  });

  async function join(name: string, concurrency = 2): Promise<SharingInstance> {
    const work = async ({ message }: Job): Promise<JobOutcome> => {
      const job = String(message['name']);
      begun.push({ by: name, job });
      if (job.startsWith('long')) await released;
      return DONE;
    };
    const times = { alone: 300 };
    const instance = instanceOf(await fixture.join(name), { work, concurrency, times });
    instances.push(instance);
    return instance;
  }

  async function add({ jobs }: SharingInstance, ...names: string[]): Promise<void> {
    await Promise.all(names.map((name) => jobs.add({ name }, [jobFor(name)], () => undefined)));
  }

  const names = (prefix: string): string[] => Array.from({ length: 12 }, (_value, at) => `${prefix} ${at}`);
  const finished = (of: SharingInstance, count: number): Promise<unknown> =>
    until(`${count} ends`, () => of.finished.length >= count);
  const begunBy = (name: string): string[] =>
    begun.flatMap(({ by, job }) => (by === name ? [job] : [])).sort();

  it('are accepted, lent and done by the others, until it goes on', async () => {
    const [one, two] = [await join('one'), await join('two')];
    one.jobs.pause();
    for (const { jobs } of [one, two]) jobs.start();
    await add(one, ...names('first'));
    await finished(one, 12);
    should(begunBy('two')).eql(names('first').sort());
    two.jobs.pause();
    one.jobs.resume();
    await add(one, ...names('second'));
    await finished(one, 24);
    should(begunBy('one')).eql(names('second').sort());
    // It is paused while its worker waits for jobs, one of which it may be given.
    one.jobs.pause();
    two.jobs.resume();
    await add(one, ...names('third'));
    await finished(one, 36);
    should(begunBy('one')).eql(names('second').sort());
    should(begun).have.length(36);
  });

  it('go on to their end when they run, and nothing else begins', async () => {
    const one = await join('one', 1);
    one.jobs.start();
    await add(one, 'long', ...names('more'));
    await until('its begin', () => begun.length === 1);
    one.jobs.pause();
    release();
    await finished(one, 1);
    const two = await join('two', 1);
    // None is fetched, just to be put back.
    for (let looks = 0; looks < 30; looks++) should(await two.jobs.load(100)).eql({ due: 12, all: 12 });
    two.jobs.start();
    await until('the others', () => begun.length === 13);
    should(begunBy('one')).eql(['long']);
    await finished(one, 13);
  });

  it('wait as well where it works alone, because Redis is away', async () => {
    const one = await join('one', 1);
    one.jobs.start();
    await fixture.server.kill();
    await until('its end', () => one.member.connection.isAway);
    await add(one, 'long');
    await until('its begin', () => begun.length === 1);
    await add(one, 'next');
    one.jobs.pause();
    release();
    await finished(one, 1);
    await add(one, 'later');
    await until('two on disk', () => one.repository.count('node') === 2);
    should(begunBy('one')).eql(['long']);
    one.jobs.resume();
    await finished(one, 3);
    should(begunBy('one')).eql(['later', 'long', 'next']);
  });

  it('wait for Redis and for it when it was paused before it would work alone', async () => {
    const one = await join('one', 1);
    await fixture.server.kill();
    await until('its end', () => one.member.connection.isAway);
    one.jobs.pause();
    one.jobs.start();
    await add(one, 'a');
    await fixture.server.run();
    await until('the connection', () => !one.member.connection.isAway);
    const two = await join('two');
    two.jobs.start();
    await finished(one, 1);
    should(begunBy('two')).eql(['a']);
    one.jobs.resume();
    await two.jobs.close();
    await add(one, 'b');
    await finished(one, 2);
    should(begunBy('one')).eql(['b']);
  });
});
