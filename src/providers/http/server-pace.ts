import { setMaxListeners } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as timer } from 'node:timers/promises';
import { monotonicNow } from '../../clock/clocks';
import { type ApiPace, type PacedRequest, partOf } from './api-pace';

/** No header may silence a client for longer. */
const LONGEST_WINDOW_MS = 60_000;
/** `x-ratelimit-reset` is rounded up to whole seconds, so two different ones may name the same moment. */
const ROUNDING_MS = 1000;
/** How long others wait for the response to the first request. A slower server reports its limit too late. */
const FIRST_ANSWER_MS = 2000;

/**
 * Keeps requests within the limit that the server reports with each response (Telnyx "Rate limiting":
 * `x-ratelimit-limit`, `-remaining`, and `-reset` in seconds), so that it never has to reject one. Until the
 * first response, but at most for two seconds, it sends one request at a time; without a reported limit it does
 * not slow down requests.
 *
 * All users of an account's API share one pace. What several processes may ask is divided among them, window by window; what the
 * server says of the rest counts for all of them.
 */
export class ServerPace implements ApiPace {
  readonly #now: () => number;
  readonly #parts: () => number;
  #limit: number | null = null;
  /** Requests that may still be made until `#until`. */
  #left = 0;
  #until = 0;
  #span = ROUNDING_MS;
  /** Whether the window started here, and no response has reported its end yet. */
  #isGuess = false;
  #inFlight = 0;
  /** Among how many the limit was divided at the last request. */
  #shared = 1;
  /** Requests under way since before the window: the server has counted them in an earlier one, or never will. */
  #old = 0;
  /** Holds all others back while the first request is under way. */
  readonly #gate = new Gate(FIRST_ANSWER_MS);

  /**
   * @param now milliseconds of a monotonic clock
   * @param parts among how many processes the limit is divided; called for each request
   */
  constructor(now: () => number = monotonicNow, parts: () => number = () => 1) {
    this.#now = now;
    this.#parts = parts;
  }

  /**
   * Resolves when a request may be sent; call `ended` after each one.
   *
   * @throws `signal.reason` when aborted
   */
  async turn({ signal }: Pick<PacedRequest, 'signal'>): Promise<void> {
    // Many may wait with the same signal.
    setMaxListeners(0, signal);
    for (;;) {
      signal.throwIfAborted();
      if (this.#gate.isShut) {
        await aborted(this.#gate.opened, signal);
        continue;
      }
      const wait = this.#wait(this.#parts());
      if (wait <= 0) break;
      await timer(wait, undefined, { signal }).catch(() => undefined);
    }
    this.#gate.shut();
    this.#inFlight += 1;
    this.#left -= 1;
  }

  /** A request was answered. @param headers of the answer, even of a refusal */
  answered(headers: IncomingHttpHeaders): void {
    this.#gate.open();
    const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
      count(headers[`x-ratelimit-${name}`])
    );
    if (limit == null || remaining == null || reset == null || limit < 1) return;
    const span = Math.min(reset * 1000, LONGEST_WINDOW_MS);
    const now = this.#now();
    const isNew = this.#limit === null || now >= this.#until || now + span > this.#until + ROUNDING_MS;
    // Requests under way are already subtracted; the server may not have counted them yet.
    const uncounted = Math.max(0, this.#inFlight - 1 - this.#old);
    // The request that this answers was one of ours.
    const ours = this.#shared > 1 ? partOf({ requests: limit, span }, this.#shared) - 1 : remaining;
    this.#left = isNew ? Math.min(remaining, ours) - uncounted : Math.min(this.#left, remaining);
    if (isNew) this.#old = this.#inFlight - 1;
    // The server's window began when the first request arrived, which is later than it was sent.
    if (isNew) this.#until = now + span;
    else if (this.#isGuess) this.#until = Math.max(this.#until, now + span);
    this.#isGuess = false;
    this.#limit = limit;
    this.#span = Math.max(span, isNew ? 0 : this.#span);
  }

  /** A request is over, answered or not. */
  ended(): void {
    this.#inFlight -= 1;
    this.#old = Math.max(0, this.#old - 1);
    this.#gate.open();
  }

  /** Milliseconds until the next request may be made. */
  #wait(parts: number): number {
    this.#shared = parts;
    if (this.#limit === null) return 0;
    const now = this.#now();
    if (now >= this.#until) {
      this.#until = now + this.#span;
      this.#left = partOf({ requests: this.#limit, span: this.#span }, parts) - (this.#inFlight - this.#old);
      this.#old = this.#inFlight;
      this.#isGuess = true;
    }
    // While all requests under way are unanswered, it is unknown whether one more is permitted.
    return this.#left > 0 ? 0 : Math.max(1, this.#until - now);
  }
}

/** Is shut once, for a limited time; once open it stays open. */
class Gate {
  readonly #longestMs: number;
  #state: 'new' | 'shut' | 'open' = 'new';
  #tell: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly opened = new Promise<void>((resolve) => (this.#tell = resolve));

  /** @param longestMs milliseconds after which it opens by itself */
  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  get isShut(): boolean {
    return this.#state === 'shut';
  }

  shut(): void {
    if (this.#state !== 'new') return;
    this.#state = 'shut';
    this.#timer = setTimeout(() => this.open(), this.#longestMs);
  }

  open(): void {
    this.#state = 'open';
    clearTimeout(this.#timer);
    this.#tell();
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
