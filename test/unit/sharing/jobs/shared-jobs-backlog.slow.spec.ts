import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import { until } from '../../../support/until';
import { jobFor, StateFixture } from '../../archive/state-fixture';
import { type Member, SharingFixture } from '../sharing-fixture';
import { instanceOf, type SharingInstance } from './shared-jobs-stage';

const COUNT = 3000;
const DONE: JobOutcome = { kind: 'done', effects: NO_EFFECTS };

describe('shared jobs, when many wait at the start', () => {
  let fixture: SharingFixture;
  let state: StateFixture;
  let instances: SharingInstance[];
  /** Jobs that ran. */
  let ran: string[];
  /** How many jobs had been made ready for Redis when the first one began. */
  let readyAtFirst: number;
  let ready: number;

  beforeEach(async function () {
    state = new StateFixture();
    [instances, ran, ready, readyAtFirst] = [[], [], 0, NaN];
    fixture = await SharingFixture.start(this);
  });
  afterEach(async () => {
    await Promise.all(instances.map(({ jobs }) => jobs.close()));
    await fixture.close();
    await state.remove();
  });

  /** @param onFirst called when the first job begins */
  function start(member: Member, onFirst: () => void = () => undefined): SharingInstance {
    const instance = instanceOf(member, {
      state,
      onWrite: () => (ready += 1),
      work: ({ id }) => {
        if (ran.push(id) === 1) {
          readyAtFirst = ready;
          onFirst();
        }
        return Promise.resolve(DONE);
      }
    });
    instances.push(instance);
    instance.jobs.start();
    return instance;
  }

  async function waiting(): Promise<void> {
    const { repository } = instanceOf(await fixture.join('before'), {
      state,
      work: () => Promise.resolve(DONE)
    });
    const jobs = Array.from({ length: COUNT }, (_value, at) => repository.job({}, [jobFor(`job ${at}`)]));
    await Promise.all(jobs.map((job) => repository.add('node', job)));
  }

  const allDone = ({ repository }: SharingInstance): Promise<unknown> =>
    until('all jobs done', () => repository.count('node') === 0, { deadline: 50_000 });

  it('begin before all of them are lent', async () => {
    await waiting();
    const instance = start(await fixture.join('one'));
    await allDone(instance);
    should(readyAtFirst).be.belowOrEqual(COUNT / 2);
    should(ran).have.length(COUNT);
    should(new Set(ran).size).equal(COUNT);
    should(instance.faults).be.empty();
  });

  it('go on where they were after a stop in the middle of lending', async () => {
    await waiting();
    let closed: Promise<void> | undefined;
    const first = start(await fixture.join('one'), () => {
      closed = first.jobs.close();
    });
    await until('the stop', () => closed !== undefined);
    await closed;
    const lent = ready;
    should(lent).be.below(COUNT);
    const next = start(await fixture.rejoin('one'));
    await allDone(next);
    should(new Set(ran).size).equal(COUNT);
    should(first.faults).be.empty();
    should(next.faults).be.empty();
  });

  it('begin before all that an earlier process has lent are looked after', async () => {
    await waiting();
    const before = await fixture.join('one');
    const earlier = instanceOf(before, {
      state,
      onWrite: () => (ready += 1),
      work: () => new Promise(() => undefined)
    });
    instances.push(earlier);
    earlier.jobs.start();
    await until('all jobs lent', () => ready >= COUNT, { deadline: 50_000 });
    await earlier.crash();

    let looked = 0;
    let lookedAtFirst = NaN;
    const { repository } = start(await fixture.rejoin('one'), () => (lookedAtFirst = looked));
    const at = repository.at.bind(repository);
    repository.at = (...place) => {
      looked += 1;
      return at(...place);
    };
    await until('the first job', () => ran.length > 0);
    should(lookedAtFirst).be.belowOrEqual(COUNT / 2);
    await until('a look after all', () => looked >= COUNT);
  });

  it('are all lent when the connection is lost in the middle of it', async () => {
    await waiting();
    const member = await fixture.join('one');
    const instance = start(member, () => member.relay.cut());
    await until('Redis being away', () => member.connection.isAway);
    should(instance.repository.count('node')).be.above(0);
    member.relay.mend();
    await allDone(instance);
    should(new Set(ran).size).equal(COUNT);
    should(instance.faults).be.empty();
  });
});
