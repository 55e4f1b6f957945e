import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { open, type Database, type Key, type RootDatabase } from 'lmdb';
import { GroupCommit, type StateChange } from './group-commit';

export type { StateChange } from './group-commit';
export type { Key } from 'lmdb';

/** Named collections that one environment may hold. */
export const MAX_COLLECTIONS = 16;

/** Where in its directory the environment lies. */
export const ENVIRONMENT = 'state';

export interface KeyRange {
  start?: Key;
  end?: Key;
  limit?: number;
}

/** One named collection of the state: ordered keys, values of one shape. */
export interface StateCollection<Value> {
  get(key: Key): Value | undefined;
  /** Durable when resolved. Rejects when the disk did not take it; the state is then as before. */
  put(key: Key, value: Value): Promise<void>;
  /** As `put`. */
  remove(key: Key): Promise<void>;
  /** As `put`, as a part of a commit. */
  putting(key: Key, value: Value): StateChange;
  /** As `remove`, as a part of a commit. */
  removing(key: Key): StateChange;
  /** Entries in the order of their keys, from `start` (included) to `end` (excluded). */
  range(span: KeyRange): Iterable<{ key: Key; value: Value }>;
  /** As `range`, without reading the values. */
  keys(span: KeyRange): Iterable<Key>;
  /** @param span default: everything */
  count(span?: KeyRange): number;
}

/**
 * The state of one Node-RED in one LMDB environment: what was accepted, what is still to do, what is
 * stored. Reads are memory-mapped and take microseconds; writes are synced to disk before their promise
 * resolves, many of them with one sync.
 */
export class StateDatabase {
  readonly #root: RootDatabase;
  readonly #commits = new GroupCommit((changes) =>
    this.#root.batch(() => {
      for (const change of changes) change.apply();
    })
  );

  /**
   * @param directory made when missing; only the user who runs Node-RED may look into it, because it
   *   holds signed links
   * @throws an error of the file system or of LMDB when the directory cannot be written
   */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    keepToOwner(directory);
    this.#root = open({
      path: path.join(directory, ENVIRONMENT),
      maxDbs: MAX_COLLECTIONS,
      // A promise that resolves before the sync would make "accepted" a guess.
      overlappingSync: false,
      // With batching by turn, a failed commit rejects a promise inside the library that nobody can
      // handle, and an unhandled rejection ends Node-RED. Writes are grouped all the same.
      eventTurnBatching: false
    });
  }

  collection<Value>(name: string): StateCollection<Value> {
    return new LmdbCollection<Value>(this.#root.openDB<Value>({ name }), this.#commits);
  }

  /**
   * Makes several changes, of any collections: all of them or none. Durable when resolved. Rejects when
   * the disk did not take them.
   */
  commit(changes: readonly StateChange[]): Promise<void> {
    return this.#commits.add(changes);
  }

  /** As `commit`, for what may be lost in a crash: goes along with the next changes, or soon by itself. */
  commitSoon(changes: readonly StateChange[]): Promise<void> {
    return this.#commits.addSoon(changes);
  }

  /** Resolves when everything asked for so far is on disk or was rejected, also what can wait: reads see it then. */
  written(): Promise<void> {
    return this.#commits.written();
  }

  /** Waits for what is being written and closes. */
  async close(): Promise<void> {
    await this.#commits.finish();
    await this.#root.close();
  }
}

class LmdbCollection<Value> implements StateCollection<Value> {
  constructor(
    private readonly database: Database<Value>,
    private readonly commits: GroupCommit
  ) {}

  get(key: Key): Value | undefined {
    return this.database.get(key);
  }

  put(key: Key, value: Value): Promise<void> {
    return this.commits.add([this.putting(key, value)]);
  }

  remove(key: Key): Promise<void> {
    return this.commits.add([this.removing(key)]);
  }

  putting(key: Key, value: Value): StateChange {
    // Inside a batch the library resolves at once; the batch itself tells how it went.
    return { apply: () => void this.database.put(key, value) };
  }

  removing(key: Key): StateChange {
    return { apply: () => void this.database.remove(key) };
  }

  range(span: KeyRange): Iterable<{ key: Key; value: Value }> {
    return this.database.getRange(span);
  }

  keys(span: KeyRange): Iterable<Key> {
    return this.database.getKeys(span);
  }

  count(span: KeyRange = {}): number {
    return this.database.getKeysCount(span);
  }
}

/** For a directory that was there before, perhaps open to everybody. */
function keepToOwner(directory: string): void {
  try {
    chmodSync(directory, 0o700);
  } catch {
    // Of another owner, or on a file system without permissions: not ours to change.
  }
}
