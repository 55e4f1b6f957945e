import type { FlowAnswer } from './flow-reply';
import type { DeliveryJournal, RememberedId } from '../journal/delivery-journal';

/** How a copy of a delivery ended, for the copies that wait for it or come later. */
export type CopyOutcome =
  | { accepted: true; answer: FlowAnswer | null }
  | { accepted: false; status: number; answer: FlowAnswer | null };

/**
 * Knows which deliveries are copies of one another. Only an accepted delivery is remembered, so that a
 * failed attempt never eats its retry; a copy that comes while the first is under way waits for it.
 */
export class Deduplicator {
  readonly #journal: Pick<DeliveryJournal, 'find'>;
  readonly #scope: string;
  readonly #running = new Map<string, Promise<CopyOutcome>>();

  /** @param scope node id: two nodes remember apart */
  constructor(journal: Pick<DeliveryJournal, 'find'>, scope: string) {
    this.#journal = journal;
    this.#scope = scope;
  }

  /**
   * How an earlier copy ended or is going to end; undefined when there was none, or all of them failed.
   *
   * @throws CodedError `NOT_RECORDED` when the memory cannot be read
   */
  earlier(id: RememberedId): CopyOutcome | Promise<CopyOutcome> | undefined {
    const running = this.#running.get(textOf(id));
    if (running !== undefined) return running;
    const remembered = this.#journal.find(this.#scope, id);
    return remembered && { accepted: true, answer: remembered.answer };
  }

  /** Works on the first copy of a delivery; others wait for its outcome meanwhile. */
  async first(id: RememberedId, work: () => Promise<CopyOutcome>): Promise<void> {
    const outcome = work();
    this.#running.set(textOf(id), outcome);
    await outcome.finally(() => this.#running.delete(textOf(id)));
  }

  /** Whether a first copy is under way. */
  isUnderWay(id: RememberedId): boolean {
    return this.#running.has(textOf(id));
  }

  /** Resolves when all first copies that are under way have ended, well or not. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }
}

function textOf(id: RememberedId): string {
  return typeof id === 'string' ? `=${id}` : `?${id.partial}`;
}
