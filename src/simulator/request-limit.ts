import type { Clock } from './signed-links';

export interface RequestLimitOptions {
  /** Requests per window. */
  requests: number;
  /** Length of a window in seconds. */
  seconds: number;
}

/** Counts requests in windows of fixed length, as Telnyx's `x-ratelimit-*` headers describe them. */
export class RequestLimit {
  readonly #options: RequestLimitOptions;
  readonly #clock: Clock;
  #windowStart = -Infinity;
  #used = 0;

  constructor(options: RequestLimitOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Counts one request. */
  take(): { allowed: boolean; headers: Record<string, string> } {
    const { requests, seconds } = this.#options;
    const now = this.#clock();
    if (now >= this.#windowStart + seconds * 1000) {
      this.#windowStart = now;
      this.#used = 0;
    }
    const allowed = this.#used < requests;
    if (allowed) this.#used += 1;
    const reset = Math.ceil((this.#windowStart + seconds * 1000 - now) / 1000);
    return {
      allowed,
      headers: {
        'x-ratelimit-limit': String(requests),
        'x-ratelimit-remaining': String(requests - this.#used),
        'x-ratelimit-reset': String(reset)
      }
    };
  }
}
