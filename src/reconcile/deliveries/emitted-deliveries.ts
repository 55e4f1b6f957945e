import { createHash } from 'node:crypto';
import { sweepCollection } from '../../state/in-steps';
import type { StateCollection, StateDatabase } from '../../state/state-database';
import { losslessText } from '../../values/fields';

/** How long fetched events are remembered: a list may reach back further than webhook nodes remember. */
const REMEMBERED_MS = 30 * 24 * 60 * 60 * 1000;

/** Remembers which events the delivery lists have handed to the flow. */
export class EmittedDeliveries {
  readonly #entries: StateCollection<number>;
  readonly #now: () => number;
  readonly #claimed = new Set<string>();

  /** @param now milliseconds since 1970 */
  constructor(database: Pick<StateDatabase, 'collection'>, now: () => number = Date.now) {
    this.#entries = database.collection('deliveries-fetched');
    this.#now = now;
  }

  /** Whether it was handed over, or is about to be. */
  has(id: string): boolean {
    if (this.#claimed.has(id)) return true;
    const at = this.#entries.get(keyOf(id));
    return at !== undefined && this.#now() - at < REMEMBERED_MS;
  }

  /** Durable when resolved. */
  async add(id: string): Promise<void> {
    await this.#entries.put(keyOf(id), this.#now());
  }

  /**
   * Claims an event that is about to be handed over, because two lists may find it at the same moment.
   *
   * @returns a function that ends the claim
   */
  claim(id: string): () => void {
    this.#claimed.add(id);
    return () => this.#claimed.delete(id);
  }

  /** Removes what is too old, in small steps. Resolves when done. */
  async sweep(): Promise<void> {
    const now = this.#now();
    await sweepCollection(this.#entries, (at) => now - at >= REMEMBERED_MS);
  }
}

/** Ids may be longer than a key can be. */
function keyOf(id: string): string {
  return createHash('sha256').update(losslessText(id)).digest('base64url');
}
