import { setTimeout as timer } from 'node:timers/promises';

/** A rate limit: so many requests in any span of this length. */
export interface RateLimit {
  requests: number;
  /** Milliseconds. */
  span: number;
}

/** Keeps requests within a rate limit: whoever comes too early waits for the turn. */
export class RequestPace {
  /** When the last requests were permitted, oldest first, in milliseconds since 1970. */
  readonly #permitted: number[] = [];

  constructor(
    private readonly limit: RateLimit,
    private readonly now: () => number = Date.now
  ) {}

  /**
   * Resolves when a request may be made. Turns are given in the order in which they were asked for.
   *
   * @throws `signal.reason` when aborted
   */
  async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = this.now();
    const oldest = this.#permitted.length < this.limit.requests ? undefined : this.#permitted.shift();
    const at = oldest === undefined ? now : Math.max(now, oldest + this.limit.span);
    this.#permitted.push(at);
    if (at === now) return;
    try {
      await timer(at - now, undefined, { signal });
    } catch {
      throw signal.reason;
    }
  }
}
