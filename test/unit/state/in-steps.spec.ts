import should from 'should';
import { inSteps } from '../../../src/state/in-steps';
import { StateFixture } from '../archive/state-fixture';

describe('reading a collection in steps', () => {
  let state: StateFixture;
  beforeEach(() => void (state = new StateFixture()));
  afterEach(() => state.remove());

  // Two keys with the same text, at the edge between two steps.
  const keys = [['a'], ['a', 'b'], ['a,b'], ['a,b', 1], ['b'], ['c'], ['d']];

  for (const size of [2, 3, 6, 7, 8])
    for (const removes of [false, true])
      it(`sees each entry once, ${size} at a time${removes ? ', while they are removed' : ''}`, async () => {
        const collection = state.database.collection<number>('numbers');
        await Promise.all(keys.map((key, at) => collection.put(key, at)));
        const seen: number[] = [];
        for await (const step of inSteps(collection, size)) {
          step.length.should.be.belowOrEqual(size);
          for (const { key, value } of step) {
            seen.push(value);
            if (removes) await collection.remove(key);
          }
        }
        should(seen.sort()).deepEqual(keys.map((_key, at) => at));
        should(collection.count()).equal(removes ? 0 : keys.length);
      });

  it('ends immediately for an empty collection', async () => {
    const steps: unknown[] = [];
    for await (const step of inSteps(state.database.collection('none'))) steps.push(...step);
    should(steps).be.empty();
  });
});
