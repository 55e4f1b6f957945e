import should from 'should';
import { SharedLeases } from '../../../src/sharing/shared-leases';
import { until } from '../../support/until';
import { itKeepsLeases } from '../concurrency/leases-contract';
import { type Member, SharingFixture } from './sharing-fixture';

describe('SharedLeases', () => {
  let fixture: SharingFixture;
  let [one, other]: Member[] = [];

  beforeEach(async function () {
    fixture = await SharingFixture.start(this);
    one = await fixture.join('one');
    other = await fixture.join('other');
  });
  afterEach(() => fixture.close());

  function leasesOf(member: Member | undefined, restMs = 0, aloneMs = 60_000): SharedLeases {
    return new SharedLeases(member!.connection, member!.instance, { restMs, aloneMs });
  }

  /** Work that lasts until it is told to end, or loses its lease. */
  function lasting(
    leases: SharedLeases,
    ttlMs: number
  ): { end: () => void; lost: Promise<boolean>; begun: Promise<void> } {
    let [end, begin]: (() => void)[] = [];
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const lost = leases
      .run('list', ttlMs, async (signal) => {
        begin!();
        await new Promise<void>((resolve) => {
          end = resolve;
          signal.addEventListener('abort', () => resolve());
        });
        return signal.aborted;
      })
      .then((run) => run.kind === 'done' && run.result);
    return { end: () => end!(), lost, begun };
  }

  const idle = (): Promise<void> => Promise.resolve();

  describe('of two instances', () => {
    itKeepsLeases(() =>
      Promise.resolve({ leases: leasesOf(one), elsewhere: leasesOf(other), remove: () => Promise.resolve() })
    );
  });

  it('rest where they were, so that the next run is there as well, and name the host', async () => {
    const [here, there] = [leasesOf(one, 60_000), leasesOf(other, 60_000)];
    should((await here.run('list', 5000, idle)).kind).equal('done');
    should((await there.run('list', 5000, idle)).kind).equal('taken');
    should(there.holder('list')).equal('one');
    should((await here.run('list', 5000, idle)).kind).equal('done');
    // The same instance after a restart.
    should((await leasesOf(await fixture.rejoin('one'), 60_000).run('list', 5000, idle)).kind).equal('done');
    const left = await fixture.server.say('PTTL {test}:lease:list');
    Number(left.trim().slice(1)).should.be.within(30_000, 60_000);
  });

  it('are free at once for the next process of an instance that was killed', async () => {
    const work = lasting(leasesOf(one), 30_000);
    await work.begun;
    one!.relay.cut();
    const again = leasesOf(await fixture.rejoin('one'));
    should((await leasesOf(other).run('list', 30_000, idle)).kind).equal('taken');
    should((await again.run('list', 30_000, idle)).kind).equal('done');
    work.end();
    await work.lost;
  });

  it('are free again after the rest', async () => {
    const [here, there] = [leasesOf(one, 100), leasesOf(other, 100)];
    await here.run('list', 5000, idle);
    await until('the end of the rest', async () => (await there.run('list', 5000, idle)).kind === 'done');
    should(there.holder('list')).be.null();
  });

  it('are renewed for as long as the work takes', async () => {
    const work = lasting(leasesOf(one), 400);
    await work.begun;
    const since = performance.now();
    const there = leasesOf(other);
    await until('three times the time of the lease', async () => {
      should((await there.run('list', 400, idle)).kind).equal('taken');
      return performance.now() - since > 1200;
    });
    work.end();
    should(await work.lost).be.false();
  });

  for (const [what, fault] of [
    ['nothing passes', () => one!.relay.silence()],
    ['the network is cut', () => one!.relay.cut()],
    ['Redis has stopped', () => fixture.server.freeze()],
    ['Redis was killed', () => fixture.server.kill()]
  ] as [string, () => void][]) {
    it(`are lost before another instance can have them when ${what}`, async () => {
      const work = lasting(leasesOf(one), 2500);
      await work.begun;
      fault();
      const since = performance.now();
      should(await work.lost).be.true();
      should(performance.now() - since).be.below(2500);
      fixture.server.thaw();
    });
  }

  it('go on when Redis was emptied, and keep others away again', async () => {
    const work = lasting(leasesOf(one), 1000);
    await work.begun;
    await fixture.server.flush();
    await until('the lease', async () =>
      (await fixture.server.say('EXISTS {test}:lease:list')).includes('1')
    );
    should((await leasesOf(other).run('list', 1000, idle)).kind).equal('taken');
    work.end();
    should(await work.lost).be.false();
  });

  it('are lost when somebody else took them meanwhile', async () => {
    const work = lasting(leasesOf(one), 1000);
    await work.begun;
    await fixture.server.say('HSET {test}:lease:list token other instance id-other');
    should(await work.lost).be.true();
    // It does not end what is not its own.
    should(await fixture.server.say('HGET {test}:lease:list token')).containEql('other');
  });

  it('end with the time of a process that died', async () => {
    const work = lasting(leasesOf(one), 600);
    await work.begun;
    one!.connection.close();
    await until('the lease', async () => (await leasesOf(other).run('list', 600, idle)).kind === 'done');
    await work.lost;
  });

  for (const made of ['instance evil token t host evil', 'instance evil', 'instance evil token t'])
    it(`do not stop a list for ever when somebody makes one up: ${made}`, async () => {
      await fixture.server.say(`HSET {test}:lease:list ${made}`);
      const leases = leasesOf(one);
      should((await leases.run('list', 500, idle)).kind).equal('taken');
      await until('the lease', async () => (await leases.run('list', 500, idle)).kind === 'done');
    });

  it('let nobody begin while Redis is away, and each one alone after a while', async () => {
    one!.relay.cut();
    await until('the end of the connection', () => one!.connection.isAway);
    await leasesOf(one)
      .run('list', 5000, () => Promise.reject(new Error('begun')))
      .should.be.rejectedWith({ code: 'QUEUE_AWAY' });
    const alone = leasesOf(one, 0, 0);
    const first = lasting(alone, 5000);
    await first.begun;
    should((await alone.run('list', 5000, idle)).kind).equal('taken');
    first.end();
    should(await first.lost).be.false();
  });
});
