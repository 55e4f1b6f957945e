import { sweepCollection } from '../../state/in-steps';
import type { StateCollection, StateDatabase } from '../../state/state-database';
import type { AcceptedDelivery, HandOver, PendingDelivery } from './delivery-journal';

type PendingKey = [scope: string, receivedAt: number, sequence: number];

/** As versions before 0.2 kept it. */
type FormerDelivery = Omit<AcceptedDelivery, 'provider' | 'eventType' | 'proof'>;

/** Deliveries that a version without the delivery log accepted and did not hand over. They are in the database. */
export class FormerDeliveries {
  readonly #database: StateDatabase;
  readonly #pending: StateCollection<FormerDelivery>;
  readonly #underWay = new Set<string>();

  constructor(database: StateDatabase) {
    this.#database = database;
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

  /** Forgets those whose node does not come back. @param before milliseconds since 1970 */
  async forget(before: number): Promise<void> {
    await sweepCollection(this.#pending, (delivery) => delivery.receivedAt <= before);
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
