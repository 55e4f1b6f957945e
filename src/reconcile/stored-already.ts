import { storedCopies, type StoredRecordings } from '../archive/index/stored-index';
import { identityOfId } from '../recording/identity';
import type { RecordingReference } from '../recording/recording-reference';

/**
 * Whether all files of a listed recording are stored, in whichever destinations.
 *
 * @param references of the listed item; none: there is nothing that could be stored
 */
export function isStored(
  recordings: Pick<StoredRecordings, 'find'>,
  references: readonly RecordingReference[]
): boolean {
  return references.every((reference) => {
    if (storedCopies(recordings, reference).length > 0) return true;
    // Sidecars of older versions know only the last part of a track's key.
    const { provider, recording_id, track } = reference.details;
    if (recording_id === null || track === null) return false;
    return recordings.find(identityOfId(provider, recording_id, track)).length > 0;
  });
}
