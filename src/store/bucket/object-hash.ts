import { createHash, type Hash } from 'node:crypto';
import { LastBytes } from '../last-bytes';
import type { RememberedBytes } from '../destination';

const HEAD_BYTES = 4096;

/** What is remembered of bytes that were sent on: they cannot be read again before they are an object. */
export class RunningHash {
  #hash: Hash = createHash('sha256');
  #head: Buffer = Buffer.alloc(0);
  #size = 0;
  #last = new LastBytes();

  get size(): number {
    return this.#size;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#hash.update(bytes);
    if (this.#head.length < HEAD_BYTES)
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES - this.#head.length)]);
    this.#size += bytes.length;
    this.#last.add(bytes);
  }

  /** A copy of the state, which stays as it is. */
  remembered(): RememberedBytes {
    return { hash: this.#hash.copy(), size: this.#size, head: this.#head, tail: this.#last.bytes() };
  }

  /** Goes back to an earlier state. */
  goBackTo({ hash, size, head, tail }: RememberedBytes): void {
    this.#hash = hash.copy();
    this.#size = size;
    this.#head = head;
    this.#last = new LastBytes(tail);
  }

  /** Hex, of everything so far. */
  sha256(): string {
    return this.#hash.copy().digest('hex');
  }
}
