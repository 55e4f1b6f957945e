import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StateChange, StateDatabase } from '../../state/state-database';
import type { ArchiveFacts } from '../archive-facts';
import type { Effects } from '../effects';
import { FailedRecordings } from '../queue/failed-recordings';
import { type IndexedFile, type StoredIndex, StoredRecordings } from './stored-index';

/** What this Node-RED knows of its archive, in the database on its disk. A look-up takes microseconds. */
export class LocalFacts implements ArchiveFacts {
  /** Both may be used directly by what concerns this Node-RED only, such as the search of the sidebar. */
  readonly recordings: StoredRecordings;
  readonly givenUp: FailedRecordings;
  readonly #database: StateDatabase;
  readonly #awaited = new Set<Promise<unknown>>();

  /** @param now milliseconds since 1970 */
  constructor(database: StateDatabase, now: () => number = Date.now) {
    this.#database = database;
    this.recordings = new StoredRecordings(database);
    this.givenUp = new FailedRecordings(database, now);
  }

  async find(identity: string): Promise<readonly IndexedFile[]> {
    return Promise.resolve(this.recordings.find(identity));
  }

  at(place: string): StoredIndex {
    return this.recordings.at(place);
  }

  async *steps(size?: number): AsyncGenerator<readonly IndexedFile[]> {
    for (const step of this.recordings.steps(size)) yield await Promise.resolve(step);
  }

  async commit(effects: Effects): Promise<void> {
    await this.#database.commit(this.changes(effects));
  }

  /** Effects of what a flow was told are committed right after this has ended: `settled` waits for them as well. */
  awaiting(work: Promise<unknown>): void {
    const end = (): void => void this.#awaited.delete(work);
    this.#awaited.add(work);
    work.then(end, end);
  }

  async settled(): Promise<void> {
    if (this.#awaited.size > 0) {
      await Promise.allSettled(this.#awaited);
      // Another call that waited for the same now commits.
      await nextTurn();
    }
    await this.#database.written();
  }

  /** The same effects as changes of the database, to be made in one commit with others. */
  changes({ stored, givenUp, cleared, removed }: Effects): StateChange[] {
    return [
      ...removed.map(({ key, tombstone }) => this.recordings.removing(key, tombstone)),
      ...cleared.flatMap(({ node, identity }) => this.givenUp.leaving(node, identity) ?? []),
      ...givenUp.map((entry) => this.givenUp.entering(entry)),
      ...stored.map(({ place, file }) => this.recordings.entering(place, file))
    ];
  }

  /** As `changes`, for effects that another process has applied; what is known here and is newer stays. */
  toldChanges({ stored, givenUp, cleared, removed }: Effects): StateChange[] {
    return [
      ...removed.map(({ key, tombstone }) => this.recordings.removing(key, tombstone)),
      // One of the same commit may have listed it.
      ...cleared.map(({ node, identity }) => this.givenUp.clearing(node, identity)),
      ...givenUp.map((entry) => this.givenUp.entering(entry)),
      ...stored.map(({ place, file }) => this.recordings.telling(place, file))
    ];
  }
}
