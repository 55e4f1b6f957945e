import { createHash } from 'node:crypto';
import type { RememberedId } from '../../events/build-event';
import { inSteps, sweepCollection } from '../../state/in-steps';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import { losslessText } from '../../values/fields';
import type { CopyOutcome, FlowAnswer } from '../endpoint/flow-reply';
import type { Claim, Claimed, Identities } from './identities';

/** How long an accepted delivery is remembered. Retries of all products end well before. */
export const REMEMBERED_MS = 24 * 60 * 60 * 1000;

/** What is remembered of an accepted delivery: the flow's answer, if it gave one worth repeating. */
export interface Remembered {
  answer: FlowAnswer | null;
}

/** What the journal remembers of what it has recorded. */
export interface IdentityMemory {
  /** Whether a delivery was accepted within the last 24 hours. @throws as `Identities` */
  find(scope: string, id: RememberedId): Remembered | undefined;
  /** Remembers a delivery without keeping it. Durable when resolved. */
  remember(scope: string, id: RememberedId, answer: FlowAnswer | null): Promise<void>;
}

/** The claims of one process. What it has accepted is remembered by its journal, which may have to read it again. */
export class LocalIdentities implements Identities {
  readonly #memory: IdentityMemory;
  readonly #underWay = new Map<string, LocalClaim>();

  constructor(memory: IdentityMemory) {
    this.#memory = memory;
  }

  claim(scope: string, id: RememberedId): Claim {
    const name = claimName(scope, id);
    const running = this.#underWay.get(name);
    if (running !== undefined) return { kind: 'elsewhere', outcome: running.outcome() };
    const remembered = this.#memory.find(scope, id);
    if (remembered !== undefined) return { kind: 'accepted', answer: remembered.answer };
    return new LocalClaim(this.#underWay, name);
  }

  /** Nobody else could have accepted it. */
  reclaim(): boolean {
    return true;
  }

  async find(scope: string, id: RememberedId): Promise<'accepted' | 'under-way' | 'unknown'> {
    if (this.#underWay.has(claimName(scope, id))) return Promise.resolve('under-way');
    return Promise.resolve(this.#memory.find(scope, id) === undefined ? 'unknown' : 'accepted');
  }

  remember(scope: string, id: RememberedId, answer: FlowAnswer | null): Promise<void> {
    return this.#memory.remember(scope, id, answer);
  }
}

class LocalClaim implements Claimed {
  readonly kind = 'mine';
  readonly #underWay: Map<string, LocalClaim>;
  readonly #name: string;
  /** Made only when another copy waits, which is seldom. */
  #outcome: Promise<CopyOutcome> | undefined;
  #tell: (outcome: CopyOutcome) => void = () => undefined;

  constructor(underWay: Map<string, LocalClaim>, name: string) {
    this.#underWay = underWay;
    this.#name = name;
    underWay.set(name, this);
  }

  outcome(): Promise<CopyOutcome> {
    this.#outcome ??= new Promise((resolve) => (this.#tell = resolve));
    return this.#outcome;
  }

  end(outcome: CopyOutcome): void {
    if (this.#underWay.get(this.#name) !== this) return;
    this.#underWay.delete(this.#name);
    this.#tell(outcome);
  }
}

function claimName(scope: string, id: RememberedId): string {
  return typeof id === 'string' ? `${scope}=${id}` : `${scope}?${id.partial}`;
}

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

/** A remembered delivery, for those who tell others of it. */
export interface KnownIdentity extends Remembered {
  /** As `identityName`. */
  name: string;
  /** When it was accepted, milliseconds since 1970. */
  at: number;
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

  /** Those that the database has and that were accepted since then, in small steps. */
  async *since(at: number): AsyncGenerator<readonly KnownIdentity[]> {
    const earliest = Math.max(at, this.#now() - REMEMBERED_MS + 1);
    for await (const step of inSteps(this.#collection)) {
      const wanted = step.filter(({ value }) => value.at >= earliest);
      yield wanted.map(({ key, value }) => ({ ...value, name: nameOf(key as IdentityKey) }));
    }
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

/** One text for an identity, the same everywhere and unlike that of any other. */
export function identityName(scope: string, id: RememberedId): string {
  return nameOf(identityKey(scope, id));
}

/** Unique, because a key that is its own text contains no control characters. */
function nameOf(key: IdentityKey): string {
  return key.length === 2 ? `${key[0]}\0${key[1]}` : key.join('\0');
}

/** Characters of an id that serves as its own key; longer ones, which may not fit a key, are hashed. */
const LONGEST_PLAIN_ID = 100;

/** Characters that the database encodes differently in short and long keys, so that two ids could collide. */
const SPECIAL = /\p{Cc}/u;

/** Ids that the rules below leave as they are, such as UUIDs: almost all. One look instead of four. */
const ORDINARY = /^[\w-]{1,42}$/;

/** How former versions spelled keys that are not ids. An id that looks like one is hashed. */
const FORMERLY_NO_ID = /^(?:partial .*|[\w-]{43})$/su;

const HASHED = 0;
const PARTIAL = 1;

function identityKey(scope: string, id: RememberedId): IdentityKey {
  if (typeof id !== 'string') return [scope, PARTIAL, hashOf(losslessText(id.partial))];
  if (ORDINARY.test(id)) return [scope, id];
  const text = losslessText(id);
  return isPlain(text) && !FORMERLY_NO_ID.test(text) ? [scope, text] : [scope, HASHED, hashOf(text)];
}

/** Where a former version may have remembered it: its hashes and `partial` keys were stored among the ids. */
function formerKey(scope: string, id: RememberedId): IdentityKey | null {
  if (typeof id === 'string') {
    if (ORDINARY.test(id)) return null;
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
