/** How many of the last bytes of a partial copy are requested again when its transfer resumes. */
export const OVERLAP_BYTES = 4096;

/** The end of a growing file: its last bytes, at most `OVERLAP_BYTES`. */
export class LastBytes {
  /** Twice as long as needed, so that few additions have to move what is kept. */
  readonly #buffer = Buffer.allocUnsafe(2 * OVERLAP_BYTES);
  #filled = 0;

  /** @param bytes before the first addition */
  constructor(bytes: Uint8Array = Buffer.alloc(0)) {
    this.add(bytes);
  }

  add(bytes: Uint8Array): void {
    const added = bytes.subarray(Math.max(0, bytes.length - OVERLAP_BYTES));
    if (this.#filled + added.length > this.#buffer.length) {
      const kept = Math.min(this.#filled, OVERLAP_BYTES);
      this.#buffer.copyWithin(0, this.#filled - kept, this.#filled);
      this.#filled = kept;
    }
    this.#buffer.set(added, this.#filled);
    this.#filled += added.length;
  }

  /** A copy. */
  bytes(): Buffer {
    return Buffer.from(this.#buffer.subarray(Math.max(0, this.#filled - OVERLAP_BYTES), this.#filled));
  }
}
