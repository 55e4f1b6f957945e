import { CodedError } from '../../errors/coded-error';
import type { FormatChoice, MediaKind, RecordingReference } from '../../recording/recording-reference';
import type { PublishedFile } from '../../store/destination';
import { nameVariants } from '../../store/folder/archive-path';
import type { TransferResult } from '../../transfer/transfer-types';
import { asCount, asText } from '../../values/fields';
import type { ArchiveDeps } from '../archive-context';

/** The formats of each kind of recording, likely ones first. */
const FORMATS: Readonly<Record<MediaKind, readonly string[]>> = {
  audio: ['mp3', 'wav'],
  video: ['mp4', 'webm', 'mkv', 'm4a'],
  track: ['webm', 'mkv', 'mp4', 'm4a'],
  fax: ['pdf', 'tiff'],
  attachment: [],
  text: ['txt', 'json', 'vtt', 'srt']
};

/** A complete file of the archive that this process knew nothing of. */
export interface CopyOfAnother {
  result: TransferResult;
  file: PublishedFile & { location: string };
}

/** Whether a fault can mean that the source no longer has the recording. */
export function mayBeGone({ code, retryable }: CodedError): boolean {
  return code === 'LINK_EXPIRED' || code === 'LINK_REFUSED' || (code === 'API_NOT_FOUND' && !retryable);
}

/** The possible formats of a recording's file, likely ones first, when no link shows the format. */
export function likelyFormats({ kind, details }: RecordingReference, choice: FormatChoice): string[] {
  if (kind === 'audio' && (choice === 'mp3' || choice === 'wav')) return [choice];
  const told = details.format === null ? [] : [details.format];
  return [...new Set([...told, ...FORMATS[kind]])];
}

/**
 * Checks whether another process stored a file in the same archive: when the source no longer has it, that
 * process may have deleted it there.
 *
 * @param name the name of the file here, and its format
 * @returns null unless there is an intact file whose sidecar names the recording
 * @throws CodedError `STORE_FAILED`
 */
export async function findCopyOfAnother(
  store: ArchiveDeps['store'],
  identity: string,
  { name, format }: { name: string; format: string }
): Promise<CopyOfAnother | null> {
  if (!store.capabilities.canReadBack) return null;
  for (const variant of nameVariants(name, 'of_another')) {
    const location = store.locationOf(variant);
    if (location === null) return null;
    const known = await store.sidecars.read(location);
    if (known === null) return null;
    if (known['identity'] !== identity) continue;
    const versionId = asText(known['version_id']);
    const size = asCount(known['size']);
    const read = await store.readBack(location, size === null ? undefined : { size, versionId });
    if (read.sha256 !== known['sha256']) return null;
    const contentType = asText(known['content_type']) ?? 'application/octet-stream';
    const sourceHost = asText(known['source_host']) ?? '';
    return {
      result: { ...read, format, contentType, sourceHost, resumed: false },
      file: { location, alreadyStored: true, ...(versionId !== null && { versionId }) }
    };
  }
  return null;
}
