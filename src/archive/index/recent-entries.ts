import { fileKey } from '../queue/job';
import type { IndexedFile, StoredIndex } from './stored-index';

/** Far more than can be on their way into the index at a time. */
const MOST_FRESH = 500;

export interface KnownFile {
  copy: IndexedFile | undefined;
  /** Whether it may be missing in the index. */
  isFresh: boolean;
}

/**
 * What one node knows of stored files: the index, and before it what was stored a moment ago. A file gets into the
 * index when its job is through, and another job for the same recording may come before that.
 */
export class RecentEntries {
  readonly #index: StoredIndex;
  /** Oldest first. */
  readonly #fresh = new Map<string, IndexedFile>();

  constructor(index: StoredIndex) {
    this.#index = index;
  }

  find(identity: string, wantedFormat: string | null): KnownFile {
    const key = fileKey(identity, wantedFormat);
    const indexed = this.indexed(identity, wantedFormat);
    const fresh = this.#fresh.get(key);
    if (fresh === undefined) return { copy: indexed, isFresh: false };
    if ((indexed?.recording.stored_at ?? '') < fresh.recording.stored_at)
      return { copy: fresh, isFresh: true };
    this.#fresh.delete(key);
    return { copy: indexed, isFresh: false };
  }

  indexed(identity: string, wantedFormat: string | null): IndexedFile | undefined {
    return this.#index.find(identity).find((file) => file.wantedFormat === wantedFormat);
  }

  /** A file was stored; its job will enter it into the index. */
  remember(file: IndexedFile): void {
    const key = fileKey(file.identity, file.wantedFormat);
    this.#fresh.delete(key);
    this.#fresh.set(key, file);
    const [oldest] = this.#fresh.keys();
    if (this.#fresh.size > MOST_FRESH && oldest !== undefined) this.#fresh.delete(oldest);
  }
}
