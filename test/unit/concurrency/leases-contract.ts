import should from 'should';
import type { Leases } from '../../../src/concurrency/leases';

export interface LeasesUnderTest {
  leases: Leases;
  /** The same, as another process sees them; absent where they are not shared. */
  elsewhere?: Leases;
  remove: () => Promise<void>;
}

const TTL_MS = 30_000;

/** The promises of `Leases`, for every implementation. */
export function itKeepsLeases(open: () => Promise<LeasesUnderTest>): void {
  let tested: LeasesUnderTest;
  let leases: Leases;
  let all: Leases[];

  beforeEach(async () => {
    tested = await open();
    ({ leases } = tested);
    all = tested.elsewhere === undefined ? [leases] : [leases, tested.elsewhere];
  });
  afterEach(() => tested.remove());

  const nothing = (): Promise<void> => Promise.resolve();

  it('let one do the work of a name, and tell all others at once', async () => {
    let end: () => void = () => undefined;
    let begun: () => void = () => undefined;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const first = leases.run('list', TTL_MS, async () => {
      begun();
      await new Promise<void>((resolve) => (end = resolve));
      return 7;
    });
    await hasBegun;
    for (const one of all) {
      should(await one.run('list', TTL_MS, () => Promise.reject(new Error('begun')))).eql({ kind: 'taken' });
      should((await one.run('other', TTL_MS, nothing)).kind).equal('done');
    }
    end();
    should(await first).eql({ kind: 'done', result: 7 });
    should((await leases.run('list', TTL_MS, nothing)).kind).equal('done');
  });

  it('let exactly one of many at the same moment in', async () => {
    let working = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      working += 1;
      most = Math.max(most, working);
      // Slow work, so that runs that are not kept apart overlap.
      await new Promise((resolve) => setTimeout(resolve, 10));
      working -= 1;
    };
    const runs = await Promise.all(
      Array.from({ length: 20 }, (_value, index) => all[index % all.length]!.run('list', TTL_MS, work))
    );
    should(most).equal(1);
    runs.filter(({ kind }) => kind === 'done').length.should.be.aboveOrEqual(1);
  });

  it('end with the work, also when that fails', async () => {
    await leases
      .run('list', TTL_MS, () => Promise.reject(new Error('made up')))
      .should.be.rejectedWith('made up');
    should((await leases.run('list', TTL_MS, nothing)).kind).equal('done');
  });

  it('tell the work when they are lost, and not before', async () => {
    const run = await leases.run('list', TTL_MS, (lost) => Promise.resolve(lost.aborted));
    should(run).eql({ kind: 'done', result: false });
  });
}
