import { basename, dirname, join } from 'node:path';
import type { IndexedFile } from '../archive/index/stored-index';
import type { StoredRecording } from '../store/stored-recording';
import { storedDetails } from '../recording/extract/from-stored';
import { identityOfId } from '../recording/identity';
import type { RecordingOrigins } from '../recording/origin';
import { asFormat } from '../recording/media-link';
import { asSha256, asText, type Fields } from '../values/fields';
import { sidecarPath } from '../store/sidecar';

/** Names the jobs of entries that no job made. */
const REBUILT = 'rebuilt from sidecars';

export type SidecarEntry =
  | { kind: 'entry'; entry: IndexedFile }
  /** A JSON file that is none of ours. */
  | { kind: 'other' }
  /** It does not say which recording it is of. */
  | { kind: 'nameless' };

/**
 * Reads what a sidecar says of its file. The folder may have been moved: the file is beside the sidecar,
 * wherever it was stored.
 *
 * @param record the parsed sidecar; untrusted
 * @param file absolute path of the file beside it
 * @param origins the providers that there are
 */
export function sidecarEntry(record: Fields, file: string, origins: RecordingOrigins): SidecarEntry {
  const origin = origins.find(record['provider']);
  const sha256 = asSha256(record['sha256']);
  const size = record['size'];
  const stored_at = asText(record['stored_at']);
  const isSize = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0;
  if (origin === undefined || sha256 === null || stored_at === null || !isSize) return { kind: 'other' };

  const provider = origin.name;
  const details = storedDetails(record, provider);
  // As it was stored: to read it as new text would change it once more.
  const told = record['identity'];
  const { recording_id, track } = details;
  const identity =
    typeof told === 'string' && told.startsWith(`${provider}:`)
      ? told
      : recording_id === null
        ? null
        : identityOfId(provider, recording_id, track);
  if (identity === null) return { kind: 'nameless' };

  const text = asText(record['transcription_file']);
  const recording: StoredRecording = {
    ...details,
    size,
    sha256,
    content_type: asText(record['content_type']) ?? 'application/octet-stream',
    destination: 'folder',
    path: file,
    sidecar: sidecarPath(file),
    source_host: asText(record['source_host']) ?? '',
    attempts: typeof record['attempts'] === 'number' ? record['attempts'] : 1,
    resumed: record['resumed'] === true,
    already_stored: false,
    stored_at,
    deleted_at_source: asText(record['deleted_at_source']),
    identity,
    ...(text !== null && { transcription_file: join(dirname(file), basename(text.replace(/\\/g, '/'))) })
  };
  // A part of a key: of a file that anybody can have put there.
  const wantedFormat = origin.hasFormatsInLinks ? asFormat(details.format) : null;
  return { kind: 'entry', entry: { identity, wantedFormat, recording, order: REBUILT } };
}
