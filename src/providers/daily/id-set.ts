import { createHash } from 'node:crypto';
import { losslessText } from '../../values/fields';

/** Bytes of each hash that are kept; two ids never share the same 16. */
const BYTES = 16;
const FIRST_SLOTS = 1024;

/** A set of ids that takes about 40 bytes per id, whatever their length. */
export class IdSet {
  #slots = Buffer.alloc(FIRST_SLOTS * BYTES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns false when the set already has it */
  add(id: string): boolean {
    const hash = createHash('sha256').update(losslessText(id)).digest().subarray(0, BYTES);
    // All zero means a free slot.
    hash[BYTES - 1] = (hash[BYTES - 1] ?? 0) | 1;
    if (!put(this.#slots, hash)) return false;
    this.#size += 1;
    if (this.#size * BYTES * 2 > this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    const larger = Buffer.alloc(this.#slots.length * 2);
    for (let at = 0; at < this.#slots.length; at += BYTES) {
      const hash = this.#slots.subarray(at, at + BYTES);
      if (hash[BYTES - 1] !== 0) put(larger, hash);
    }
    this.#slots = larger;
  }
}

function put(slots: Buffer, hash: Buffer): boolean {
  const count = slots.length / BYTES;
  for (let slot = hash.readUInt32LE(0) % count; ; slot = (slot + 1) % count) {
    const at = slot * BYTES;
    if (slots[at + BYTES - 1] === 0) {
      hash.copy(slots, at);
      return true;
    }
    if (hash.equals(slots.subarray(at, at + BYTES))) return false;
  }
}
