import { createHash } from 'node:crypto';

const FIRST_SLOTS = 1024;

/**
 * Remembers which recordings were seen, by 128 bits of a hash each: 100,000 of them take 4 MiB, however long their names
 * are. What was never added is found with a probability below 1 in 10^26.
 */
export class RecordingSet {
  /** Two words for each slot; both 0: it is free. */
  #slots = new BigUint64Array(2 * FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns whether it is new */
  add(name: string): boolean {
    const hash = createHash('sha256').update(name).digest();
    const [high, low] = [hash.readBigUInt64LE(0), hash.readBigUInt64LE(8)];
    if (!insert(this.#slots, high, low)) return false;
    this.#size += 1;
    if (this.#size * 4 > this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    const larger = new BigUint64Array(2 * this.#slots.length);
    for (let at = 0; at < this.#slots.length; at += 2) {
      const [high = 0n, low = 0n] = this.#slots.subarray(at, at + 2);
      if (high !== 0n || low !== 0n) insert(larger, high, low);
    }
    this.#slots = larger;
  }
}

function insert(slots: BigUint64Array, high: bigint, low: bigint): boolean {
  const count = slots.length / 2;
  let slot = Number(low % BigInt(count));
  for (;;) {
    const [first, second] = [slots[2 * slot], slots[2 * slot + 1]];
    if (first === high && second === low) return false;
    if (first === 0n && second === 0n) break;
    slot = (slot + 1) % count;
  }
  slots[2 * slot] = high;
  slots[2 * slot + 1] = low;
  return true;
}
