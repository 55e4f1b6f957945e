import { setMaxListeners } from 'node:events';
import { monotonicNow } from '../../clock/clocks';
import { partOf, type RateLimit } from './api-pace';

/** The others may have gone meanwhile. Milliseconds. */
const LOOK_AGAIN_MS = 1000;

/** Keeps requests within a rate limit: a caller that comes too early waits for its turn. */
export class RequestPace {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  readonly #parts: () => number;
  /** When the last requests were permitted, oldest first. */
  readonly #permitted: number[] = [];
  /** Callers that wait, in the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param now milliseconds of a monotonic clock
   * @param parts among how many processes the limit is divided; called for each request, and while one waits
   */
  constructor(limit: RateLimit, now: () => number = monotonicNow, parts: () => number = () => 1) {
    this.#limit = limit;
    this.#now = now;
    this.#parts = parts;
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
    this.#timer ??= setTimeout(
      () => {
        this.#rest();
        this.#admit();
      },
      Math.min(this.#wait(), LOOK_AGAIN_MS)
    );
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
    const oldest = this.#permitted.at(-partOf(this.#limit, this.#parts()));
    if (oldest === undefined) return 0;
    return oldest + this.#limit.span - this.#now();
  }
}
