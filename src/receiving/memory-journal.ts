import type { FlowAnswer } from './flow-reply';
import type { AcceptedDelivery, DeliveryJournal, HandOver, Remembered } from './journal';

/** How long an accepted delivery is remembered. Retries of all products end well before. */
export const REMEMBERED_MS = 24 * 60 * 60 * 1000;

/** Remembers accepted deliveries as long as the process runs. */
export class MemoryJournal implements DeliveryJournal {
  /** In order of acceptance, so that the oldest come first. */
  readonly #accepted = new Map<string, Remembered & { at: number }>();

  constructor(private readonly now: () => number = Date.now) {}

  find(scope: string, id: string): Remembered | undefined {
    this.#forget();
    return this.#accepted.get(`${scope} ${id}`);
  }

  accept(delivery: AcceptedDelivery): Promise<HandOver> {
    this.#note(delivery.scope, delivery.id, null);
    return Promise.resolve({ done: () => undefined, leave: () => undefined });
  }

  remember(scope: string, id: string, answer: FlowAnswer): Promise<void> {
    this.#note(scope, id, answer);
    return Promise.resolve();
  }

  pending(): [] {
    return [];
  }

  #note(scope: string, id: string, answer: FlowAnswer | null): void {
    this.#accepted.set(`${scope} ${id}`, { answer, at: this.now() });
  }

  #forget(): void {
    const oldest = this.now() - REMEMBERED_MS;
    for (const [key, { at }] of this.#accepted) {
      if (at > oldest) return;
      this.#accepted.delete(key);
    }
  }
}
