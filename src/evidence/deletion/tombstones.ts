import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';

/** Which file: hashes of its identity and destination as the index has them, and the format under which it was wanted. */
export type DeletedKey = [recording: string, destination: string, wantedFormat: string];

/** Why a file was deleted: its time was over, or somebody asked for it. */
export type DeletionReason = 'expired' | 'erased';

/** What is left of a file that was deleted. Nothing in it tells of a person. Times are ISO 8601 UTC. */
export interface Tombstone {
  stored_at: string;
  deleted_at: string;
  reason: DeletionReason;
  /** Name of the policy, or null. */
  policy: string | null;
  bytes: number;
  /** Of the line in the custody log of the Node-RED that deleted the file. */
  seq: number;
}

/** What was deleted: kept for good, so that it does not come back from a provider's list or a backup. */
export class Tombstones {
  /** By `DeletedKey`. */
  readonly stones: StateCollection<Tombstone>;

  constructor(database: Pick<StateDatabase, 'collection'>) {
    this.stones = database.collection('tombstones');
  }

  get(key: DeletedKey): Tombstone | undefined {
    return this.stones.get(key);
  }

  /** Whether a file of a recording was deleted, wherever it was. @param recording hash of its identity */
  has(recording: string): boolean {
    return [...this.stones.keys({ start: [recording], end: [recording, AFTER_ALL], limit: 1 })].length > 0;
  }

  /** What is left of this very copy, wherever it was: another copy was stored at another moment. */
  ofCopy(recording: string, { stored_at, bytes }: Pick<Tombstone, 'stored_at' | 'bytes'>): Tombstone[] {
    const found = [...this.stones.range({ start: [recording], end: [recording, AFTER_ALL] })];
    return found
      .map(({ value }) => value)
      .filter((stone) => stone.stored_at === stored_at && stone.bytes === bytes);
  }

  /** Some of them, in the order of their keys, which is the same in every process. @param after a key; null: from the beginning */
  following(after: DeletedKey | null, most: number): { key: DeletedKey; tombstone: Tombstone }[] {
    const span = after === null ? { limit: most } : { start: [...after, ''], limit: most };
    return [...this.stones.range(span)].map(({ key, value }) => ({
      key: key as DeletedKey,
      tombstone: value
    }));
  }

  count(): number {
    return this.stones.count();
  }

  putting(key: DeletedKey, stone: Tombstone): StateChange {
    return this.stones.putting(key, stone);
  }
}

const AFTER_ALL = '\u{10ffff}';
