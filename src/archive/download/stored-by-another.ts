import { CodedError } from '../../errors/coded-error';
import type { FormatChoice, MediaKind, RecordingReference } from '../../recording/recording-reference';
import type { PublishedFile } from '../../store/destination';
import { nameVariants } from '../../store/folder/archive-path';
import type { TransferResult } from '../../transfer/transfer-types';
import { asCount, asText } from '../../values/fields';
import type { ArchiveDeps } from '../archive-context';

/** Of the recordings of each kind, the likely ones first. */
const FORMATS: Readonly<Record<MediaKind, readonly string[]>> = {
  audio: ['mp3', 'wav'],
  video: ['mp4', 'webm', 'mkv', 'm4a'],
  track: ['webm', 'mkv', 'mp4', 'm4a'],
  fax: ['pdf', 'tiff'],
  attachment: []
};

/** A complete file of the archive that this process knew nothing of. */
export interface CopyOfAnother {
  result: TransferResult;
  file: PublishedFile & { location: string };
}

/** Whether a fault can mean that the source has the recording no more. */
export function mayBeGone({ code, retryable }: CodedError): boolean {
  return code === 'LINK_EXPIRED' || code === 'LINK_REFUSED' || (code === 'API_NOT_FOUND' && !retryable);
}

/** The formats that the file of a recording can have had, likely ones first, when no link tells. */
export function likelyFormats({ kind, details }: RecordingReference, choice: FormatChoice): string[] {
  if (kind === 'audio' && (choice === 'mp3' || choice === 'wav')) return [choice];
  const told = details.format === null ? [] : [details.format];
  return [...new Set([...told, ...FORMATS[kind]])];
}

/**
 * Looks whether another process has stored a file in the same archive: when its source has nothing to fetch any
 * more, that one may have had it deleted there.
 *
 * @param name that the file has here, and its format
 * @returns null when there is none that is intact and whose sidecar names the recording
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
