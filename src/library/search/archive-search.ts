import type { FileKey, SearchEntries, SearchEntry } from '../../archive/index/search-entries';
import { timeOf } from '../../archive/index/search-entries';
import type { IndexedFile, StoredRecordings } from '../../archive/index/stored-index';
import { type ArchiveQuery, entryMatcher, holdsText } from './query';

/** Where a search continues: the last entry that it looked at. */
export type SearchPosition = Pick<SearchEntry, 'time' | 'file'>;

/** A file that was found. */
export interface FoundFile {
  key: FileKey;
  file: IndexedFile;
}

export interface FoundPage {
  /** Latest first. */
  found: FoundFile[];
  /** Null at the end. A page may end early, with fewer files than asked for, because its time is up. */
  next: SearchPosition | null;
  /** Entries that were looked at. */
  looked: number;
}

export interface ArchiveSearchDeps {
  recordings: Pick<StoredRecordings, 'get'> & { readonly entries: Pick<SearchEntries, 'latestFirst'> };
  /** The text of a recording that is not in the index, or null. Bounded, and never rejects. */
  textOf: (found: FoundFile) => Promise<string | null>;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
  /** Lets others have their turn. */
  breathe?: () => Promise<void>;
}

/** Milliseconds that the event loop may be busy at a time. */
const SLICE_MS = 4;
/** Milliseconds for a page; the caller then asks for the next one, or no longer wants it. */
const PAGE_MS = 700;
/** Entries read at once, in less than a slice. */
const STEP = 200;
/** Files with a text that the index has are looked into one at a time; their texts may be long. */
const LONGEST_TEXT = 1024 * 1024;

/**
 * Searches all stored files, latest first, in slices of a few milliseconds: deliveries and downloads go on
 * meanwhile. One page after another: a page ends when it is full, or when its time is up.
 */
export class ArchiveSearch {
  readonly #deps: ArchiveSearchDeps;
  readonly #now: () => number;
  readonly #breathe: () => Promise<void>;

  constructor(deps: ArchiveSearchDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? (() => performance.now());
    this.#breathe = deps.breathe ?? (() => new Promise((resolve) => setImmediate(resolve)));
  }

  /**
   * @param after where the page before ended; null: from the start
   * @param most files of a page
   * @throws `signal.reason` when aborted
   */
  async page(
    query: ArchiveQuery,
    { after, most }: { after: SearchPosition | null; most: number },
    signal: AbortSignal
  ): Promise<FoundPage> {
    const matches = entryMatcher(query);
    const begun = this.#now();
    const page: FoundPage = { found: [], next: after, looked: 0 };
    let slice = begun;
    for (;;) {
      const step = this.#step(query, page.next);
      if (step.length === 0) return { ...page, next: null };
      for (const entry of step) {
        page.looked += 1;
        page.next = { time: entry.time, file: entry.file };
        const found = matches(entry) ? this.#find(entry) : null;
        if (found !== null && (query.text === '' || (await this.#hasText(found, query))))
          page.found.push(found);
        if (page.found.length >= most) return page;
        if (this.#now() - slice > SLICE_MS) break;
      }
      if (this.#now() - begun > PAGE_MS) return page;
      await this.#breathe();
      signal.throwIfAborted();
      slice = this.#now();
    }
  }

  /** All at once: nothing of the state is held open while a text is read. */
  #step({ from, before }: ArchiveQuery, after: SearchPosition | null): SearchEntry[] {
    const span = { from, before, limit: STEP };
    return [...this.#deps.recordings.entries.latestFirst(after === null ? span : { ...span, after })];
  }

  /** @returns null when the entry is out of date: its file was entered again under another time */
  #find({ file: key, time }: SearchEntry): FoundFile | null {
    const file = this.#deps.recordings.get(key);
    return file === undefined || timeOf(file.recording) !== time ? null : { key, file };
  }

  async #hasText(found: FoundFile, query: ArchiveQuery): Promise<boolean> {
    const { transcription } = found.file.recording;
    const text = typeof transcription === 'string' ? transcription : await this.#deps.textOf(found);
    return text !== null && holdsText(text.slice(0, LONGEST_TEXT), query);
  }
}
