import type { FileKey } from '../../archive/index/search-entries';
import type { StoredRecordings } from '../../archive/index/stored-index';
import type { StateDatabase } from '../../state/state-database';
import { keyDigest } from '../../values/fields';
import { withSidecarDetails } from '../content/complete-details';
import { ArchiveSearch, type ArchiveSearchDeps, type FoundFile } from '../search/archive-search';
import type { ArchiveQuery } from '../search/query';
import { isMeant, type RecordingQuery } from './recording-query';

export interface MeantFilesDeps {
  recordings: StoredRecordings;
  database: Pick<StateDatabase, 'commitSoon'>;
  /** As `ArchiveSearchDeps.textOf`. */
  textOf: ArchiveSearchDeps['textOf'];
}

export interface MeantFilesOptions {
  /** Only the files in these places, as `Destination.place`; null: all. */
  places: readonly string[] | null;
  /** Whether a part of a number is enough, as in the sidebar. */
  isPartEnough: boolean;
  /** Called with the number of files that were looked at so far. */
  onLooked: (looked: number) => void;
}

/** Files of a page of the search. */
const PAGE = 200;
/** Files of earlier versions that are read at once. */
const READ_STEP = 100;

/**
 * All stored files that a query means, latest first. What is stored meanwhile may be left out.
 *
 * @throws `signal.reason` when aborted; as the state does
 */
export async function* meantFiles(
  query: RecordingQuery,
  { places, isPartEnough, onLooked }: MeantFilesOptions,
  { recordings, database, textOf }: MeantFilesDeps,
  signal: AbortSignal
): AsyncGenerator<FoundFile> {
  await readEarlier(recordings, database, signal);
  const search = new ArchiveSearch({ recordings, textOf });
  const asked = searchOf(query, isPartEnough);
  const digests = places?.map(keyDigest);
  let looked = 0;
  let after: Awaited<ReturnType<ArchiveSearch['page']>>['next'] = null;
  do {
    const page = await search.page(asked, { after, most: PAGE }, signal);
    onLooked((looked += page.looked));
    for (const found of page.found) {
      if (digests !== undefined && !digests.includes(found.key[1])) continue;
      const file = await completed(found, query);
      if (isMeant(query, file.recording, isPartEnough)) yield { key: found.key, file };
      signal.throwIfAborted();
    }
    after = page.next;
  } while (after !== null);
}

/** What earlier versions stored, so that nothing is missed. */
async function readEarlier(
  recordings: Pick<StoredRecordings, 'unread'>,
  database: Pick<StateDatabase, 'commitSoon'>,
  signal: AbortSignal
): Promise<void> {
  for (let step = recordings.unread(READ_STEP); step !== null; step = recordings.unread(READ_STEP)) {
    await database.commitSoon(step.changes);
    signal.throwIfAborted();
  }
}

/**
 * What to search for. Ids are part of every entry, numbers are not: those of earlier versions are only in the JSON files
 * beside the recordings.
 */
function searchOf(
  { recordingId, number, call, text, from, before }: RecordingQuery,
  isPartEnough: boolean
): ArchiveQuery {
  const what = recordingId ?? call ?? (isPartEnough ? number : null) ?? '';
  return { what: what.slice(0, LONGEST_WORD), from, before, provider: '', kind: '', text };
}

/** Entries hold hardly more of a field. */
const LONGEST_WORD = 199;

/** A file without numbers may have them in its sidecar. */
async function completed(
  { key, file }: { key: FileKey; file: FoundFile['file'] },
  query: RecordingQuery
): Promise<FoundFile['file']> {
  const { from, to } = file.recording;
  return query.number === null || (from ?? to ?? null) !== null ? file : await withSidecarDetails(key, file);
}
