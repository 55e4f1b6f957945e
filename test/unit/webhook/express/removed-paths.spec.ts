import should from 'should';
import { RemovedPaths, REMOVED_MS } from '../../../../src/webhook/express/removed-paths';
import { StateFixture } from '../../archive/state-fixture';

const MINUTE = 60_000;

describe('RemovedPaths', () => {
  let state: StateFixture;
  /** Milliseconds of both clocks. */
  let time: number;
  /** How far ahead the wall clock is. */
  let off: number;
  beforeEach(() => {
    state = new StateFixture();
    time = 1000;
    off = Date.UTC(2026, 0, 1);
  });
  afterEach(() => state.remove());

  /** The paths as a process that has just started has them. */
  const start = (): RemovedPaths => new RemovedPaths({ now: () => time + off, elapsed: () => time });
  const update = async (paths: RemovedPaths, ...served: string[]): Promise<void> => {
    paths.update(new Set(served), state.database);
    await state.database.written();
  };
  const keys = (): unknown[] => [...state.database.collection('webhook-paths').keys({})];

  it('are remembered for ten minutes', async () => {
    should(REMOVED_MS).equal(10 * MINUTE);
    const paths = start();
    await update(paths, '/a', '/b');
    should(paths.has('/a')).be.false();
    await update(paths, '/b');
    should([paths.has('/a'), paths.has('/b'), paths.has('/c')]).eql([true, false, false]);
    time += 10 * MINUTE - 1;
    should(paths.has('/a')).be.true();
    time += 1;
    should(paths.has('/a')).be.false();
    await update(paths, '/b');
    should(keys()).eql(['/b']);
  });

  it('are not remembered without bound, however often somebody deploys', async () => {
    const paths = start();
    for (let deploy = 0; deploy < 5; deploy += 1) {
      await update(paths, '/kept', ...Array.from({ length: 400 }, (_, index) => `/${deploy}/${index}`));
      time += 1000;
    }
    await update(paths, '/kept');
    should(keys()).have.length(1001);
    should([paths.has('/0/1'), paths.has('/3/399'), paths.has('/4/399')]).eql([false, true, true]);
  });

  it('count from when they were removed, however many deploys come after', async () => {
    const paths = start();
    await update(paths, '/a');
    await update(paths);
    time += 6 * MINUTE;
    await update(paths);
    time += 4 * MINUTE;
    should(paths.has('/a')).be.false();
  });

  it('no longer count as removed when they are served again', async () => {
    const paths = start();
    await update(paths, '/a');
    await update(paths);
    await update(paths, '/a');
    should(paths.has('/a')).be.false();
    await update(paths);
    time += 9 * MINUTE;
    should(paths.has('/a')).be.true();
  });

  it('are known across a restart, for what is left of the ten minutes', async () => {
    const first = start();
    await update(first, '/a');
    await update(first);
    time += 6 * MINUTE;
    const second = start();
    await update(second);
    should(second.has('/a')).be.true();
    time += 4 * MINUTE;
    should(second.has('/a')).be.false();
    await update(second);
    should(keys()).be.empty();
  });

  it('are known when the flows were changed while nothing ran', async () => {
    await update(start(), '/a', '/b');
    time += 60 * MINUTE;
    const paths = start();
    await update(paths, '/b');
    should([paths.has('/a'), paths.has('/b')]).eql([true, false]);
    time += 10 * MINUTE;
    should(paths.has('/a')).be.false();
  });

  for (const hours of [-3, 3])
    it(`last no longer when the clock is set by ${hours} hours`, async () => {
      const paths = start();
      await update(paths, '/a');
      await update(paths);
      off += hours * 60 * MINUTE;
      should(paths.has('/a')).be.true();
      const next = start();
      await update(next);
      time += 10 * MINUTE;
      should([paths.has('/a'), next.has('/a')]).eql([false, false]);
    });

  it('are remembered in memory where the state cannot be used', () => {
    const paths = start();
    paths.update(new Set(['/a']), null);
    paths.update(new Set(), null);
    should(paths.has('/a')).be.true();
  });

  it('may be longer than a key of the state can be', async () => {
    const long = `/${'a'.repeat(5000)}`;
    const paths = start();
    await update(paths, long, '/b');
    await update(paths, '/b');
    should(paths.has(long)).be.true();
    should(keys()).eql(['/b']);
  });
});
