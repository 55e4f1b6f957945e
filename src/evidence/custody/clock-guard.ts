/** Milliseconds by which the clock may jump while the process runs, or since the last line of the log. */
const LONGEST_JUMP_MS = 48 * 60 * 60 * 1000;

/** Milliseconds by which it may differ from a provider's. */
const MOST_OFFSET_MS = 5 * 60 * 1000;

/** Clocks that may differ at a time; more are not remembered. */
const MOST_DIFFERING = 16;

/** Another clock. */
export interface OtherClock {
  /** Tells it from others; the host of a server. */
  name: string;
  /**
   * Whether its word removes a doubt: that of an API that the user has chosen. All others, such as the server of any link, can
   * only raise one.
   */
  mayConfirm: boolean;
}

const PROVIDER: OtherClock = { name: 'provider', mayConfirm: true };

/** Why the clock of the machine is not trustworthy. */
export type ClockDoubt = 'before-last-line' | 'jumped' | 'differs-from-provider';

/**
 * Says whether the machine's clock may decide that something is old enough to be removed. A small computer without a
 * battery wakes up years off; a wrong clock must not cost a recording.
 */
export class ClockGuard {
  readonly #wall: () => number;
  readonly #elapsed: () => number;
  /** The latest time that was not in doubt: of a line of the log, or confirmed by another clock. */
  #trusted: number;
  /** Wall minus elapsed, as the last line or another clock has it. */
  #base: number;
  /** Whether a clock that may confirm it has set `#base`. */
  #isConfirmed = false;
  /** Those that had another time when they were last heard of, by name. */
  readonly #differing = new Map<string, OtherClock>();

  /**
   * @param wall the machine's clock, milliseconds since 1970
   * @param elapsed a monotonic clock, milliseconds
   * @param trusted what `trusted` was at the end of the process before; NaN: there was none. A machine that was off for
   *   long is believed once another clock confirms its own.
   */
  constructor(wall: () => number, elapsed: () => number, trusted = NaN) {
    this.#wall = wall;
    this.#elapsed = elapsed;
    this.#trusted = trusted;
    this.#base = (Number.isNaN(trusted) ? wall() : trusted) - elapsed();
  }

  /**
   * To be remembered beyond the end of the process: a wrong clock writes lines, too, and must not be believed because of them
   * after a restart. Milliseconds since 1970; NaN: none.
   */
  get trusted(): number {
    return this.#trusted;
  }

  /** A line was written. @param at its time, milliseconds since 1970 */
  noteLine(at: number): void {
    if (this.doubt() === null && !(at <= this.#trusted)) this.#trusted = at;
  }

  /**
   * Compares with another clock. Its word must have come over a connection that proves who has said it.
   *
   * @param date the header `Date` of an answer that has just come
   */
  noteDate(date: string | undefined, other: OtherClock = PROVIDER): void {
    const time = Date.parse(date ?? '');
    if (!Number.isFinite(time)) return;
    const { name, mayConfirm } = other;
    if (Math.abs(this.#wall() - time) > MOST_OFFSET_MS) {
      // What the API has said counts more than any server, as long as the clock has run since.
      const isOutweighed = !mayConfirm && this.#isConfirmed && this.#drift <= MOST_OFFSET_MS;
      if (!isOutweighed && (this.#differing.has(name) || this.#differing.size < MOST_DIFFERING))
        this.#differing.set(name, other);
      return;
    }
    this.#differing.delete(name);
    if (!mayConfirm || [...this.#differing.values()].some((each) => each.mayConfirm)) return;
    this.#differing.clear();
    // Somebody else has the same time, so a jump was a correction, and a later line was written by a wrong clock.
    this.#base = this.#wall() - this.#elapsed();
    this.#isConfirmed = true;
    this.#trusted = this.#wall();
  }

  /** Why nothing may be removed by this clock now; null: it may. */
  doubt(): ClockDoubt | null {
    const now = this.#wall();
    if (now < this.#trusted) return 'before-last-line';
    if (this.#drift > LONGEST_JUMP_MS) return 'jumped';
    return this.#differing.size > 0 ? 'differs-from-provider' : null;
  }

  /** Milliseconds by which the clock was set since `#base`. */
  get #drift(): number {
    return Math.abs(this.#wall() - this.#elapsed() - this.#base);
  }
}
