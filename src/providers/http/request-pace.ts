import { setMaxListeners } from 'node:events';
import { monotonicNow } from '../../clock/clocks';

/** A rate limit: at most this many requests in any span of this length. */
export interface RateLimit {
  requests: number;
  /** Milliseconds. */
  span: number;
}

/** Keeps requests within a rate limit: a caller that comes too early waits for its turn. */
export class RequestPace {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  /** When the last requests were permitted, oldest first. */
  readonly #permitted: number[] = [];
  /** Callers that wait, in the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds of a monotonic clock */
  constructor(limit: RateLimit, now: () => number = monotonicNow) {
    this.#limit = limit;
    this.#now = now;
  }

  /**
   * Resolves when a request may be made. Callers get their turns in the order in which they came; a caller that
   * stops waiting leaves its turn to the next one.
   *
   * @throws `signal.reason` when aborted
   */
  async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#wait() <= 0) {
      this.#permit();
      return;
    }
    // Many may wait with the same signal.
    setMaxListeners(0, signal);
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(enter);
        if (this.#waiting.size === 0) this.#rest();
        reject(signal.reason as Error);
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
      this.#schedule();
    });
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#rest();
      this.#admit();
    }, this.#wait());
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #admit(): void {
    for (const enter of this.#waiting) {
      if (this.#wait() > 0) {
        this.#schedule();
        return;
      }
      this.#waiting.delete(enter);
      this.#permit();
      enter();
    }
  }

  #permit(): void {
    if (this.#permitted.length >= this.#limit.requests) this.#permitted.shift();
    this.#permitted.push(this.#now());
  }

  /** Milliseconds until the limit permits one more request. */
  #wait(): number {
    const [oldest] = this.#permitted;
    if (oldest === undefined || this.#permitted.length < this.#limit.requests) return 0;
    return oldest + this.#limit.span - this.#now();
  }
}
