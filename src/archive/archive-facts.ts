import type { Effects } from './effects';
import type { StateChange } from '../state/state-database';
import type { IndexedFile, StoredIndex } from './index/stored-index';
import type { GivenUpList } from './queue/failed-recordings';

/**
 * What is known of an archive: what is stored where, and what was given up. Nothing here says where that is kept; every
 * look-up may take a request. docs/adr/seams.md lists the promises, test/unit/archive/facts-contract.ts tests them.
 */
export interface ArchiveFacts {
  /** The lists of what was given up. */
  readonly givenUp: GivenUpList;
  /** The files of a recording in all destinations, one per wanted format and destination. */
  find(identity: string): Promise<readonly IndexedFile[]>;
  /** @param place the same text for the same destination: an absolute folder, `s3://endpoint/bucket/prefix` */
  at(place: string): StoredIndex;
  /**
   * All files, a few at a time, in no particular order. Two steps may be hours apart; what is entered meanwhile may be
   * left out.
   */
  steps(size?: number): AsyncIterable<readonly IndexedFile[]>;
  /**
   * Applies effects: all of them or none. Durable when resolved, and found from then on.
   *
   * @throws when they could not be made durable; they may be applied again
   */
  commit(effects: Effects): Promise<void>;
  /** The same effects as changes of the database, for a commit with others that begins at once. Other processes know of them soon. */
  changes(effects: Effects): StateChange[];
  /** Resolves when the effects of all jobs that have ended so far are found. */
  settled(): Promise<void>;
}

/** What is known of a file now; undefined when it is no longer indexed under its location. */
export async function currentFile(
  facts: Pick<ArchiveFacts, 'find'>,
  { identity, wantedFormat, recording }: IndexedFile
): Promise<IndexedFile | undefined> {
  const names = ['path', 'bucket', 'key'] as const;
  return (await facts.find(identity)).find(
    (file) =>
      file.wantedFormat === wantedFormat && names.every((name) => file.recording[name] === recording[name])
  );
}
