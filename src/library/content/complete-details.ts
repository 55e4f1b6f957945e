import { type AddedDetails, withAdded } from '../../archive/download/late-details';
import type { FileKey } from '../../archive/index/search-entries';
import type { IndexedFile } from '../../archive/index/stored-index';
import { storedDetails } from '../../recording/find-recordings';
import type { RecordingDetails } from '../../recording/recording-details';
import { sidecarPath } from '../../store/sidecar';
import { asFields } from '../../values/fields';
import { openInArchive } from './stored-content';

/** Far more than the details of any recording; its text is beside it. */
const LONGEST_BYTES = 4 * 1024 * 1024;

/**
 * Completes what the index knows of a file in a folder from the JSON file beside it: somebody may have restored or
 * completed that, and earlier versions of this package knew less of some events.
 *
 * @returns the file as it is known now; the same object when nothing was added
 */
export async function withSidecarDetails(key: FileKey, file: IndexedFile): Promise<IndexedFile> {
  const { recording } = file;
  if (recording.path === undefined || recording.sidecar === null || !lacksDetails(recording)) return file;
  const record = asFields(await readJson(key, sidecarPath(recording.path)));
  if (record === null || record['sha256'] !== recording.sha256) return file;
  const known = storedDetails(record, recording.provider);
  const added: AddedDetails = Object.fromEntries(
    Object.entries(known).filter(
      ([name, value]) => value !== null && recording[name as keyof RecordingDetails] === null
    )
  );
  if (Object.keys(added).length === 0) return file;
  return { ...file, recording: withAdded(recording, added) };
}

function lacksDetails({ from, to, started_at, call_session_id }: RecordingDetails): boolean {
  return [from, to, started_at, call_session_id].includes(null);
}

async function readJson(key: FileKey, file: string): Promise<unknown> {
  try {
    const content = await openInArchive(key, file);
    try {
      if (content.size > LONGEST_BYTES) return null;
      const pieces: Uint8Array[] = [];
      for await (const piece of content.read(0, content.size)) pieces.push(piece);
      return JSON.parse(Buffer.concat(pieces).toString('utf8'));
    } finally {
      await content.close();
    }
  } catch {
    // Without it, the index tells what it knows.
    return null;
  }
}
