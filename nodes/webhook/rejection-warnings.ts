import type { Rejection } from '../../src/webhook/endpoint/rejection';

/** Milliseconds between two warnings; a flood of forged deliveries must not become a flood of log lines. */
const INTERVAL_MS = 1000;

/** Logs why deliveries are rejected, at most once a second; the others are summed up in the next line. */
export class RejectionWarnings {
  readonly #warn: (text: string, code: string) => void;
  readonly #now: () => number;
  #last = -Infinity;
  #unsaid: { latest: Rejection; count: number } | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds of a monotonic clock */
  constructor(warn: (text: string, code: string) => void, now: () => number = () => performance.now()) {
    this.#warn = warn;
    this.#now = now;
  }

  add(rejection: Rejection): void {
    this.#unsaid = { latest: rejection, count: (this.#unsaid?.count ?? 0) + 1 };
    if (this.#timer !== undefined) return;
    const wait = this.#last + INTERVAL_MS - this.#now();
    if (wait <= 0) {
      this.#say();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#say();
    }, wait);
    this.#timer.unref();
  }

  /** Logs the rest and stops the timer. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#say();
  }

  #say(): void {
    if (this.#unsaid === null) return;
    const { latest, count } = this.#unsaid;
    this.#unsaid = null;
    this.#last = this.#now();
    const more = count === 1 ? '' : ` (the last of ${count})`;
    const { code, status, message } = latest;
    this.#warn(`Delivery refused with ${status}, ${code}${more}: ${message}`, code);
  }
}
