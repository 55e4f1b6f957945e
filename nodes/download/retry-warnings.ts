import type { TroubleChange } from '../../src/archive/queue/job-processor';
import { monotonicNow } from '../../src/clock/clocks';
import type { Trouble } from '../../src/errors/trouble';

const AGAIN_AFTER_MS = 60 * 60 * 1000;

/** Logs why recordings are retried: once for each trouble, and again when it returns or lasts for an hour. */
export class RetryWarnings {
  readonly #warn: (text: string, code: string) => void;
  readonly #now: () => number;
  /** How many jobs wait because of it. */
  readonly #waiting = new Map<Trouble, number>();
  readonly #saidAt = new Map<Trouble, number>();

  /** @param now milliseconds of a monotonic clock */
  constructor(warn: (text: string, code: string) => void, now: () => number = monotonicNow) {
    this.#warn = warn;
    this.#now = now;
  }

  add({ before, now }: TroubleChange): void {
    const trouble = now?.retry.trouble ?? null;
    if (trouble !== null && (trouble !== before || !this.#waiting.has(trouble))) this.#count(trouble, 1);
    if (before !== null && trouble !== before) this.#count(before, -1);
    if (now === null) return;
    const { retry, pauseMs, error } = now;
    const saidAt = this.#saidAt.get(retry.trouble);
    if (saidAt !== undefined && this.#now() - saidAt < AGAIN_AFTER_MS) return;
    this.#saidAt.set(retry.trouble, this.#now());
    const seconds = Math.ceil(pauseMs / 1000);
    this.#warn(
      `Not done yet, retry ${retry.attempt}/${retry.of} in ${seconds} s: ${error.message} ` +
        'While this lasts it is logged once an hour.',
      error.code
    );
  }

  /** A job may have met its trouble in an earlier process, so the count could go below zero. */
  #count(trouble: Trouble, change: 1 | -1): void {
    const count = (this.#waiting.get(trouble) ?? 0) + change;
    if (count > 0) this.#waiting.set(trouble, count);
    else {
      this.#waiting.delete(trouble);
      this.#saidAt.delete(trouble);
    }
  }
}
