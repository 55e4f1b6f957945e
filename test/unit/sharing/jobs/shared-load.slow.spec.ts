import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import { loadOf } from '../../../../src/archive/queue/jobs';
import { EmissionPace, MOST_DUE, MOST_ORDERS } from '../../../../src/reconcile/emission-pace';
import { Cluster } from '../../../../src/sharing/cluster';
import { until } from '../../../support/until';
import { jobFor } from '../../archive/state-fixture';
import { SharingFixture } from '../sharing-fixture';
import { type SharingInstance, instanceOf } from './shared-jobs-stage';

const NODE = 'node';
const DONE: JobOutcome = { kind: 'done', effects: NO_EFFECTS };

describe('the pace of a list where jobs are shared', () => {
  let fixture: SharingFixture;
  const instances: SharingInstance[] = [];
  const clusters: Cluster[] = [];
  /** Lets the runs end. */
  let release: () => void;
  let released: Promise<void>;

  beforeEach(async function () {
    released = new Promise((resolve) => (release = resolve));
    fixture = await SharingFixture.start(this);
  });
  afterEach(async () => {
    release();
    await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
    await Promise.all(instances.map(({ jobs }) => jobs.close()));
    await Promise.all(instances.splice(0).map(({ state }) => state.remove().catch(() => undefined)));
    await fixture.close();
  });

  /** @param most jobs that it lends */
  async function join(name: string, most?: number): Promise<SharingInstance> {
    const member = await fixture.join(name);
    const { connection, instance: self } = member;
    const instance = instanceOf(member, {
      work: () => released.then(() => DONE),
      heldElsewhere: () => cluster.waitingElsewhere(NODE),
      ...(most !== undefined && { most })
    });
    const cluster = new Cluster({
      ...{ connection, instance: self, beatMs: 100 },
      report: () => {
        const { running, held } = instance.jobs.tally();
        return { [NODE]: { settings: {}, running, waiting: held, probe: '' } };
      }
    });
    instances.push(instance);
    clusters.push(cluster);
    instance.jobs.start();
    return instance;
  }

  async function add({ jobs }: SharingInstance, count: number): Promise<void> {
    const all = Array.from({ length: count }, (_value, at) =>
      jobs.add({ name: String(at) }, [jobFor(String(at))], () => undefined)
    );
    await Promise.all(all);
  }

  /** That of a list in an instance. */
  function paceOf({ jobs }: SharingInstance): { pace: EmissionPace; waits: boolean[] } {
    const waits: boolean[] = [];
    const load = () => loadOf([jobs], MOST_ORDERS);
    return { pace: new EmissionPace(load, (isWaiting) => waits.push(isWaiting)), waits };
  }

  async function emitted(pace: EmissionPace, count: number): Promise<void> {
    const { signal } = new AbortController();
    for (let at = 0; at < count; at += 1) await pace.turn(signal);
  }

  it('follows what waits for all instances together', async () => {
    const [one, other] = [await join('one'), await join('other')];
    await add(other, MOST_DUE);
    // Nothing of it is on the disk of this one.
    should(one.repository.load([NODE], MOST_ORDERS).all).equal(0);
    const { pace, waits } = paceOf(one);
    const passed = emitted(pace, 25);
    await until('the wait', () => waits.length > 0);
    release();
    await passed;
    should(waits).eql([true, false]);
    await emitted(pace, 100);
    should(waits).eql([true, false]);
  });

  it('follows also what another instance holds because it may lend no more', async () => {
    const [one, other] = [await join('one'), await join('other', 10)];
    await add(other, MOST_DUE + 10);
    await until('all', async () => (await one.jobs.load(MOST_ORDERS)).due === MOST_DUE + 10);
    const { pace, waits } = paceOf(one);
    const passed = emitted(pace, 25);
    await until('the wait', () => waits.length > 0);
    release();
    await passed;
    await until('nothing', async () => (await one.jobs.load(MOST_ORDERS)).all === 0);
  });

  it('is that of this instance while Redis is away', async () => {
    const [one, other] = [await join('one'), await join('other')];
    await add(other, MOST_DUE);
    await fixture.server.kill();
    await until('the end of the connection', () => one.member.connection.isAway);
    const { pace, waits } = paceOf(one);
    await emitted(pace, 100);
    should(waits).eql([]);
  });
});
