import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync
} from 'node:fs';
import path from 'node:path';
import { type Database, type Key, type RootDatabase, type RootDatabaseOptionsWithPath, open } from 'lmdb';
import { GroupCommit, type StateChange } from './group-commit';
import { makePrivateDirectory } from './private-directory';

export type { StateChange } from './group-commit';
export type { Key } from 'lmdb';

/** The subdirectory that holds the environment. */
export const ENVIRONMENT = 'state';

/** The name of LMDB's file in the directory of the environment. */
export const DATA_FILE = 'data.mdb';

/** Named collections that one environment may hold. */
export const MAX_COLLECTIONS = 32;

interface KeyRange {
  start?: Key;
  end?: Key;
  limit?: number;
  /** From `start`, the greatest key, down to `end`, which is excluded. */
  reverse?: boolean;
}

/** One named collection of the state: ordered keys, values of one shape. */
export interface StateCollection<Value> {
  get(key: Key): Value | undefined;
  /** Durable when resolved. Rejects when the disk did not take it; the state is then unchanged. */
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
   * Called before and after each commit. Throws when the state belongs to another process; the commit is then
   * not accepted.
   */
  guard?: () => void;
  /** Called when the files of the state are removed or replaced, with the result. */
  onMoved?: (what: 'restored' | 'replaced') => void;
}

/**
 * The state of one Node-RED in one LMDB environment: accepted deliveries, open jobs, stored recordings. Reads
 * are memory-mapped and take microseconds; writes are synced to disk before their promise resolves, many of
 * them with one sync.
 *
 * Resolved writes are always in the file with the right name: when the files of a running state are removed,
 * they are rewritten from the open ones before anything else is accepted.
 */
export class StateDatabase {
  readonly #options: StateOptions;
  readonly #directory: string;
  #environment: Environment;
  readonly #commits = new GroupCommit((changes) => this.#transact(changes));

  /**
   * @param directory created when missing; only the user who runs Node-RED may read it, because it holds
   *   signed links
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
    // All of its values are put through the collection, so they have its shape.
    const database = (): Database<Value> => this.#environment.database(name) as Database<Value>;
    database();
    return new LmdbCollection<Value>(database, this.#commits);
  }

  /**
   * Makes several changes in any collections: all of them or none. Durable when resolved. Rejects when the
   * disk did not take them.
   */
  commit(changes: readonly StateChange[]): Promise<void> {
    return this.#commits.add(changes);
  }

  /** Like `commit`, for changes that a crash may lose: joins the next changes, or runs soon by itself. */
  commitSoon(changes: readonly StateChange[]): Promise<void> {
    return this.#commits.addSoon(changes);
  }

  /**
   * Resolves when everything asked for so far is on disk or was rejected, including deferred changes: reads
   * then see it.
   */
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
    // Checked again: what was written to a file without a name would be lost with the process.
    await this.#settle();
  }

  async #settle(): Promise<void> {
    this.#options.guard?.();
    const place = this.#environment.place();
    if (place === 'own') return;
    // The old environment stays open: iterators may be under way in it.
    if (place === 'none') {
      makeAgain(this.#directory);
      this.#environment = await this.#environment.rewritten();
    } else this.#environment = new Environment(path.join(this.#directory, ENVIRONMENT));
    this.#options.onMoved?.(place === 'none' ? 'restored' : 'replaced');
  }
}

/** Does not recreate its parents: a tree that was removed completely is no longer wanted. */
function makeAgain(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** For an existing directory, which may be open to everyone. */
function keepToOwner(directory: string): void {
  try {
    chmodSync(directory, 0o700);
  } catch {
    // Of another owner, or on a file system without permissions: not ours to change.
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
    // Inside a batch the library resolves immediately; the batch itself reports the result.
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

/** One open LMDB environment, and where its file was when it was opened. */
class Environment {
  readonly #directory: string;
  readonly #root: RootDatabase;
  readonly #databases = new Map<string, Database<unknown>>();
  readonly #inode: number;
  readonly #device: number;

  /**
   * @param directory made when missing
   * @throws an error of the file system or of LMDB
   */
  constructor(directory: string) {
    this.#directory = directory;
    makePrivateDirectory(directory);
    reserveLockFile(directory);
    const options: RootDatabaseOptionsWithPath & { batchStartThreshold: number } = {
      path: directory,
      maxDbs: MAX_COLLECTIONS,
      // A promise that resolves before the sync would make "accepted" a guess.
      overlappingSync: false,
      // With batching by turn, a failed commit rejects a promise inside the library that nobody can
      // handle, and an unhandled rejection ends Node-RED. Writes are grouped all the same.
      eventTurnBatching: false,
      // Above some size, the library starts to carry out a batch while it is being filled, and tells its
      // thread of each further change by a plain store, which ARM may reorder. With this limit, the thread
      // learns of a batch once, atomically, when it is complete.
      batchStartThreshold: Number.MAX_SAFE_INTEGER
    };
    const file = path.join(directory, DATA_FILE);
    const isNew = statSync(file, { throwIfNoEntry: false }) === undefined;
    try {
      this.#root = open(options);
    } catch (error) {
      // On a full disk, this is a part of its first pages, which the next attempt would take for a damaged
      // file.
      if (isNew) rmSync(file, { force: true });
      throw error;
    }
    const { ino, dev } = statSync(file);
    this.#inode = ino;
    this.#device = dev;
  }

  database(name: string): Database<unknown> {
    const known = this.#databases.get(name);
    if (known !== undefined) return known;
    const database = this.#root.openDB<unknown>({ name });
    this.#databases.set(name, database);
    return database;
  }

  /** Durable when resolved. Rejects when the disk did not take the changes. */
  batch(make: () => void): Promise<unknown> {
    return this.#root.batch(make);
  }

  /**
   * Whether its file still has its name, has none, or another file has it.
   *
   * @throws an error of the file system: it cannot be known
   */
  place(): 'own' | 'none' | 'other' {
    const file = statSync(path.join(this.#directory, DATA_FILE), { throwIfNoEntry: false });
    if (file === undefined) return 'none';
    return file.ino === this.#inode && file.dev === this.#device ? 'own' : 'other';
  }

  /**
   * Writes everything it holds to where its file was. For an environment whose file was removed: an open file
   * can be read until it is closed.
   *
   * @returns the new one; this one stays open, because iterators may be under way
   * @throws an error of the file system or of LMDB
   */
  async rewritten(): Promise<Environment> {
    const draft = `${this.#directory}-rescued-${process.pid}`;
    rmSync(draft, { recursive: true, force: true });
    makePrivateDirectory(draft);
    let inode: number;
    try {
      await this.#root.backup(draft, false);
      const file = path.join(draft, DATA_FILE);
      sync(file);
      inode = statSync(file).ino;
      // The other remains are useless without the file.
      rmSync(this.#directory, { recursive: true, force: true });
      renameSync(draft, this.#directory);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      throw error;
    }
    const again = new Environment(this.#directory);
    if (again.#inode === inode) return again;
    // Somebody has removed it once more, so an empty one was created. It must not be taken for a backup.
    rmSync(this.#directory, { recursive: true, force: true });
    await again.close();
    throw new Error(`${this.#directory} keeps being removed.`);
  }

  async close(): Promise<void> {
    await this.#root.close();
  }
}

function sync(file: string): void {
  const handle = openSync(file, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const LOCK_FILE = 'lock.mdb';

/** Bytes; at least what LMDB maps for its default number of readers on every platform. */
const LOCK_SIZE = 12 * 1024;

/**
 * Gives LMDB's lock file its bytes before LMDB maps it. LMDB itself only sets its length; on a full disk the
 * first access then ends the process with SIGBUS instead of failing.
 *
 * @param environment directory of the environment; no other process has it open
 * @throws the system's error, `ENOSPC` on a full disk
 */
export function reserveLockFile(environment: string): void {
  const file = path.join(environment, LOCK_FILE);
  const known = statSync(file, { throwIfNoEntry: false });
  if (known !== undefined) {
    // The process that opened it has touched its head; only the 60th reader would touch what follows.
    if (known.size > 0 && known.blocks > 0) return;
    rmSync(file);
  }
  const handle = openSync(file, 'wx', 0o664);
  try {
    const bytes = Buffer.alloc(LOCK_SIZE);
    for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at, bytes.length - at, at);
    fsyncSync(handle);
  } catch (error) {
    closeSync(handle);
    rmSync(file, { force: true });
    throw error;
  }
  closeSync(handle);
}
