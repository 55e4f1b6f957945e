import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '../errors/coded-error';
import type { BucketStore } from '../store/bucket/bucket-store';
import { bucketLocation, keyOfLocation } from '../store/bucket/object-key';
import type { KnownCopy } from '../store/destination';
import { PARTIAL_DIRECTORY } from '../store/folder/archive-path';
import { errnoOf, fileBytes, realFileSystem } from '../store/folder/file-system';
import { hashStream } from '../store/hash-stream';
import { storeFault } from '../store/store-fault';
import { type StoredRecording, knownCopy } from '../store/stored-recording';

/** The result of reading a stored copy. `archive` names its folder or bucket, if known. */
export type CopyState =
  | { kind: 'read'; archive: string; sha256: string; size: number }
  /** It is not in its place, but its archive seems to be there. */
  | { kind: 'missing'; archive: string }
  /** Unknown. */
  | { kind: 'unreadable'; error: CodedError };

type Place = Pick<StoredRecording, 'path' | 'bucket' | 'key' | 'version_id' | 'size'>;

/** Faults of this one file: its bytes are lost. */
const FAULTS_OF_FILE = new Set(['EIO', 'ELOOP', 'EISDIR']);
/** Folders whose archive is remembered; an archive of many years has one for each day. */
const MOST_FOLDERS = 10_000;

/** Reads stored copies from where they are. */
export class CopyReader {
  readonly #buckets: () => Iterable<BucketStore>;
  readonly #signal: AbortSignal;
  /** By folder. */
  readonly #archives = new Map<string, string>();

  /**
   * @param buckets those available now
   * @param signal ends a running read: files may be large, and disks slow
   */
  constructor(buckets: () => Iterable<BucketStore>, signal: AbortSignal) {
    this.#buckets = buckets;
    this.#signal = signal;
  }

  /** @throws `signal.reason` when aborted, nothing else */
  async read(recording: Place): Promise<CopyState> {
    const { path: file, bucket, key } = recording;
    if (file !== undefined) return await this.#readFile(file);
    if (bucket !== undefined && key !== undefined)
      return await unlessAborted(
        readObject({ bucket, key, copy: knownCopy(recording) }, this.#buckets()),
        this.#signal
      );
    return {
      kind: 'unreadable',
      error: new CodedError('STORE_FAILED', 'The index does not say where the file is.')
    };
  }

  async #readFile(file: string): Promise<CopyState> {
    const folder = path.dirname(file);
    try {
      const content = await hashStream(fileBytes(realFileSystem, file), this.#signal);
      return { kind: 'read', archive: await this.#archiveOf(folder), ...content };
    } catch (error) {
      if (this.#signal.aborted) throw this.#signal.reason;
      const errno = errnoOf(error);
      if (FAULTS_OF_FILE.has(errno))
        return { kind: 'read', archive: await this.#archiveOf(folder), sha256: '', size: -1 };
      if (errno !== 'ENOENT') return { kind: 'unreadable', error: storeFault(`read ${file}`, error) };
      const archive = await archiveStillThere(folder);
      return archive === null
        ? { kind: 'unreadable', error: archiveGone(file) }
        : { kind: 'missing', archive };
    }
  }

  async #archiveOf(folder: string): Promise<string> {
    const known = this.#archives.get(folder);
    if (known !== undefined) return known;
    const archive = (await archiveAbove(folder)) ?? NO_ARCHIVE;
    if (this.#archives.size >= MOST_FOLDERS) this.#archives.clear();
    this.#archives.set(folder, archive);
    return archive;
  }
}

/** Stands for the archive of files that no download node put where they are. */
const NO_ARCHIVE = 'other folders';

/** @returns the result of the work, unless the signal fires first; the work then ends by itself */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Whether a missing file was removed, rather than its whole disk: its folder is not empty, or a parent folder
 * is one that this package stores in. An unmounted disk leaves an empty folder.
 *
 * @returns null when its archive does not exist
 */
async function archiveStillThere(folder: string): Promise<string | null> {
  const archive = await archiveAbove(folder);
  if (archive !== null) return archive;
  const names = await readdir(folder).catch(() => []);
  return names.length > 0 ? NO_ARCHIVE : null;
}

/** @returns the parent folder that this package stores in; null if there is none */
async function archiveAbove(folder: string): Promise<string | null> {
  for (let above = folder; above !== path.dirname(above); above = path.dirname(above)) {
    const found = await stat(path.join(above, PARTIAL_DIRECTORY)).catch(() => null);
    if (found?.isDirectory() === true) return above;
  }
  return null;
}

/** Never rejects. */
async function readObject(
  { bucket, key, copy }: { bucket: string; key: string; copy: KnownCopy },
  stores: Iterable<BucketStore>
): Promise<CopyState> {
  const store = [...stores].find(
    ({ settings }) => settings.bucket === bucket && key.startsWith(settings.prefix)
  );
  if (store === undefined) return { kind: 'unreadable', error: bucketNotAtHand(bucket) };
  const location = bucketLocation(bucket, key);
  const archive = `the bucket ${bucket}`;
  try {
    const { kind } = await store.objects.probe(keyOfLocation(store.settings, location), copy.versionId);
    return kind === 'missing'
      ? { kind, archive }
      : { kind: 'read', archive, ...(await store.readBack(location, copy)) };
  } catch (error) {
    return { kind: 'unreadable', error: storeFault(`read ${location}`, error) };
  }
}

function archiveGone(file: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `${path.dirname(file)} is not there or empty, as when a disk is not mounted, so its files were not counted as missing. ` +
      'Mount the disk and check again. When they were deleted on purpose, have the recording list node send ' +
      '"everything in the list", and they are fetched again.'
  );
}

function bucketNotAtHand(bucket: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `Files in the bucket ${bucket} could not be read: no download node that stores there is running. Deploy one and ` +
      'check again.'
  );
}
