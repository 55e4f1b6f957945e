import * as callbacks from 'node:fs';
import { type Stats, constants } from 'node:fs';
import * as nodeFs from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CoalescedRuns } from '../../concurrency/keyed-runs';
import { CodedError } from '../../errors/coded-error';
import { hashStream } from '../hash-stream';

/** What the store asks of a disk. Injected, so that tests can simulate a failing disk. */
export type FileSystem = Pick<
  typeof nodeFs,
  | 'link'
  | 'unlink'
  | 'rename'
  | 'mkdir'
  | 'rmdir'
  | 'stat'
  | 'lstat'
  | 'realpath'
  | 'readFile'
  | 'readdir'
  | 'opendir'
  | 'copyFile'
> & {
  /** @param flags as `fs.open` has them */
  open: (path: string, flags: string | number, mode?: number) => Promise<OpenFile>;
};

/** The calls that every recording needs take the shorter way through Node's callbacks. */
export const realFileSystem: FileSystem = {
  ...nodeFs,
  open: openFile,
  link: promisify(callbacks.link),
  lstat: promisify<string, Stats>(callbacks.lstat) as FileSystem['lstat'],
  rename: promisify(callbacks.rename),
  unlink: promisify(callbacks.unlink)
};

/** The system's name of an error (`ENOSPC`), or an empty text. */
export function errnoOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** The system's data about an open file. `dev` and `ino` together distinguish it from every other. */
export interface FileStat {
  size: number;
  /** Names that it has. */
  nlink: number;
  dev: number;
  ino: number;
  /** Of the last change of the content: milliseconds since 1970. */
  mtimeMs: number;
}

/** An open file: the part of Node's `FileHandle` that the store uses. */
export interface OpenFile {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null
  ): Promise<{ bytesRead: number }>;
  writev(buffers: Uint8Array[], position: number): Promise<{ bytesWritten: number }>;
  /** Writes all of a content, from the current position. */
  writeFile(content: string | Uint8Array): Promise<void>;
  stat(): Promise<FileStat>;
  truncate(length: number): Promise<void>;
  /** Resolves when content and size are durable. */
  sync(): Promise<void>;
  /** Like `sync`, but without what is not needed to read the content. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

const open = promisify(callbacks.open);
const close = promisify(callbacks.close);
const read = promisify(callbacks.read);
const writev = promisify(callbacks.writev);
const writeFile = promisify(callbacks.writeFile);
const fstat = promisify(callbacks.fstat);
const ftruncate = promisify(callbacks.ftruncate);
const fsync = promisify(callbacks.fsync);
const fdatasync = promisify(callbacks.fdatasync);

/**
 * Opens a file. Node's own `FileHandle` uses the main thread for half as long again as its callbacks, which
 * matters for many small recordings.
 *
 * @param flags as `fs.open` has them
 * @throws the system's error, like all methods
 */
export async function openFile(path: string, flags: string | number, mode?: number): Promise<OpenFile> {
  return new Descriptor(await open(path, flags, mode));
}

/** No file. The system gives the number of a closed file to the next one opened. */
const CLOSED = -1;

class Descriptor implements OpenFile {
  #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number | null) {
    return read(this.#fd, buffer, offset, length, position);
  }

  writev(buffers: Uint8Array[], position: number) {
    return writev(this.#fd, buffers, position);
  }

  writeFile(content: string | Uint8Array) {
    return writeFile(this.#fd, content);
  }

  stat() {
    return fstat(this.#fd);
  }

  truncate(length: number) {
    return ftruncate(this.#fd, length);
  }

  sync() {
    return fsync(this.#fd);
  }

  datasync() {
    return fdatasync(this.#fd);
  }

  close() {
    const fd = this.#fd;
    this.#fd = CLOSED;
    return close(fd);
  }
}

/** Recordings are private: the owner writes, the group may read (backup, file sharing), others may not. */
export const FILE_MODE = 0o640;
export const DIRECTORY_MODE = 0o750;

const LONGEST_SHOWN = 200;

/** Windows has no such flag; there, exclusive creation catches a link made in the meantime. */
export const NO_FOLLOW: number = (constants as { O_NOFOLLOW?: number }).O_NOFOLLOW ?? 0;

/**
 * Errors where a directory cannot be opened or synced at all (Windows, some network and FUSE file systems).
 */
const NO_DIRECTORY_SYNC = new Set(['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF']);

const directorySyncs = new WeakMap<FileSystem, CoalescedRuns>();

/**
 * Makes the names in a directory survive a power cut. Recordings that are stored in one directory at the same
 * time share a sync that starts after the call.
 */
export function syncDirectory(fs: FileSystem, directory: string): Promise<void> {
  let syncs = directorySyncs.get(fs);
  if (syncs === undefined) directorySyncs.set(fs, (syncs = new CoalescedRuns()));
  return syncs.run(directory, () => syncNow(fs, directory));
}

async function syncNow(fs: FileSystem, directory: string): Promise<void> {
  try {
    const handle = await fs.open(directory, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const errno = errnoOf(error);
    if (NO_DIRECTORY_SYNC.has(errno) || (errno === 'EACCES' && process.platform === 'win32')) return;
    throw error;
  }
}

/**
 * Creates a directory and its parents, each durable in its parent. Level by level, because the recursive
 * `mkdir` reports a read-only disk as a missing folder, and never ends where folders cannot be created
 * (`/proc`).
 *
 * @throws the system's error; `EEXIST` when something else has that name; CodedError `STORE_FAILED`
 */
export async function makeDirectory(fs: FileSystem, directory: string): Promise<void> {
  const missing: string[] = [];
  let path = directory;
  while (!(await madeOrThere(fs, path))) {
    missing.push(path);
    if (dirname(path) === path) break;
    path = dirname(path);
  }
  for (const level of missing.reverse())
    if (!(await madeOrThere(fs, level)))
      throw new CodedError(
        'STORE_FAILED',
        `${shortened(level)} cannot be made: folders cannot be created there.`,
        {
          retryable: true
        }
      );
}

/** @returns false when its parent is missing, or seems to be */
async function madeOrThere(fs: FileSystem, directory: string): Promise<boolean> {
  try {
    await fs.mkdir(directory, DIRECTORY_MODE);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    // Some systems refuse to create what they would also refuse to write: look first.
    if (await isDirectory(fs, directory)) return true;
    throw error;
  }
  await syncDirectory(fs, dirname(directory));
  return true;
}

/** A path for people to read. */
export function shortened(path: string): string {
  return path.length <= LONGEST_SHOWN ? `"${path}"` : `"${path.slice(0, LONGEST_SHOWN)}…"`;
}

async function isDirectory(fs: FileSystem, path: string): Promise<boolean> {
  try {
    return (await fs.stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** True for the errors of `link` on file systems without hard links, or across two of them. */
export function lacksHardLinks(error: unknown): boolean {
  return WITHOUT_LINKS.has(errnoOf(error));
}

/** exFAT and FAT give EPERM (Linux) or EISDIR (Windows), SMB, FUSE and Android any of the others. */
const WITHOUT_LINKS = new Set(
  'EPERM EACCES ENOTSUP EOPNOTSUPP ENOSYS EXDEV EMLINK EISDIR EINVAL ENOTTY'.split(' ')
);

const BUSY_WAITS_MS = [20, 50, 100, 200, 400, 800];

/** Repeats an action that a virus scanner or indexer on Windows blocks for a moment. */
export async function whileBusy<T>(
  action: () => Promise<T>,
  waits: readonly number[] = BUSY_WAITS_MS
): Promise<T> {
  for (const wait of waits) {
    try {
      return await action();
    } catch (error) {
      const errno = errnoOf(error);
      const held =
        errno === 'EBUSY' || (process.platform === 'win32' && (errno === 'EPERM' || errno === 'EACCES'));
      if (!held) throw error;
      await pause(wait);
    }
  }
  return await action();
}

/** Deletes a file; it is no error if it is missing or cannot be deleted now. */
export async function removeIfThere(fs: FileSystem, path: string): Promise<void> {
  try {
    await whileBusy(() => fs.unlink(path), BUSY_WAITS_MS.slice(0, 3));
  } catch {
    // Nothing depends on it: left-overs are hidden names that the next start clears away.
  }
}

/** Creates a file. One that was left behind under its name is replaced, not written into. */
export async function openNew(fs: FileSystem, path: string): Promise<OpenFile> {
  try {
    return await fs.open(path, 'wx', FILE_MODE);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    await removeIfThere(fs, path);
    return await fs.open(path, 'wx', FILE_MODE);
  }
}

const PIECE_BYTES = 256 * 1024;

/** Reads the bytes of a regular file in order. A symbolic link is not followed (`ELOOP`). */
export async function* fileBytes(fs: FileSystem, path: string): AsyncGenerator<Uint8Array> {
  const handle = await fs.open(path, constants.O_RDONLY | NO_FOLLOW);
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, PIECE_BYTES, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Hex SHA-256 and size of a file, read from the disk. */
export function hashFile(fs: FileSystem, path: string): Promise<{ sha256: string; size: number }> {
  return hashStream(fileBytes(fs, path));
}

/**
 * The time by the clock that stamps the files of a disk; on a network share, that is the clock of another
 * machine. The clock of this one may be wrong.
 *
 * @param probe path of a file that is created for a moment
 * @returns milliseconds since 1970
 * @throws the system's error
 */
export async function diskTime(fs: FileSystem, probe: string): Promise<number> {
  const handle = await openNew(fs, probe);
  try {
    return (await handle.stat()).mtimeMs;
  } finally {
    await handle.close();
    await removeIfThere(fs, probe);
  }
}

/**
 * How long a file has been unchanged.
 *
 * @param now by the clock of its disk
 * @returns milliseconds, never negative: for a file from the future, the clock was wrong then or is wrong now
 * @throws the system's error
 */
export async function unchangedFor(fs: FileSystem, path: string, now: number): Promise<number> {
  const { mtimeMs, ctimeMs } = await fs.lstat(path);
  return Math.abs(now - Math.max(mtimeMs, ctimeMs));
}
