/** The usual time from an event to its first delivery attempt, at most. */
const USUAL_LAG_MS = 60_000;

/** Bytes of deliveries that are held back; more would take too much memory. */
const MOST_HELD_BYTES = 16 * 1024 * 1024;
/** What a delivery takes besides its body. */
const ENTRY_BYTES = 1024;

interface Held<Entry> {
  entry: Entry;
  /** Milliseconds since 1970. */
  time: number;
  bytes: number;
}

/**
 * Puts entries that come roughly in chronological order into that order, holding back only a minute of them. Those of a
 * wrong clock may come in another order: they are held back only as long as there is room.
 */
export class InOrder<Entry> {
  readonly #timeOf: (entry: Entry) => number;
  #held: Held<Entry>[] = [];

  /** @param timeOf milliseconds since 1970 */
  constructor(timeOf: (entry: Entry) => number) {
    this.#timeOf = timeOf;
  }

  /** @param size of its body, bytes */
  add(entry: Entry, size = 0): void {
    this.#held.push({ entry, time: this.#timeOf(entry), bytes: ENTRY_BYTES + size });
  }

  /**
   * Takes out, in order, the entries before which no others are expected, and as many more as there is no room for.
   *
   * @param through how far the list got. Milliseconds since 1970; left out at its end, to take all that is held
   */
  take(through = Infinity): Entry[] {
    this.#held.sort((a, b) => a.time - b.time);
    const last = through - USUAL_LAG_MS;
    let left = this.#held.reduce((sum, { bytes }) => sum + bytes, 0);
    let end = 0;
    for (const { time, bytes } of this.#held) {
      if (time > last && left <= MOST_HELD_BYTES) break;
      left -= bytes;
      end += 1;
    }
    return this.#held.splice(0, end).map(({ entry }) => entry);
  }
}
