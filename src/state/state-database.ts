import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { open, type Database, type Key, type RootDatabase } from 'lmdb';

/** Named collections that one environment may hold. */
const MAX_COLLECTIONS = 16;

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
  /** Entries in the order of their keys, from `start` (included) to `end` (excluded). */
  range(span: KeyRange): Iterable<{ key: Key; value: Value }>;
  count(): number;
}

/**
 * The state of one Node-RED in one LMDB environment: what was accepted, what is still to do, what is
 * stored. Reads are memory-mapped and take microseconds; writes are gathered into one transaction per
 * turn and synced to disk before their promise resolves.
 */
export class StateDatabase {
  readonly #root: RootDatabase;

  /**
   * @param directory made when missing
   * @throws an error of the file system or of LMDB when the directory cannot be written
   */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#root = open({
      path: path.join(directory, 'state'),
      maxDbs: MAX_COLLECTIONS,
      // A promise that resolves before the sync would make "accepted" a guess.
      overlappingSync: false,
      // With batching by turn, a failed commit rejects a promise inside the library that nobody can
      // handle, and an unhandled rejection ends Node-RED. Writes are grouped all the same.
      eventTurnBatching: false
    });
  }

  collection<Value>(name: string): StateCollection<Value> {
    return new LmdbCollection<Value>(this.#root.openDB<Value>({ name }));
  }

  /** Waits for what is being written and closes. */
  async close(): Promise<void> {
    await this.#root.close();
  }
}

class LmdbCollection<Value> implements StateCollection<Value> {
  constructor(private readonly database: Database<Value>) {}

  get(key: Key): Value | undefined {
    return this.database.get(key);
  }

  put(key: Key, value: Value): Promise<void> {
    return settled(this.database.put(key, value));
  }

  remove(key: Key): Promise<void> {
    return settled(this.database.remove(key));
  }

  range(span: KeyRange): Iterable<{ key: Key; value: Value }> {
    return this.database.getRange(span);
  }

  count(): number {
    return this.database.getKeysCount();
  }
}

/** LMDB tells the reason of a failed commit in a second promise, which has to be handled as well. */
async function settled(write: Promise<boolean>): Promise<void> {
  try {
    await write;
  } catch (error) {
    const reason = (error as { commitError?: unknown }).commitError;
    if (!(reason instanceof Promise)) throw error;
    const named = reason.catch((cause: unknown) => cause);
    // The reason comes with the failure or not at all; nobody waits for it longer than a turn.
    const later = new Promise((resolve) => setImmediate(resolve, error));
    throw await Promise.race([named, later]);
  }
}
