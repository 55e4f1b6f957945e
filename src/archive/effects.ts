import type { DeletedKey, Tombstone } from '../evidence/deletion/tombstones';
import type { IndexedFile, StoredIndex } from './index/stored-index';
import type { FailedRecording } from './queue/failed-recordings';

/**
 * What a job has changed, as plain data. Idempotent: the same effects may be applied again, in any process. They are on disk
 * before the job counts as done.
 */
export interface Effects {
  /** Files that the index enters, or what else is known of them by now. Of two entries for one file the later one counts. */
  readonly stored: readonly PlacedFile[];
  /** Recordings for the list of those that were given up. */
  readonly givenUp: readonly FailedRecording[];
  /** Recordings that leave this list; applied before `givenUp`. It does not matter whether they are on it. */
  readonly cleared: readonly Pick<FailedRecording, 'node' | 'identity'>[];
  /** Files that were deleted and leave the index; applied before `stored`. It does not matter whether they are in it. */
  readonly removed: readonly RemovedFile[];
}

/** A file that was deleted. The copy that the tombstone names, and earlier ones, are not entered again; a later one is. */
export interface RemovedFile {
  key: DeletedKey;
  tombstone: Tombstone;
}

/** A stored file and its destination. */
export interface PlacedFile {
  /** As `StoredIndex.place`. */
  place: string;
  file: IndexedFile;
}

export const NO_EFFECTS: Effects = { stored: [], givenUp: [], cleared: [], removed: [] };

/** Whether nothing was changed. */
export function areNone(effects: Effects): boolean {
  return Object.values(effects).every((changed: readonly unknown[]) => changed.length === 0);
}

/** The effect of entering files of one destination into the index. */
export function entering({ place }: Pick<StoredIndex, 'place'>, files: readonly IndexedFile[]): Effects {
  return { ...NO_EFFECTS, stored: files.map((file) => ({ place, file })) };
}

/** Several effects as one, in their order. */
export function together(...all: readonly Effects[]): Effects {
  return {
    stored: all.flatMap(({ stored }) => stored),
    givenUp: all.flatMap(({ givenUp }) => givenUp),
    cleared: all.flatMap(({ cleared }) => cleared),
    removed: all.flatMap(({ removed }) => removed)
  };
}
