import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { StoredRecording } from '../archive/stored-recording';
import { CodedError } from '../errors/coded-error';
import { bucketLocation, keyOfLocation } from '../store/bucket-key';
import type { BucketStore } from '../store/bucket-store';
import { hashFile } from '../store/file-hash';
import { errnoOf, realFileSystem } from '../store/file-system';
import { PARTIAL_DIRECTORY } from '../store/folder-store';
import { storeFault } from '../store/store-fault';

/** What was found when a stored copy was read. */
export type CopyState =
  | { kind: 'read'; sha256: string; size: number }
  /** It is not in its place, and its archive is there. */
  | { kind: 'missing' }
  /** Nothing can be said of it. */
  | { kind: 'unreadable'; error: CodedError };

/** Faults of this one file: its bytes are lost, whatever they were. */
const FAULTS_OF_FILE = new Set(['EIO', 'ELOOP', 'EISDIR']);

/**
 * Reads a stored copy from where it lies.
 *
 * @param buckets those that are at hand
 * @returns never rejects
 */
export async function readCopy(
  { path: file, bucket, key }: Pick<StoredRecording, 'path' | 'bucket' | 'key'>,
  buckets: Iterable<BucketStore>
): Promise<CopyState> {
  if (file !== undefined) return await readFileCopy(file);
  if (bucket !== undefined && key !== undefined) return await readObject(bucket, key, buckets);
  return {
    kind: 'unreadable',
    error: new CodedError('STORE_FAILED', 'The index does not say where the file is.')
  };
}

async function readFileCopy(file: string): Promise<CopyState> {
  try {
    return { kind: 'read', ...(await hashFile(realFileSystem, file)) };
  } catch (error) {
    const errno = errnoOf(error);
    if (FAULTS_OF_FILE.has(errno)) return { kind: 'read', sha256: '', size: -1 };
    if (errno === 'ENOENT' && (await isArchiveThere(file))) return { kind: 'missing' };
    return {
      kind: 'unreadable',
      error: errno === 'ENOENT' ? archiveGone(file) : storeFault(`read ${file}`, error)
    };
  }
}

/**
 * Whether a missing file was removed, rather than its whole disk: its folder is there with something in it, or
 * a folder above it is one that this package stores in. A disk that is not mounted leaves an empty folder.
 */
async function isArchiveThere(file: string): Promise<boolean> {
  const folder = path.dirname(file);
  const names = await readdir(folder).catch(() => []);
  if (names.length > 0) return true;
  for (let above = folder; above !== path.dirname(above); above = path.dirname(above)) {
    const mark = path.join(above, PARTIAL_DIRECTORY);
    const found = await stat(mark).catch(() => null);
    if (found?.isDirectory() === true) return true;
  }
  return false;
}

async function readObject(bucket: string, key: string, stores: Iterable<BucketStore>): Promise<CopyState> {
  const store = [...stores].find(
    ({ settings }) => settings.bucket === bucket && key.startsWith(settings.prefix)
  );
  if (store === undefined) return { kind: 'unreadable', error: bucketNotAtHand(bucket) };
  const location = bucketLocation(bucket, key);
  try {
    const { kind } = await store.objects.probe(keyOfLocation(store.settings, location));
    return kind === 'missing' ? { kind } : { kind: 'read', ...(await store.readBack(location)) };
  } catch (error) {
    return { kind: 'unreadable', error: storeFault(`read ${location}`, error) };
  }
}

function archiveGone(file: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `${path.dirname(file)} is not there or empty, as when a disk is not mounted, so its files were not counted as missing. ` +
      'Mount the disk and check again. When they were deleted on purpose, list "all" to have them fetched again.'
  );
}

function bucketNotAtHand(bucket: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `Files in the bucket ${bucket} could not be read: no download node that stores there is running. Deploy one and ` +
      'check again.'
  );
}
