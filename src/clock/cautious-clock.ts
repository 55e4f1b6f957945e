const HOUR_MS = 60 * 60 * 1000;

/** Milliseconds by which two clocks may differ in passing. */
const TOLERANCE_MS = HOUR_MS;

/** Milliseconds for which a jump forward has to last. */
const DOUBTED_MS = 24 * HOUR_MS;

/**
 * The time by which something is old enough to be removed. It follows the machine's clock, except forward: such a jump
 * counts once something else proves it, or when it has lasted for a day, because a wrong clock must not cost data. A
 * machine that was asleep jumps, too; then a removal only comes later.
 */
export class CautiousClock {
  readonly #wall: () => number;
  readonly #elapsed: () => number;
  #trusted: number;
  /** Of `#elapsed`, when `#trusted` was true. */
  #at: number;
  /** By how much the machine's clock is ahead, and since when, of `#elapsed`. */
  #doubt: { ahead: number; since: number } | null = null;

  /**
   * @param wall the machine's clock, milliseconds since 1970
   * @param elapsed a monotonic clock, milliseconds
   */
  constructor(wall: () => number, elapsed: () => number) {
    this.#wall = wall;
    this.#elapsed = elapsed;
    this.#trusted = wall();
    this.#at = elapsed();
  }

  /**
   * Starts from an earlier moment that is certain.
   *
   * @param time milliseconds since 1970; not finite: unknown
   */
  begin(time: number): void {
    if (Number.isFinite(time) && time < this.#trusted) this.#trusted = time;
  }

  /** @param time that it has certainly been, milliseconds since 1970; NaN: unknown */
  prove(time: number): void {
    if (time > this.now()) this.#trust(time);
  }

  /** Milliseconds since 1970. Call it often: a jump is noticed only then. */
  now(): number {
    const elapsed = this.#elapsed();
    const expected = this.#trusted + (elapsed - this.#at);
    const wall = this.#wall();
    const ahead = wall - expected;
    if (ahead <= TOLERANCE_MS) return this.#trust(wall);
    if (this.#doubt === null || Math.abs(ahead - this.#doubt.ahead) > TOLERANCE_MS)
      this.#doubt = { ahead, since: elapsed };
    return elapsed - this.#doubt.since >= DOUBTED_MS ? this.#trust(wall) : expected;
  }

  #trust(time: number): number {
    this.#trusted = time;
    this.#at = this.#elapsed();
    this.#doubt = null;
    return time;
  }
}
