import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import { JobRepository } from '../../../../src/archive/queue/job-repository';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import { KeyedMutex } from '../../../../src/concurrency/keyed-runs';
import type { Peer } from '../../../../src/sharing/cluster';
import { ABANDONED_MS, AbandonedLoans, type LentTo } from '../../../../src/sharing/jobs/abandoned-loans';
import { LendingBudget, LendingLedger } from '../../../../src/sharing/jobs/lending/lending-ledger';
import { until } from '../../../support/until';
import { jobFor, StateFixture } from '../../archive/state-fixture';
import { SharingFixture } from '../sharing-fixture';
import { instanceOf, type SharingInstance } from './shared-jobs-stage';

const COUNT = 1200;
const DONE: JobOutcome = { kind: 'done', effects: NO_EFFECTS };
const FOLLOW: JobOutcome = { kind: 'again', pauseMs: 3_600_000, isFollowUp: true, effects: NO_EFFECTS };

describe('what was lent for a download node that is gone', () => {
  let fixture: SharingFixture;
  let state: StateFixture;
  let instances: SharingInstance[];
  let ran: string[];
  /** By which the time when the node was deleted is past. */
  let later: number;
  let peers: Peer[];
  let here: Set<string>;
  let origin: SharingInstance;

  beforeEach(async function () {
    state = new StateFixture();
    [instances, ran, later, peers, here] = [[], [], 0, [], new Set()];
    fixture = await SharingFixture.start(this);
    origin = await join('origin');
    const names = Array.from({ length: COUNT }, (_value, at) => `job ${at}`);
    await Promise.all(names.map((name) => origin.jobs.add({ name }, [jobFor(name)], () => undefined)));
    await until('all jobs in Redis', async () => (await waiting()) === COUNT);
    should(await kept()).equal(COUNT);
    await origin.jobs.close();
    await origin.repository.nodeGone('node');
  });
  afterEach(async () => {
    await Promise.all(instances.map(({ jobs }) => jobs.close()));
    await fixture.close();
    await state.remove();
  });

  async function join(
    name: string,
    outcome: JobOutcome = DONE,
    own = name === 'origin' ? state : undefined
  ): Promise<SharingInstance> {
    const instance = instanceOf(await fixture.rejoin(name), {
      ...(own !== undefined && { state: own }),
      concurrency: 20,
      work: ({ id }) => {
        ran.push(id);
        return Promise.resolve(outcome);
      }
    });
    instances.push(instance);
    return instance;
  }

  /** Of the jobs in Redis, those that nobody works on. */
  const waiting = async (): Promise<number> =>
    Number((await fixture.server.say('LLEN {test}:node:wait')).slice(1));
  const active = async (): Promise<number> =>
    Number((await fixture.server.say('LLEN {test}:node:active')).slice(1));
  /** Jobs in Redis, in whatever state: their ids begin with the time. */
  const kept = async (): Promise<number> =>
    Number.parseInt((await fixture.server.say('KEYS {test}:node:0*')).slice(1), 10);
  const onDisk = (): number => origin.repository.count('node');
  const lent = (): number => {
    const ledger = new LendingLedger(state.database, 'node', new LendingBudget());
    ledger.open();
    return ledger.size;
  };

  function loans(): AbandonedLoans {
    return new AbandonedLoans({
      database: state.database,
      repository: new JobRepository(state.database, undefined, () => Date.now() + later),
      facts: origin.facts,
      isHere: (node) => here.has(node),
      turns: new KeyedMutex()
    });
  }

  const to = (): LentTo => ({
    connection: origin.member.connection,
    sealer: null,
    cluster: { instance: origin.member.instance, beat: () => Promise.resolve(), peers: () => peers }
  });

  const elsewhere = (...nodes: string[]): Peer => ({
    ...{ id: 'id-other', host: 'other' },
    nodes: Object.fromEntries(
      nodes.map((node) => [node, { settings: {}, running: 0, waiting: 0, probe: '' }])
    )
  });

  it('leaves Redis after an hour when no instance has the node, stays on disk, and is done when the node is back', async () => {
    peers = [elsewhere('another-node')];
    later = ABANDONED_MS - 60_000;
    should(loans().areThere).be.false();
    await loans().tidy(to());
    should(await waiting()).equal(COUNT);

    later = ABANDONED_MS;
    should(loans().areThere).be.true();
    await loans().tidy(to());
    should(await waiting()).equal(0);
    should(await kept()).equal(0);
    should(onDisk()).equal(COUNT);
    should(lent()).equal(0);
    should(loans().areThere).be.false();

    const back = await join('origin');
    back.jobs.start();
    await until('all jobs done', () => onDisk() === 0, { deadline: 50_000 });
    should(new Set(ran).size).equal(COUNT);
    should(ran).have.length(COUNT);
  });

  it('stays in Redis when another instance has the node; what has ended there leaves the disk', async () => {
    peers = [elsewhere('node')];
    later = ABANDONED_MS;
    await loans().tidy(to());
    should(await waiting()).equal(COUNT);
    should(lent()).equal(COUNT);

    const other = await join('other');
    other.jobs.start();
    await until('all jobs ended', async () => ran.length === COUNT && (await active()) === 0, {
      deadline: 50_000
    });
    await other.jobs.close();
    should(onDisk()).equal(COUNT);
    await loans().tidy(to());
    should(onDisk()).equal(0);
    should(lent()).equal(0);
    should((await origin.facts.givenUp.newest({ skip: 0, most: 9 })).total).equal(0);
    should(await kept()).equal(0);
  });

  it('is left alone when the node is there, and goes on where it has a follow-up', async () => {
    later = ABANDONED_MS;
    here.add('node');
    await loans().tidy(to());
    should(await waiting()).equal(COUNT);
    here.clear();

    const other = await join('other', FOLLOW);
    other.jobs.start();
    await until('all jobs ended', async () => ran.length === COUNT && (await active()) === 0, {
      deadline: 50_000
    });
    await other.jobs.close();
    await loans().tidy(to());
    should(onDisk()).equal(0);
    should(origin.repository.count({ followUpsOf: 'node' })).equal(COUNT);
    await loans().tidy(to());
    should(loans().areThere).be.false();
    should((await fixture.server.say('ZCARD {test}:node.follow-ups:delayed')).trim()).equal(':0');
  });

  it('keeps its place while Redis is away', async () => {
    later = ABANDONED_MS;
    origin.member.relay.cut();
    await until('Redis being away', () => origin.member.connection.isAway);
    await loans().tidy(to()).should.be.rejectedWith({ code: 'QUEUE_AWAY' });
    should(lent()).equal(COUNT);
    should(onDisk()).equal(COUNT);
  });

  it('of a node without jobs on disk is cleared from Redis', async () => {
    const { repository } = origin;
    later = ABANDONED_MS;
    for (const { dueAt, id } of repository.placesAfter('node', null, COUNT))
      await state.database.commit([repository.removing('node', { dueAt, id })]);
    await loans().tidy(to());
    should(await waiting()).equal(0);
    should(lent()).equal(0);
  });
});
