import { setMaxListeners } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as timer } from 'node:timers/promises';

/** No header may silence a client for longer. */
const LONGEST_WINDOW_MS = 60_000;
/** `x-ratelimit-reset` is rounded up to whole seconds: two of them may name the same moment. */
const ROUNDING_MS = 1000;

/**
 * Keeps requests within the limit that the server itself tells with each answer (Telnyx "Rate limiting":
 * `x-ratelimit-limit`, `-remaining`, and `-reset` in seconds), so that it never has to refuse one. Until the
 * first answer there is one request at a time; a server that tells nothing is not slowed down.
 *
 * One pace belongs to one account and is shared by all that ask its API.
 */
export class ServerPace {
  #limit: number | null = null;
  /** Requests that may still be made until `#until`. */
  #left = 0;
  /** Milliseconds since 1970. */
  #until = 0;
  #span = ROUNDING_MS;
  /** Whether the window was begun here, and no answer has told yet when it ends. */
  #isGuess = false;
  #inFlight = 0;
  #answered = false;
  #firstAnswer: Promise<void> = Promise.resolve();
  #tellFirst: () => void = () => undefined;

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Resolves when a request may be made; `ended` is to be called after each one.
   *
   * @throws `signal.reason` when aborted
   */
  async turn(signal: AbortSignal): Promise<void> {
    // Many may wait, all for the same signal.
    setMaxListeners(0, signal);
    for (;;) {
      signal.throwIfAborted();
      if (!this.#answered && this.#inFlight > 0) {
        await aborted(this.#firstAnswer, signal);
        continue;
      }
      const wait = this.#wait();
      if (wait <= 0) break;
      await timer(wait, undefined, { signal }).catch(() => undefined);
    }
    if (!this.#answered) this.#firstAnswer = new Promise((resolve) => (this.#tellFirst = resolve));
    this.#inFlight += 1;
    this.#left -= 1;
  }

  /** A request was answered. @param headers of the answer, also of a refusal */
  answered(headers: IncomingHttpHeaders): void {
    this.#answered = true;
    const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
      count(headers[`x-ratelimit-${name}`])
    );
    if (limit == null || remaining == null || reset == null || limit < 1) return;
    const span = Math.min(reset * 1000, LONGEST_WINDOW_MS);
    const now = this.now();
    const isNew = this.#limit === null || now >= this.#until || now + span > this.#until + ROUNDING_MS;
    // Requests under way were taken off already; the server may not have counted them yet.
    this.#left = isNew ? remaining - (this.#inFlight - 1) : Math.min(this.#left, remaining);
    // The server began its window when the first request arrived there, later than it was sent.
    if (isNew) this.#until = now + span;
    else if (this.#isGuess) this.#until = Math.max(this.#until, now + span);
    this.#isGuess = false;
    this.#limit = limit;
    this.#span = Math.max(span, isNew ? 0 : this.#span);
  }

  /** A request is over, answered or not. */
  ended(): void {
    this.#inFlight -= 1;
    this.#tellFirst();
  }

  /** Milliseconds until the next request may be made. */
  #wait(): number {
    if (this.#limit === null) return 0;
    const now = this.now();
    if (now >= this.#until) {
      this.#until = now + this.#span;
      this.#left = this.#limit - this.#inFlight;
      this.#isGuess = true;
    }
    // With everything under way still unanswered, one more is not known to be permitted.
    return this.#left > 0 ? 0 : Math.max(1, this.#until - now);
  }
}

function count(value: string | string[] | undefined): number | null {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

/** Waits for a promise that never rejects, or for the signal. */
async function aborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  signal.addEventListener('abort', stop, { once: true });
  await Promise.race([promise, stopped]);
  signal.removeEventListener('abort', stop);
}
