import should from 'should';
import { heldBytes } from '../../../src/values/held-bytes';

describe('heldBytes', () => {
  it('counts texts, names and many small parts', () => {
    should(heldBytes('x'.repeat(1000))).be.within(2000, 2100);
    should(heldBytes({ ['x'.repeat(1000)]: 1 })).be.within(2000, 2200);
    // Three bytes of text each.
    should(heldBytes(JSON.parse(`[${Array(1000).fill('{}').join()}]`))).be.within(64_000, 100_000);
    for (const small of [null, 1, true, undefined]) should(heldBytes(small)).equal(0);
  });

  it('survives any depth', () => {
    let deep: unknown = 'x';
    for (let level = 0; level < 1_000_000; level += 1) deep = [deep];
    should(heldBytes(deep)).be.above(64_000_000);
  });
});
