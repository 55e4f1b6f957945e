/** How much later than it occurred an event is sent for the first time, as a rule. */
const USUAL_LAG_MS = 60_000;

/** Puts what comes roughly in the order of time into that order, and holds only a minute of it back. */
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
   * Takes out what nothing is expected to come before, in order.
   *
   * @param through how far the list came. Milliseconds since 1970; left out at its end: all that is held
   */
  take(through = Infinity): Entry[] {
    this.#held.sort((a, b) => this.#timeOf(a) - this.#timeOf(b));
    const last = through - USUAL_LAG_MS;
    const end = this.#held.findIndex((entry) => this.#timeOf(entry) > last);
    return this.#held.splice(0, end === -1 ? this.#held.length : end);
  }
}
