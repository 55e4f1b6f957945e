import { createHash } from 'node:crypto';
import { monotonicNow } from '../../clock/clocks';
import { CodedError } from '../../errors/coded-error';

/** An API counts as down after this many requests in a row without an answer. */
const MOST_FAILURES = 3;
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60_000;
/** How long other requests wait while one finds out whether the API is back. */
const PROBE_MS = 1000;
/** A caller that stops waiting sooner proves nothing about the API. */
const LATE_MS = 1500;

/** One request, from the moment it is sent. Call exactly one of the methods, once. */
export interface Attempt {
  /** There is a response of any kind. */
  answered(): void;
  /** No answer in time, or no connection. */
  failed(): void;
  /** The caller abandons it, for lack of time or another reason. */
  abandoned(isLate: boolean): void;
}

export interface BreakerOptions {
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
  /** From 0 to 1. */
  random?: () => number;
}

/**
 * Knows whether an API answers at all. After three requests in a row without an answer, optional requests fail at
 * once for a while that grows up to a minute; then a single one finds out whether the API is back. Any answer,
 * even to a request that is not optional, ends that.
 */
export class CircuitBreaker {
  readonly #now: () => number;
  readonly #random: () => number;
  #failures = 0;
  /** How often in a row the API was found to be down. */
  #openings = 0;
  #openUntil = 0;
  #probe: Attempt | undefined;

  constructor({ now = monotonicNow, random = Math.random }: BreakerOptions = {}) {
    this.#now = now;
    this.#random = random;
  }

  /**
   * Call this before an optional request waits for anything.
   *
   * @param host for the error text
   * @throws CodedError `STALLED`, retryable, while the API counts as down
   */
  expectAnswers(host: string): void {
    const wait = this.#wait();
    if (wait <= 0) return;
    throw new CodedError(
      'STALLED',
      `${host} does not answer, so it is not asked for anything that can wait; the next attempt waits.`,
      { retryable: true, retryAfterMs: Math.ceil(wait) }
    );
  }

  /**
   * A request goes out.
   *
   * @throws CodedError as `expectAnswers` when it is optional
   */
  begin(host: string, isOptional: boolean): Attempt {
    if (isOptional) this.expectAnswers(host);
    const begun = this.#now();
    const attempt: Attempt = {
      answered: () => this.#close(),
      failed: () => this.#failed(attempt),
      abandoned: (isLate) => {
        if (isLate && this.#now() - begun >= LATE_MS) this.#failed(attempt);
        else if (this.#probe === attempt) this.#probe = undefined;
      }
    };
    if (this.#openings > 0 && this.#now() >= this.#openUntil) this.#probe ??= attempt;
    return attempt;
  }

  /** Milliseconds until an optional request may be made. */
  #wait(): number {
    if (this.#openings === 0) return 0;
    const wait = this.#openUntil - this.#now();
    return wait <= 0 && this.#probe !== undefined ? PROBE_MS : wait;
  }

  #close(): void {
    this.#failures = 0;
    this.#openings = 0;
    this.#probe = undefined;
  }

  #failed(attempt: Attempt): void {
    const isProbe = this.#probe === attempt;
    if (isProbe) this.#probe = undefined;
    this.#failures += 1;
    if (this.#openings === 0 ? this.#failures < MOST_FAILURES : !isProbe) return;
    const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#openings);
    this.#openings += 1;
    // So that two processes that ask the same API do not come back at the same moment.
    this.#openUntil = this.#now() + ceiling * (0.8 + 0.2 * this.#random());
  }
}

/** The breakers of a process: one for each account, whichever nodes use it. */
export class CircuitBreakers {
  readonly #options: BreakerOptions;
  readonly #breakers = new Map<string, CircuitBreaker>();

  constructor(options: BreakerOptions = {}) {
    this.#options = options;
  }

  /**
   * @param apiUrl where the API is
   * @param apiKey a secret; only its hash is kept
   */
  of(apiUrl: string, apiKey: string): CircuitBreaker {
    const name = createHash('sha256').update(`${apiUrl}\n${apiKey}`).digest('base64url');
    const known = this.#breakers.get(name);
    if (known !== undefined) return known;
    const breaker = new CircuitBreaker(this.#options);
    this.#breakers.set(name, breaker);
    return breaker;
  }
}
