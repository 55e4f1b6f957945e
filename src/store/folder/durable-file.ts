import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '../../errors/coded-error';
import { errnoOf, type FileSystem } from './file-system';
import type { OpenFile } from './open-file';
import { CoalescedRuns } from '../../concurrency/coalesced-runs';

/** Recordings are private: the owner writes, the group may read (backup, file sharing), nobody else. */
export const FILE_MODE = 0o640;
export const DIRECTORY_MODE = 0o750;

const LONGEST_SHOWN = 200;

/** Windows has no such flag; there a link made in the meantime is caught by the exclusive creation. */
export const NO_FOLLOW: number = (constants as { O_NOFOLLOW?: number }).O_NOFOLLOW ?? 0;

/** Where a directory cannot be opened or synced at all (Windows, some network and FUSE file systems). */
const NO_DIRECTORY_SYNC = new Set(['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF']);

const directorySyncs = new WeakMap<FileSystem, CoalescedRuns>();

/**
 * Makes the names in a directory survive a power cut. Many recordings that are stored in one directory at
 * the same time share a sync: one that begins after the call.
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
 * Creates a directory and its parents, each durable in its parent. Level by level, because the recursive `mkdir`
 * calls a read-only disk a missing folder, and never ends where the system lets nobody make folders (`/proc`).
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
        `${shortened(level)} cannot be made: nobody can make folders there.`,
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

/** Repeats what a virus scanner or indexer on Windows holds up for a moment. */
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

/** Deletes a file; that it is not there, or cannot be deleted now, is no error. */
export async function removeIfThere(fs: FileSystem, path: string): Promise<void> {
  try {
    await whileBusy(() => fs.unlink(path), BUSY_WAITS_MS.slice(0, 3));
  } catch {
    // Nothing depends on it: left-overs are hidden names that the next start clears away.
  }
}

/** Creates a file, also in place of one that was left behind under its name: that one is not written into. */
export async function openNew(fs: FileSystem, path: string): Promise<OpenFile> {
  try {
    return await fs.open(path, 'wx', FILE_MODE);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    await removeIfThere(fs, path);
    return await fs.open(path, 'wx', FILE_MODE);
  }
}
