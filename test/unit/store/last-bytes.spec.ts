import should from 'should';
import { LastBytes, OVERLAP_BYTES } from '../../../src/store/last-bytes';
import { seededNumbers } from '../../support/seeded-numbers';

describe('store/last-bytes', () => {
  it('keeps the end of the added bytes, in chunks of any size', () => {
    const random = seededNumbers(3);
    const all = Buffer.from(Array.from({ length: 100_000 }, () => Math.floor(random.next().value * 256)));
    for (const most of [1, 7, 4095, 4096, 4097, 20_000]) {
      const last = new LastBytes();
      for (let at = 0; at < all.length;) {
        const piece = all.subarray(at, at + 1 + Math.floor(random.next().value * most));
        at += piece.length;
        last.add(piece);
        should(last.bytes().equals(all.subarray(Math.max(0, at - OVERLAP_BYTES), at))).be.true();
      }
    }
  });

  it('starts with the given bytes, and returns copies', () => {
    const last = new LastBytes(Buffer.from('abc'));
    const copy = last.bytes();
    last.add(Buffer.from('d'));
    should([copy.toString(), last.bytes().toString()]).eql(['abc', 'abcd']);
  });
});
