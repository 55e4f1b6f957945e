import { sweepCollection } from '../../state/in-steps';
import type { StateCollection, StateDatabase } from '../../state/state-database';
import type { AcceptedDelivery, HandOver, PendingDelivery } from './delivery-journal';

/** How long a delivery waits for its node. */
const PENDING_MS = 7 * 24 * 60 * 60 * 1000;

type PendingKey = [scope: string, receivedAt: number, sequence: number];

/** As versions before 0.2 kept it. */
type FormerDelivery = Omit<AcceptedDelivery, 'provider' | 'eventType' | 'proof'>;

/** Deliveries that a version without the delivery log accepted and did not hand over. They are in the database. */
export class FormerDeliveries {
  readonly #database: StateDatabase;
  readonly #now: () => number;
  readonly #pending: StateCollection<FormerDelivery>;
  readonly #underWay = new Set<string>();

  constructor(database: StateDatabase, now: () => number) {
    this.#database = database;
    this.#now = now;
    this.#pending = database.collection('deliveries-pending');
  }

  /** As `DeliveryJournal.pending`. */
  *pending(scope: string): Iterable<PendingDelivery> {
    const span = { start: [scope], end: [scope, Number.MAX_VALUE] };
    for (const { key, value } of this.#pending.range(span)) {
      if (this.#underWay.has(String(key))) continue;
      yield { delivery: { ...value, rawBody: Buffer.from(value.rawBody) }, ...this.#take(key as PendingKey) };
    }
  }

  /** Forgets those whose node does not come back. */
  async forget(): Promise<void> {
    const now = this.#now();
    await sweepCollection(this.#pending, (delivery) => now - delivery.receivedAt >= PENDING_MS);
  }

  #take(key: PendingKey): HandOver {
    const name = String(key);
    this.#underWay.add(name);
    return {
      name,
      done: () => {
        // If this cannot be written, the delivery is repeated after the next start: better twice than never.
        this.#database
          .commitSoon([this.#pending.removing(key)])
          .catch(() => undefined)
          .finally(() => this.#underWay.delete(name));
      },
      leave: () => {
        this.#underWay.delete(name);
      }
    };
  }
}
