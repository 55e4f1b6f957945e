import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { open, type Database, type RootDatabase, type RootDatabaseOptionsWithPath } from 'lmdb';
import { reserveLockFile } from './lock-file';
import { makePrivateDirectory } from './private-directory';

/** Named collections that one environment may hold. */
export const MAX_COLLECTIONS = 16;

/** The name of LMDB's file in the directory of the environment. */
export const DATA_FILE = 'data.mdb';

/** One open LMDB environment, and where its file was when it was opened. */
export class Environment {
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
      // From some size on, the library starts to carry a batch out while it is being filled, and tells its
      // thread of each further change by a plain store, which ARM may reorder. Now the thread hears of a batch
      // once, atomically, when all of it is there.
      batchStartThreshold: Number.MAX_SAFE_INTEGER
    };
    const file = path.join(directory, DATA_FILE);
    const isNew = statSync(file, { throwIfNoEntry: false }) === undefined;
    try {
      this.#root = open(options);
    } catch (error) {
      // On a full disk a part of its first pages; the next attempt would take it for a broken one.
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
   * Writes all that it holds where its file was. For one whose file was removed: what is open can be read
   * until it is closed.
   *
   * @returns the new one; this one stays open, because iterators may be under way
   * @throws an error of the file system or of LMDB
   */
  async rewritten(): Promise<Environment> {
    const draft = `${this.#directory}-rescued-${process.pid}`;
    rmSync(draft, { recursive: true, force: true });
    makePrivateDirectory(draft);
    try {
      await this.#root.backup(draft, false);
      sync(path.join(draft, DATA_FILE));
      // What else was left there is of no use without the file.
      rmSync(this.#directory, { recursive: true, force: true });
      renameSync(draft, this.#directory);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      throw error;
    }
    return new Environment(this.#directory);
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
