/** Milliseconds by which the clock may jump while the process runs, or since the last line of the log. */
const LONGEST_JUMP_MS = 48 * 60 * 60 * 1000;

/** Milliseconds by which it may differ from a provider's. */
const MOST_OFFSET_MS = 5 * 60 * 1000;

/** Why the clock of the machine is not trustworthy. */
export type ClockDoubt = 'before-last-line' | 'jumped' | 'differs-from-provider';

/**
 * Says whether the machine's clock may decide that something is old enough to be removed. A small computer without a
 * battery wakes up years off; a wrong clock must not cost a recording.
 */
export class ClockGuard {
  readonly #wall: () => number;
  readonly #elapsed: () => number;
  #lastLine = NaN;
  /** Wall minus elapsed, as the last line or another clock has it. */
  #base: number;
  /** Milliseconds that the clock is ahead of a provider's. */
  #offset = 0;

  /**
   * @param wall the machine's clock, milliseconds since 1970
   * @param elapsed a monotonic clock, milliseconds
   * @param lastLine time of the last line of the custody log at the start; NaN: there is none. A machine that was off for
   *   long is believed once another clock confirms its own.
   */
  constructor(wall: () => number, elapsed: () => number, lastLine = NaN) {
    this.#wall = wall;
    this.#elapsed = elapsed;
    this.#lastLine = lastLine;
    this.#base = (Number.isNaN(lastLine) ? wall() : lastLine) - elapsed();
  }

  /** @param at time of the last line of the custody log, milliseconds since 1970; NaN: there is none */
  noteLine(at: number): void {
    if (Number.isNaN(this.#lastLine) || at > this.#lastLine) this.#lastLine = at;
  }

  /**
   * Compares with the clock of a provider or a bucket.
   *
   * @param date the header `Date` of an answer that has just come
   */
  noteDate(date: string | undefined): void {
    const time = Date.parse(date ?? '');
    if (!Number.isFinite(time)) return;
    this.#offset = this.#wall() - time;
    // Somebody else has the same time, so a jump was a correction.
    if (Math.abs(this.#offset) <= MOST_OFFSET_MS) this.#base = this.#wall() - this.#elapsed();
  }

  /** Why nothing may be removed by this clock now; null: it may. */
  doubt(): ClockDoubt | null {
    const now = this.#wall();
    if (now < this.#lastLine) return 'before-last-line';
    if (Math.abs(now - this.#elapsed() - this.#base) > LONGEST_JUMP_MS) return 'jumped';
    return Math.abs(this.#offset) > MOST_OFFSET_MS ? 'differs-from-provider' : null;
  }
}
