import type { Refusal } from '../../src/receiving/refusal';

/** Milliseconds between two warnings; a flood of forged deliveries must not become a flood of log lines. */
const INTERVAL_MS = 1000;

/** Says in the log why deliveries are refused, at most once a second. */
export class RefusalWarnings {
  #last = -Infinity;
  #unsaid = 0;

  constructor(
    private readonly warn: (text: string) => void,
    private readonly now: () => number = Date.now
  ) {}

  add(refusal: Refusal): void {
    if (this.now() - this.#last < INTERVAL_MS) {
      this.#unsaid += 1;
      return;
    }
    const more = this.#unsaid === 0 ? '' : ` (${this.#unsaid} more since the last warning)`;
    this.#last = this.now();
    this.#unsaid = 0;
    this.warn(`Delivery refused with ${refusal.status}, ${refusal.code}: ${refusal.message}${more}`);
  }
}
