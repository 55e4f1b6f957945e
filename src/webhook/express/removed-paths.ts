import type { StateCollection, StateDatabase } from '../../state/state-database';

/** Milliseconds for which senders are asked to try again at a path that a deploy has removed: it may be undone. */
export const REMOVED_MS = 10 * 60 * 1000;

/** Characters of a path that is persisted; the length of a database key is limited. */
const LONGEST_PATH = 500;

/** Paths that are remembered; beyond that, those that were removed first are dropped. */
const MOST_REMOVED = 1000;

/** What the state holds for a path. */
interface PathRecord {
  /** Milliseconds since 1970; null while a node serves it. */
  removedAt: number | null;
}

export interface RemovedPathsOptions {
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number;
}

/**
 * The paths that nodes served until a moment ago. Most senders take "not found" as final, and a removed node may be back
 * soon: the deploy was a mistake, or half of a move. Remembered across restarts. For this, served paths are persisted,
 * too: the flow file may be replaced while Node-RED is not running.
 */
export class RemovedPaths {
  readonly #now: () => number;
  readonly #elapsed: () => number;
  /** Until when, on the monotonic clock. */
  readonly #removed = new Map<string, number>();
  #served: ReadonlySet<string> = new Set();

  constructor({ now = Date.now, elapsed = () => performance.now() }: RemovedPathsOptions = {}) {
    this.#now = now;
    this.#elapsed = elapsed;
  }

  /** @param path in comparable form */
  has(path: string): boolean {
    const until = this.#removed.get(path);
    return until !== undefined && this.#elapsed() < until;
  }

  /**
   * To be called when the flows have started.
   *
   * @param served the paths that nodes serve now, in comparable form
   * @param database null when the state cannot be used: then nothing is remembered across a restart
   */
  update(served: ReadonlySet<string>, database: StateDatabase | null): void {
    const known = database === null ? null : read(database);
    for (const [path, { removedAt }] of known ?? []) this.#begin(path, removedAt ?? this.#now());
    for (const path of this.#served) this.#begin(path, this.#now());
    for (const path of served) this.#removed.delete(path);
    for (const path of this.#removed.keys()) if (!this.has(path)) this.#removed.delete(path);
    const oldest = [...this.#removed].sort(([, a], [, b]) => a - b).slice(0, -MOST_REMOVED);
    for (const [path] of oldest) this.#removed.delete(path);
    this.#served = new Set(served);
    if (database !== null && known !== null) this.#persist(database, known);
  }

  #persist(database: StateDatabase, known: ReadonlyMap<string, PathRecord>): void {
    const records = collectionOf(database);
    const wanted = new Map<string, PathRecord>();
    for (const path of this.#removed.keys())
      wanted.set(path, { removedAt: known.get(path)?.removedAt ?? this.#now() });
    for (const path of this.#served) wanted.set(path, { removedAt: null });
    const changes = [
      ...[...known.keys()].filter((path) => !wanted.has(path)).map((path) => records.removing(path)),
      ...[...wanted]
        .filter(([path, { removedAt }]) => {
          const before = known.get(path);
          return path.length <= LONGEST_PATH && (before === undefined || before.removedAt !== removedAt);
        })
        .map(([path, record]) => records.putting(path, record))
    ];
    // What cannot be written now is written at the next deploy.
    database.commit(changes).catch(() => undefined);
  }

  /** @param since milliseconds since 1970; in the future when the clock was set back */
  #begin(path: string, since: number): void {
    if (this.#removed.has(path)) return;
    const age = Math.max(0, this.#now() - since);
    this.#removed.set(path, this.#elapsed() + REMOVED_MS - age);
  }
}

function collectionOf(database: StateDatabase): StateCollection<PathRecord> {
  return database.collection<PathRecord>('webhook-paths');
}

/** @returns null when they cannot be read; the paths are served all the same */
function read(database: StateDatabase): Map<string, PathRecord> | null {
  try {
    return new Map([...collectionOf(database).range({})].map(({ key, value }) => [String(key), value]));
  } catch {
    return null;
  }
}
