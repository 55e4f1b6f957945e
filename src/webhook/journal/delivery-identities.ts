import { createHash } from 'node:crypto';
import type { RememberedId } from '../../events/build-event';
import { sweepCollection } from '../../state/in-steps';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import { losslessText } from '../../values/fields';
import type { FlowAnswer } from '../endpoint/flow-reply';
import type { Remembered } from './delivery-journal';

/** How long an accepted delivery is remembered. Retries of all products end well before. */
export const REMEMBERED_MS = 24 * 60 * 60 * 1000;

interface Identity {
  at: number;
  answer: FlowAnswer | null;
}

/** `kind` distinguishes what is not an id from all ids. */
type IdentityKey = [scope: string, id: string] | [scope: string, kind: number, hash: string];
/** What was accepted since the database was last updated. */
export interface RecentIdentity {
  name: string;
  identity: Identity;
  change: StateChange;
}

/** Which deliveries were accepted within the last 24 hours. The most recent ones are only in memory. */
export class DeliveryIdentities {
  readonly #now: () => number;
  readonly #collection: StateCollection<Identity>;
  readonly #recent = new Map<string, { key: IdentityKey; identity: Identity }>();

  constructor(database: StateDatabase, now: () => number) {
    this.#now = now;
    this.#collection = database.collection('delivery-identities');
  }

  find(scope: string, id: RememberedId): Remembered | undefined {
    const key = identityKey(scope, id);
    const known =
      this.#recent.get(nameOf(key))?.identity ?? this.#collection.get(key) ?? this.#formerly(scope, id);
    return known !== undefined && this.#now() - known.at < REMEMBERED_MS
      ? { answer: known.answer }
      : undefined;
  }

  /** @param at when it was accepted, milliseconds since 1970 */
  add(scope: string, id: RememberedId, answer: FlowAnswer | null, at = this.#now()): void {
    const key = identityKey(scope, id);
    this.#recent.set(nameOf(key), { key, identity: { at, answer } });
  }

  /** The change that puts one directly into the database. */
  putting(scope: string, id: RememberedId, answer: FlowAnswer | null): StateChange {
    return this.#collection.putting(identityKey(scope, id), { at: this.#now(), answer });
  }

  /** How many the database does not have yet. */
  get unsaved(): number {
    return this.#recent.size;
  }

  /** Those that the database does not have yet, in the order of its pages. */
  recent(): RecentIdentity[] {
    return [...this.#recent]
      .map(([name, { key, identity }]) => ({
        name,
        identity,
        change: this.#collection.putting(key, identity)
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The database has them now. */
  saved(those: readonly RecentIdentity[]): void {
    for (const { name, identity } of those)
      if (this.#recent.get(name)?.identity === identity) this.#recent.delete(name);
  }

  /** Forgets those that are too old, in small steps. Resolves when done. */
  async forget(): Promise<void> {
    const now = this.#now();
    await sweepCollection(this.#collection, (identity) => now - identity.at >= REMEMBERED_MS);
  }

  #formerly(scope: string, id: RememberedId): Identity | undefined {
    const key = formerKey(scope, id);
    return key === null ? undefined : this.#collection.get(key);
  }
}

/** Unique, because a key that is its own text contains no control characters. */
function nameOf(key: IdentityKey): string {
  return key.join('\0');
}

/** Characters of an id that serves as its own key; longer ones, which may not fit a key, are hashed. */
const LONGEST_PLAIN_ID = 100;

/** Characters that the database encodes differently in short and long keys, so that two ids could collide. */
const SPECIAL = /\p{Cc}/u;

/** How former versions spelled keys that are not ids. An id that looks like one is hashed. */
const FORMERLY_NO_ID = /^(?:partial .*|[\w-]{43})$/su;

const HASHED = 0;
const PARTIAL = 1;

function identityKey(scope: string, id: RememberedId): IdentityKey {
  if (typeof id !== 'string') return [scope, PARTIAL, hashOf(losslessText(id.partial))];
  const text = losslessText(id);
  return isPlain(text) && !FORMERLY_NO_ID.test(text) ? [scope, text] : [scope, HASHED, hashOf(text)];
}

/** Where a former version may have remembered it: its hashes and `partial` keys were stored among the ids. */
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
