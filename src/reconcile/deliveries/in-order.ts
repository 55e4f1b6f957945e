/** The usual time from an event to its first delivery attempt, at most. */
const USUAL_LAG_MS = 60_000;

/** Puts entries that come roughly in chronological order into that order, holding back only a minute of them. */
export class InOrder<Entry> {
  readonly #timeOf: (entry: Entry) => number;
  #held: Entry[] = [];

  /** @param timeOf milliseconds since 1970 */
  constructor(timeOf: (entry: Entry) => number) {
    this.#timeOf = timeOf;
  }

  add(entry: Entry): void {
    this.#held.push(entry);
  }

  /**
   * Takes out, in order, the entries before which no others are expected.
   *
   * @param through how far the list got. Milliseconds since 1970; left out at its end, to take all that is held
   */
  take(through = Infinity): Entry[] {
    this.#held.sort((a, b) => this.#timeOf(a) - this.#timeOf(b));
    const last = through - USUAL_LAG_MS;
    const end = this.#held.findIndex((entry) => this.#timeOf(entry) > last);
    return this.#held.splice(0, end === -1 ? this.#held.length : end);
  }
}
