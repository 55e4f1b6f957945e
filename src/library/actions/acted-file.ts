import type { FileKey } from '../../archive/index/search-entries';
import { StoredRecordings } from '../../archive/index/stored-index';
import { deletionOf } from '../../archive/deletion/stored-removal';
import { CodedError } from '../../errors/coded-error';
import type { DeletionRequest, Refusal } from '../../evidence/deletion/deletions';
import type { DeletionReason } from '../../evidence/deletion/tombstones';
import { locationOf } from '../../store/stored-recording';
import { archiveRoot } from '../content/stored-content';
import type { FoundFile } from '../search/archive-search';

/** What a flow is told of a file on which something was done: nothing of the people in it. */
export interface ActedFile {
  recording_id: string | null;
  location: string | null;
  /** Bytes. */
  size: number;
}

/** What was not done, and why. */
export interface RefusedFile extends ActedFile {
  reason: Refusal['kind'] | 'being-deleted';
  /** What to do, in whole sentences. */
  message: string;
  /** Ids of the cases that hold it. */
  cases?: string[];
}

/** What failed. */
export interface FailedFile extends ActedFile {
  code: string;
  message: string;
}

export function actedFile({ file: { recording } }: FoundFile): ActedFile {
  const { recording_id, size } = recording;
  return { recording_id, location: locationOf(recording), size };
}

/** @returns what is told of a refusal, and what to do about it */
export function refusedFile(found: FoundFile, refusal: Refusal, reason: DeletionReason): RefusedFile {
  const file = actedFile(found);
  switch (refusal.kind) {
    case 'held': {
      const cases = refusal.cases.map(({ id }) => id);
      const next =
        reason === 'erased' ? 'It is deleted once all are released.' : 'Release all of them first.';
      const message = `It is held for ${cases.length === 1 ? 'a case' : `${cases.length} cases`}. ${next}`;
      return { ...file, reason: 'held', message, cases };
    }
    case 'retained':
      return {
        ...file,
        reason: 'retained',
        message: `It has to be kept until ${refusal.until}. Try again then.`
      };
    case 'clock':
      return { ...file, reason: 'clock', message: clockText(refusal.doubt) };
    case 'locked':
      return { ...file, reason: 'locked', message: refusal.error.message };
  }
}

/** What is wrong with the clock of the machine, and what to do. @param doubt as `ClockGuard.doubt` */
export function clockText(doubt: string): string {
  const why = CLOCK_TEXTS.get(doubt) ?? 'The clock of this machine is in doubt.';
  return `${why} Whether a date has passed cannot be said, so nothing is deleted. Set the clock, have it synchronised, and restart Node-RED.`;
}

const CLOCK_TEXTS: ReadonlyMap<string, string> = new Map([
  ['before-last-line', 'The clock of this machine is earlier than the last line of the custody log.'],
  ['jumped', 'The clock of this machine has jumped by more than 48 hours.'],
  [
    'differs-from-provider',
    'The clock of this machine differs by more than five minutes from that of the provider.'
  ]
]);

/**
 * The request to delete a file that was found.
 *
 * @param places of the buckets that can be reached, as `Destination.place`
 * @throws CodedError `STORE_FAILED` when nobody knows where it is
 */
export function requestOf(
  { key, file }: FoundFile,
  places: Iterable<string>,
  by: { reason: DeletionReason; actor: string }
): DeletionRequest {
  return deletionOf(file, placeOf(key, file.recording, places), by);
}

function placeOf(
  key: FileKey,
  { path, bucket }: FoundFile['file']['recording'],
  places: Iterable<string>
): string {
  const place =
    path === undefined
      ? [...places].find((each) => StoredRecordings.isAt(key, each))
      : archiveRoot(key, path);
  if (place !== undefined && place !== null) return place;
  throw new CodedError(
    'STORE_FAILED',
    path === undefined
      ? `It is in the bucket ${bucket ?? ''}, and no node that is deployed uses that bucket with that prefix. Choose it as "Bucket".`
      : `${path} is not in the folder that it was stored in. Rebuild the index of the folder with a recording list node.`
  );
}
