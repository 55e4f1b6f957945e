import type { DeletionRequest, Removal } from '../../evidence/deletion/deletions';
import { recordingName } from '../../evidence/custody/custody-line';
import type { DeletedKey, DeletionReason } from '../../evidence/deletion/tombstones';
import { CodedError } from '../../errors/coded-error';
import type { Destination } from '../../store/destination';
import { locationOf } from '../../store/stored-recording';
import { keyDigest } from '../../values/fields';
import type { ArchiveFacts } from '../archive-facts';
import { NO_EFFECTS } from '../effects';
import type { IndexedFile } from '../index/stored-index';
import { textLocations } from '../transcripts/transcript-filing';

/** The key of a file in the index and among the tombstones. @param place as `StoredIndex.place` */
export function deletedKey(
  { identity, wantedFormat }: Pick<IndexedFile, 'identity' | 'wantedFormat'>,
  place: string
): DeletedKey {
  return [keyDigest(identity), keyDigest(place), wantedFormat ?? ''];
}

/**
 * The request to delete a stored file, with the dates that it was stored with.
 *
 * @param file as the index or a sidecar has it; the text that it names is deleted only under a name that is its own
 * @throws CodedError `STORE_FAILED` when it does not say where the file is
 */
export function deletionOf(
  file: IndexedFile,
  place: string,
  by: { reason: DeletionReason; actor: string }
): DeletionRequest {
  const { identity, recording } = file;
  const location = locationOf(recording);
  if (location === null)
    throw new CodedError('STORE_FAILED', 'The entry of the index does not say where the recording is.');
  const { retention, transcription_file } = recording;
  return {
    key: deletedKey(file, place),
    recording: recordingName(recording.recording_id, identity),
    copy: { place, location, text: ownText(location, transcription_file) },
    sha256: recording.sha256,
    versionId: recording.version_id ?? null,
    bytes: recording.size,
    storedAt: recording.stored_at,
    retainUntil: retention?.retain_until ?? null,
    policy: retention?.policy?.name ?? null,
    ...by
  };
}

/** A sidecar is a file that others can write: it must not name what is to be deleted. */
function ownText(location: string, told: string | undefined): string | null {
  if (told === undefined) return null;
  return [...textLocations(location)].find((name) => name === told) ?? null;
}

export interface RemovalDeps {
  facts: Pick<ArchiveFacts, 'changes'>;
  /** The destination of a place. @throws CodedError when there is none now */
  storeAt: (place: string) => Pick<Destination, 'erase'>;
}

/** Removes stored files: text, every version of the file, sidecar, then the entry of the index with the tombstone. */
export function storedRemoval({ facts, storeAt }: RemovalDeps): Removal {
  return {
    remove: async ({ copy: { place, location, text }, sha256, bytes, versionId }, permit) => {
      await storeAt(place).erase({ location, sha256, size: bytes, versionId, text }, permit);
    },
    forgetting: ({ key }, tombstone) => facts.changes({ ...NO_EFFECTS, removed: [{ key, tombstone }] })
  };
}
