import { type FileKey, kindOfFormat } from '../../archive/index/search-entries';
import type { IndexedFile } from '../../archive/index/stored-index';
import { type StoredContent, openContent, openInArchive } from './stored-content';

/** Bytes of a text that are read; more is no transcript of a call. */
export const LONGEST_TEXT = 1024 * 1024;

interface Stored {
  key: FileKey;
  file: Pick<IndexedFile, 'recording'>;
}

/**
 * The text of a recording that is in a file: beside the recording, or the file itself.
 *
 * @param buckets empty: only files in folders are read
 * @returns at most `LONGEST_TEXT` bytes of it; null when there is none, or it cannot be read now
 */
export async function textInFile(
  stored: Stored,
  buckets: Parameters<typeof openContent>[1]
): Promise<string | null> {
  const { transcription_file, format, path } = stored.file.recording;
  try {
    if (kindOfFormat(format) === 'text') return await textOf(await openContent(stored, buckets));
    // Of a text in a bucket, the index has a copy.
    if (transcription_file === undefined || path === undefined) return null;
    return await textOf(await openInArchive(stored.key, transcription_file));
  } catch {
    return null;
  }
}

async function textOf(content: StoredContent): Promise<string> {
  try {
    const pieces: Uint8Array[] = [];
    for await (const piece of content.read(0, Math.min(content.size, LONGEST_TEXT))) pieces.push(piece);
    return Buffer.concat(pieces).toString('utf8');
  } finally {
    await content.close();
  }
}
