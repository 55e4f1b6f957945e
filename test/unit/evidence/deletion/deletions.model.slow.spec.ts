import fc from 'fast-check';
import { DeletionModel } from './deletion-model';
import { steps } from './deletion-steps';

describe('holds, deletions and tombstones, over ten thousand sequences of events', () => {
  it('lose no held file, let nothing come back, and leave a line for every deletion', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (all) => new DeletionModel().run(all)),
      { numRuns: 10_000 }
    );
  });
});
