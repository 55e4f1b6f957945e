import { createHash } from 'node:crypto';
import { CodedError } from '../../errors/coded-error';
import { type RememberedId, rememberedId } from '../../events/build-event';
import { inSteps } from '../../state/in-steps';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import { losslessText } from '../../values/fields';
import type { FlowAnswer } from '../endpoint/flow-reply';
import type {
  AcceptedDelivery,
  DeliveryJournal,
  HandOver,
  PendingDelivery,
  Remembered
} from './delivery-journal';

/** How long an accepted delivery is remembered. Retries of all products end well before. */
export const REMEMBERED_MS = 24 * 60 * 60 * 1000;

/** How long an accepted delivery waits for its node, which may be disabled or deleted meanwhile. */
const PENDING_MS = 7 * 24 * 60 * 60 * 1000;

interface Identity {
  at: number;
  answer: FlowAnswer | null;
}

/** `kind` tells what is not an id from every id. */
type IdentityKey = [scope: string, id: string] | [scope: string, kind: number, hash: string];
type PendingKey = [scope: string, receivedAt: number, sequence: number];

/**
 * The journal on disk. An accepted delivery is durable before it is answered; until it is handed over
 * it stays listed, and its node finds it again after a crash, a restart or a redeploy.
 */
export class LmdbJournal implements DeliveryJournal {
  readonly #database: StateDatabase;
  readonly #now: () => number;
  readonly #identities: StateCollection<Identity>;
  readonly #pending: StateCollection<AcceptedDelivery>;
  /** Distinguishes deliveries of one millisecond; a restart begins again at another one. */
  #sequence = 0;
  /** Keys of pending deliveries that somebody in this process is about to hand over. */
  readonly #underWay = new Set<string>();

  constructor(database: StateDatabase, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
    this.#identities = database.collection('delivery-identities');
    this.#pending = database.collection('deliveries-pending');
  }

  find(scope: string, id: RememberedId): Remembered | undefined {
    const known = this.#identities.get(identityKey(scope, id)) ?? this.#formerly(scope, id);
    return known !== undefined && this.#now() - known.at < REMEMBERED_MS
      ? { answer: known.answer }
      : undefined;
  }

  async accept(delivery: AcceptedDelivery): Promise<HandOver> {
    this.#sequence += 1;
    const key: PendingKey = [delivery.scope, delivery.receivedAt, this.#sequence];
    // The entry can be read before its promise resolves; until then it is nobody else's.
    const handOver = this.#take(key);
    try {
      await this.#record([
        this.#pending.putting(key, delivery),
        this.#identities.putting(identityKey(delivery.scope, rememberedId(delivery)), {
          at: this.#now(),
          answer: null
        })
      ]);
    } catch (error) {
      handOver.done();
      throw error;
    }
    return handOver;
  }

  async remember(scope: string, id: RememberedId, answer: FlowAnswer | null): Promise<void> {
    await this.#record([this.#identities.putting(identityKey(scope, id), { at: this.#now(), answer })]);
  }

  *pending(scope: string): Iterable<PendingDelivery> {
    const span = { start: [scope], end: [scope, Number.MAX_VALUE] };
    for (const { key, value } of this.#pending.range(span)) {
      if (this.#underWay.has(String(key))) continue;
      const delivery: AcceptedDelivery = { ...value, rawBody: Buffer.from(value.rawBody) };
      yield { delivery, ...this.#take(key as PendingKey) };
    }
  }

  written(): Promise<void> {
    return this.#database.written();
  }

  /** Forgets the identities that are too old, in small steps. Resolves when through. */
  async forgetIdentities(): Promise<void> {
    const now = this.#now();
    await sweepCollection(this.#identities, (identity) => now - identity.at >= REMEMBERED_MS);
  }

  /**
   * As `forgetIdentities`, for deliveries whose node does not come back. Not before the nodes that are there
   * had their time to take theirs: a machine may have been off for longer than a delivery waits.
   */
  async forgetPending(): Promise<void> {
    const now = this.#now();
    await sweepCollection(this.#pending, (delivery) => now - delivery.receivedAt >= PENDING_MS);
  }

  #formerly(scope: string, id: RememberedId): Identity | undefined {
    const key = formerKey(scope, id);
    return key === null ? undefined : this.#identities.get(key);
  }

  async #record(changes: readonly StateChange[]): Promise<void> {
    try {
      await this.#database.commit(changes);
    } catch (cause) {
      if (cause instanceof CodedError) throw cause;
      throw new CodedError('NOT_RECORDED', 'The state database did not take a delivery.', {
        cause,
        retryable: true
      });
    }
  }

  #take(key: PendingKey): HandOver {
    const name = String(key);
    this.#underWay.add(name);
    return {
      done: () => {
        // When the disk does not take it the delivery comes again after the next start: twice, not never.
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

/** Characters of an id that is its own key; longer ones, which a key could not hold, are hashed. */
const LONGEST_PLAIN_ID = 100;

/** What the database spells in different ways in short and in long keys, so that two ids could have one. */
const SPECIAL = /\p{Cc}/u;

/** How former versions spelled what is no id. An id that is spelled so is hashed. */
const FORMERLY_NO_ID = /^(?:partial .*|[\w-]{43})$/su;

const HASHED = 0;
const PARTIAL = 1;

function identityKey(scope: string, id: RememberedId): IdentityKey {
  if (typeof id !== 'string') return [scope, PARTIAL, hashOf(losslessText(id.partial))];
  const text = losslessText(id);
  return isPlain(text) && !FORMERLY_NO_ID.test(text) ? [scope, text] : [scope, HASHED, hashOf(text)];
}

/** Where a former version may have remembered it: hashes and texts of its own making lay among the ids. */
function formerKey(scope: string, id: RememberedId): IdentityKey | null {
  if (typeof id === 'string') {
    const text = losslessText(id);
    return isPlain(text) ? null : [scope, hashOf(text)];
  }
  const text = losslessText(`partial ${id.partial}`);
  return [scope, isPlain(text) ? text : hashOf(text)];
}

function isPlain(text: string): boolean {
  return text.length <= LONGEST_PLAIN_ID && !SPECIAL.test(text);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

async function sweepCollection<Value>(
  collection: StateCollection<Value>,
  isOld: (value: Value) => boolean
): Promise<void> {
  for await (const step of inSteps(collection)) {
    const old = step.filter(({ value }) => isOld(value));
    await Promise.allSettled(old.map(({ key }) => collection.remove(key)));
  }
}
