import { createHash, type Hash } from 'node:crypto';
import type { SentBytes } from '../client/bucket-request';

/** The smallest part that S3 takes, except for the last one. */
export const SMALLEST_PART_BYTES = 5 * 1024 * 1024;
const MOST_PARTS = 10_000;

/**
 * The size of the parts: 5 MiB, to keep memory small; as much more as a file needs to fit into
 * 10,000 parts. All parts have the same size, because some stores insist on it.
 *
 * @param size of the file in bytes, or null when it is unknown
 */
export function partBytes(size: number | null): number {
  const needed = Math.ceil((size ?? 0) / MOST_PARTS);
  const mebibyte = 1024 * 1024;
  return Math.max(SMALLEST_PART_BYTES, Math.ceil(needed / mebibyte) * mebibyte);
}

/** True when a file has as many parts as an upload can have. */
export function isLastPart(number: number): boolean {
  return number >= MOST_PARTS;
}

/** Up to here one part of a file may be filled while the one before is sent; beyond, one after the other. */
const PLENTY_BYTES = 4 * SMALLEST_PART_BYTES;

/** Memory for parts, used again: fresh memory for each would grow the process until it is collected. */
export class PartMemory {
  readonly #free: Buffer[] = [];
  #lent = 0;

  /** True when a caller with a part on its way should wait for its memory instead of taking more. */
  get isScarce(): boolean {
    return this.#lent >= PLENTY_BYTES;
  }

  take(size: number): Buffer {
    this.#lent += size;
    const index = this.#free.findIndex((buffer) => buffer.length === size);
    // Not from the pool of small buffers, and only touched as far as it is filled.
    return this.#free.splice(index, index < 0 ? 0 : 1)[0] ?? Buffer.allocUnsafeSlow(size);
  }

  giveBack(buffer: Buffer): void {
    this.#lent -= buffer.length;
    if (buffer.length === SMALLEST_PART_BYTES && this.#free.length < 4) this.#free.push(buffer);
  }

  clear(): void {
    this.#free.length = 0;
  }
}

/** A part that is being filled. */
export class FillingPart {
  readonly #buffer: Buffer;
  readonly #hash: Hash = createHash('sha256');
  #filled = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get size(): number {
    return this.#filled;
  }

  get isFull(): boolean {
    return this.#filled === this.#buffer.length;
  }

  /** Copies as much as fits. @returns the bytes that were taken */
  fill(bytes: Uint8Array): Uint8Array {
    const taken = bytes.subarray(0, this.#buffer.length - this.#filled);
    this.#buffer.set(taken, this.#filled);
    this.#filled += taken.length;
    this.#hash.update(taken);
    return taken;
  }

  /** What is in it, to be sent; once. */
  content(): SentBytes {
    return { bytes: this.#buffer.subarray(0, this.#filled), sha256: this.#hash.digest() };
  }

  release(memory: PartMemory): void {
    memory.giveBack(this.#buffer);
  }
}
