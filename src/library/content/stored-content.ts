import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { type IndexedFile, StoredRecordings } from '../../archive/index/stored-index';
import type { FileKey } from '../../archive/index/search-entries';
import { CodedError } from '../../errors/coded-error';
import type { BucketStore } from '../../store/bucket/bucket-store';
import type { FoundObject } from '../../store/bucket/objects';
import { bucketLocation, keyOfLocation } from '../../store/bucket/object-key';
import { isBelow } from '../../store/folder/archive-path';
import { NO_FOLLOW, errnoOf } from '../../store/folder/file-system';
import { storeFault } from '../../store/store-fault';
import { knownCopy } from '../../store/stored-recording';

/** The bytes of a stored file. Close it. */
export interface StoredContent {
  /** Bytes that are there now; the index says how many were stored. */
  readonly size: number;
  /** Differs once the file was replaced or written to; as far as the store tells. */
  readonly version: string;
  /**
   * @param start first byte
   * @param end the byte behind the last one; at most `size`
   * @param signal ends what waits for a store
   * @throws CodedError `STORE_FAILED`, also when the file ends early, or an object is replaced meanwhile
   */
  read(start: number, end: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** The buckets that are in use, each with where the index says its files are. */
type Buckets = Iterable<Pick<BucketStore, 'place' | 'settings' | 'objects'>>;

/**
 * Opens a stored file that the index knows. A path must not lead out of the folder of its archive, whatever
 * links others have put there since.
 *
 * @throws CodedError `STORE_FAILED` that says what to do
 */
export async function openContent(
  { key, file }: { key: FileKey; file: Pick<IndexedFile, 'recording'> },
  buckets: Buckets,
  signal?: AbortSignal
): Promise<StoredContent> {
  const { recording } = file;
  if (recording.path !== undefined) return await openInArchive(key, recording.path);
  if (recording.bucket !== undefined && recording.key !== undefined)
    return await openObject(
      { key, recording: { ...recording, bucket: recording.bucket, key: recording.key } },
      buckets,
      signal
    );
  throw new CodedError(
    'STORE_FAILED',
    'The index does not say where the file is: it was only sent in a message.'
  );
}

/**
 * Opens a file beside a stored one, such as its text.
 *
 * @param key of the stored file
 * @param beside absolute path; from a file that others can write
 * @throws CodedError `STORE_FAILED`, also when it is outside the folder of the archive
 */
export async function openInArchive(key: FileKey, beside: string): Promise<StoredContent> {
  const root = archiveRoot(key, beside);
  if (root === null)
    throw new CodedError(
      'STORE_FAILED',
      `${beside} is not in the folder that it was stored in. Rebuild the index of the folder with a recording list node.`
    );
  try {
    return await openBelow(beside, root);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT')
      throw new CodedError(
        'STORE_FAILED',
        `${beside} is not there. Look whether its disk is mounted and whether the file was moved or deleted.`,
        { cause: error }
      );
    throw storeFault(`open ${beside}`, error);
  }
}

/** The folder above a file whose digest is that of its destination: the folder of the download node. */
export function archiveRoot(key: FileKey, file: string): string | null {
  if (!path.isAbsolute(file) || path.normalize(file) !== file) return null;
  for (let above = path.dirname(file); ; above = path.dirname(above)) {
    if (StoredRecordings.isAt(key, above)) return above;
    if (above === path.dirname(above)) return null;
  }
}

/** A pipe in the place of a file would otherwise wait for a writer. Windows has no such flag, and no such pipes. */
const NO_WAITING: number = (constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0;

async function openBelow(file: string, root: string): Promise<FolderContent> {
  const realRoot = await realpath(root);
  const real = await realpath(file);
  if (!isBelow(real, realRoot) || !(await lstat(file)).isFile()) throw leadsOut(file);
  const handle = await open(real, constants.O_RDONLY | NO_FOLLOW | NO_WAITING);
  try {
    const opened = await handle.stat();
    // A folder above may have been replaced by a link between the look and the opening.
    const now = await realpath(file);
    const there = await lstat(now);
    const isSame = there.ino === opened.ino && there.dev === opened.dev;
    if (!opened.isFile() || !isSame || !isBelow(now, realRoot)) throw leadsOut(file);
    return new FolderContent(handle, opened, file);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function leadsOut(file: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `${file} is a link that leads out of the folder of the archive, or no file at all; it is not read.`
  );
}

const PIECE_BYTES = 256 * 1024;

class FolderContent implements StoredContent {
  readonly size: number;
  readonly version: string;
  readonly #handle: FileHandle;
  readonly #file: string;

  constructor(handle: FileHandle, { size, mtimeMs }: { size: number; mtimeMs: number }, file: string) {
    this.#handle = handle;
    this.size = size;
    this.version = `${size} ${mtimeMs}`;
    this.#file = file;
  }

  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end;) {
      // Of its own: the piece before may still be on its way to a socket.
      const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at));
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, at).catch((error: unknown) => {
        throw storeFault(`read ${this.#file}`, error);
      });
      if (bytesRead === 0)
        throw new CodedError('STORE_FAILED', `${this.#file} became shorter while it was read.`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

interface ObjectPlace {
  key: FileKey;
  recording: IndexedFile['recording'] & { bucket: string; key: string };
}

async function openObject(
  { key, recording }: ObjectPlace,
  buckets: Buckets,
  signal: AbortSignal | undefined
): Promise<StoredContent> {
  const { bucket, key: objectKey } = recording;
  const stores = [...buckets];
  const store =
    stores.find(({ place }) => StoredRecordings.isAt(key, place)) ??
    stores.find(({ settings }) => settings.bucket === bucket && objectKey.startsWith(settings.prefix));
  if (store === undefined)
    throw new CodedError(
      'STORE_FAILED',
      `The file is in the bucket ${bucket}, and no download node that stores there is running. Deploy one, then try again.`
    );
  const location = bucketLocation(bucket, objectKey);
  const { versionId } = knownCopy(recording);
  const name = keyOfLocation(store.settings, location);
  const { size, etag } = await findObject(store, { name, versionId, location, signal });
  return {
    size,
    version: JSON.stringify([size, versionId, etag]),
    read: (start, end, ending) =>
      readObject(store, { name, versionId, etag, location }, { start, end, signal: ending }),
    close: () => Promise.resolve()
  };
}

type Store = Pick<BucketStore, 'objects'>;

interface ObjectName {
  name: string;
  versionId: string | null;
  location: string;
}

/** @throws CodedError `STORE_FAILED` when it is not there, or the key may not read it */
async function findObject(
  { objects }: Store,
  { name, versionId, location, signal }: ObjectName & { signal: AbortSignal | undefined }
): Promise<FoundObject> {
  const found = await objects.probe(name, versionId, signal);
  if (found.kind === 'object') return found;
  if (found.kind === 'missing')
    throw new CodedError('STORE_FAILED', `${location} is not there. Look whether it was moved or deleted.`);
  // To name a version takes a permission of its own, also when it is the current one.
  const current = versionId === null ? found : await objects.probe(name, null, signal);
  if (current.kind === 'object' && current.versionId === versionId) return current;
  const right = versionId === null ? 's3:GetObject' : 's3:GetObject and s3:GetObjectVersion';
  throw new CodedError(
    'STORE_FAILED',
    `The access key of the bucket may not read ${location}, or it is not there: without s3:ListBucket the store does not ` +
      `tell. Permit ${right}, and s3:ListBucket.`
  );
}

/** Bytes of an object that are read at once. A player that pauses for an hour holds no connection to the store. */
const WINDOW_BYTES = 2 * 1024 * 1024;
/** Those that are read first: each seek begins anew, and a player is to begin soon also where the store is slow. */
const FIRST_BYTES = 256 * 1024;

async function* readObject(
  { objects }: Store,
  { name, versionId, etag, location }: ObjectName & { etag: string | null },
  { start, end, signal }: { start: number; end: number; signal: AbortSignal | undefined }
): AsyncGenerator<Uint8Array> {
  let most = FIRST_BYTES;
  for (let at = start; at < end;) {
    const range = { start: at, end: Math.min(at + most, end) };
    const read = await objects.read(name, { versionId, range, most: range.end - range.start, signal });
    if (etag !== null && read.etag !== null && read.etag !== etag) {
      await read.bytes.return(undefined);
      throw new CodedError('STORE_FAILED', `${location} was replaced while it was read. Open it again.`);
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of read.bytes) pieces.push(piece);
    const window = Buffer.concat(pieces);
    if (window.length !== range.end - range.start)
      throw new CodedError('STORE_FAILED', 'The bucket sent another part of the file than it was asked for.');
    at = range.end;
    most = Math.min(2 * most, WINDOW_BYTES);
    yield window;
  }
}
