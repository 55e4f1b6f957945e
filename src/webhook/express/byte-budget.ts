/** A body of which not everything has come. */
export interface UnfinishedBody {
  /** Bytes in memory. */
  held: number;
  /** Ends the reading, because the room is needed. */
  giveWay: () => void;
}

/**
 * Bounds what strangers can make this process hold before their signatures are checked. When the room is
 * used up, the body that has been coming for longest gives way: a sender's own takes milliseconds, one that
 * is there to take up room stays as long as it may.
 */
export class ByteBudget {
  readonly #limit: number;
  #used = 0;
  /** Oldest first. */
  readonly #unfinished = new Set<UnfinishedBody>();

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  enter(body: UnfinishedBody): void {
    this.#unfinished.add(body);
  }

  /** Counts further bytes of a body that has entered. @returns false when it had to give way itself */
  take(body: UnfinishedBody, bytes: number): boolean {
    while (this.#used + bytes > this.#limit) {
      const [oldest = body] = this.#unfinished;
      oldest.giveWay();
      if (oldest === body) return false;
    }
    this.#used += bytes;
    body.held += bytes;
    return true;
  }

  leave(body: UnfinishedBody): void {
    if (this.#unfinished.delete(body)) this.#used -= body.held;
  }
}
