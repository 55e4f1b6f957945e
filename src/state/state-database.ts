import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Database, Key } from 'lmdb';
import { Environment } from './environment';
import { GroupCommit, type StateChange } from './group-commit';
import { makePrivateDirectory } from './private-directory';

export type { StateChange } from './group-commit';
export type { Key } from 'lmdb';

/** Where in its directory the environment is. */
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

export interface StateOptions {
  /**
   * Called before and after each commit. Throws when the state belongs to another process; what the commit
   * asked for is then not accepted.
   */
  guard?: () => void;
  /** Told when the files of the state were removed, or replaced by others, and what came of that. */
  onMoved?: (what: 'restored' | 'replaced') => void;
}

/**
 * The state of one Node-RED in one LMDB environment: what was accepted, what is still to do, what is
 * stored. Reads are memory-mapped and take microseconds; writes are synced to disk before their promise
 * resolves, many of them with one sync.
 *
 * What resolved is in the file that has the name: when somebody removes the files of a running state, they
 * are rewritten from what is still open before anything else is accepted.
 */
export class StateDatabase {
  readonly #options: StateOptions;
  readonly #directory: string;
  #environment: Environment;
  readonly #commits = new GroupCommit((changes) => this.#transact(changes));

  /**
   * @param directory made when missing; only the user who runs Node-RED may look into it, because it
   *   holds signed links
   * @throws an error of the file system or of LMDB when the directory cannot be written
   */
  constructor(directory: string, options: StateOptions = {}) {
    this.#options = options;
    makePrivateDirectory(directory);
    keepToOwner(directory);
    this.#directory = directory;
    this.#environment = new Environment(path.join(directory, ENVIRONMENT));
  }

  collection<Value>(name: string): StateCollection<Value> {
    // All of its values are put by way of the collection, so they have its shape.
    const database = (): Database<Value> => this.#environment.database(name) as Database<Value>;
    database();
    return new LmdbCollection<Value>(database, this.#commits);
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

  /** Whether the files of the state are where they were. Takes microseconds. */
  isInPlace(): boolean {
    try {
      return this.#environment.place() === 'own';
    } catch {
      return false;
    }
  }

  /** Waits for what is being written and closes. */
  async close(): Promise<void> {
    await this.#commits.finish();
    await this.#environment.close();
  }

  async #transact(changes: readonly StateChange[]): Promise<void> {
    await this.#settle();
    if (changes.length === 0) return;
    await this.#environment.batch(() => {
      for (const change of changes) change.apply();
    });
    // Looked at again: what was written to a file without a name would be lost with the process.
    await this.#settle();
  }

  async #settle(): Promise<void> {
    this.#options.guard?.();
    const place = this.#environment.place();
    if (place === 'own') return;
    // The one that is open stays open: iterators may be under way in it.
    if (place === 'none') {
      makeAgain(this.#directory);
      this.#environment = await this.#environment.rewritten();
    } else this.#environment = new Environment(path.join(this.#directory, ENVIRONMENT));
    this.#options.onMoved?.(place === 'none' ? 'restored' : 'replaced');
  }
}

class LmdbCollection<Value> implements StateCollection<Value> {
  readonly #current: () => Database<Value>;
  readonly #commits: GroupCommit;

  /** @param current of the environment that is open now */
  constructor(current: () => Database<Value>, commits: GroupCommit) {
    this.#current = current;
    this.#commits = commits;
  }

  get(key: Key): Value | undefined {
    return this.#current().get(key);
  }

  put(key: Key, value: Value): Promise<void> {
    return this.#commits.add([this.putting(key, value)]);
  }

  remove(key: Key): Promise<void> {
    return this.#commits.add([this.removing(key)]);
  }

  putting(key: Key, value: Value): StateChange {
    // Inside a batch the library resolves at once; the batch itself tells how it went.
    return { apply: () => void this.#current().put(key, value) };
  }

  removing(key: Key): StateChange {
    return { apply: () => void this.#current().remove(key) };
  }

  range(span: KeyRange): Iterable<{ key: Key; value: Value }> {
    return this.#current().getRange(span);
  }

  keys(span: KeyRange): Iterable<Key> {
    return this.#current().getKeys(span);
  }

  count(span: KeyRange = {}): number {
    return this.#current().getKeysCount(span);
  }
}

/** Not with those above it: what somebody removed wholly is not wanted any more. */
function makeAgain(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
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
