import { dirname } from 'node:path';
import { sidecarPath } from '../sidecar';
import {
  FILE_MODE,
  type FileSystem,
  errnoOf,
  hashFile,
  lacksHardLinks,
  removeIfThere,
  syncDirectory,
  whileBusy
} from './file-system';

const DAMAGED = /\.damaged-\d{8}T\d{6}Z(_\d+)?(\.json)?$/;
/** Damaged copies of one file within one second. */
const MOST_VARIANTS = 100;

/** Whether a name is that of a damaged file that was set aside, or of its sidecar. */
export function isSetAside(name: string): boolean {
  return DAMAGED.test(name);
}

/** What should be at a place, and what replaces it. */
export interface Replacement {
  /** Hex SHA-256 of what was stored there. */
  expected: string;
  /** Hex SHA-256 of the fresh copy. */
  fresh: string;
}

/**
 * Frees the name of a damaged file for a fresh copy. Nothing is deleted: file and sidecar get the name
 * `<name>.damaged-<time>` and `<name>.damaged-<time>.json`. A file that is intact after all keeps its name. For
 * a missing file, a sidecar that does not match the fresh copy is set aside.
 *
 * @param path of the stored file
 * @param now milliseconds since 1970
 * @returns the new path of the damaged file; null if there is none
 * @throws the system's error
 */
export async function setAside(
  fs: FileSystem,
  path: string,
  { expected, fresh }: Replacement,
  now: number
): Promise<string | null> {
  const time = `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const { state, inode } = await look(fs, path, expected);
  if (state === 'intact') return null;
  const sidecar = sidecarPath(path);
  const isOutdated = async (moved: string): Promise<boolean> =>
    expected === fresh || (await sha256In(fs, moved)) !== fresh;
  if (state === 'missing') {
    if (expected !== fresh) {
      const aside = await reserve(fs, (tail) => `${path}.damaged-${time}${tail}.json`);
      if (aside !== null) await moveOnto(fs, sidecar, aside, isOutdated);
    }
    return null;
  }
  const aside = await reserve(fs, (tail) => `${path}.damaged-${time}${tail}`);
  if (aside === null) return null;
  // Before the file: while that has the name, no fresh sidecar of another process can be beside it.
  const asideSidecar = await reserve(fs, (tail) => `${aside}${tail}.json`);
  const hasSidecar = asideSidecar !== null && (await moveOnto(fs, sidecar, asideSidecar, isOutdated));
  const isMoved = await moveOnto(fs, path, aside, async (moved) => (await fs.lstat(moved)).ino === inode);
  if (!isMoved && hasSidecar) await putBack(fs, asideSidecar, sidecar);
  await syncDirectory(fs, dirname(path));
  return isMoved ? aside : null;
}

async function look(
  fs: FileSystem,
  path: string,
  expected: string
): Promise<{ state: 'intact' | 'missing' | 'damaged'; inode: number }> {
  let inode: number;
  try {
    const found = await fs.lstat(path);
    inode = found.ino;
    // Anything that is not a file is left alone.
    if (!found.isFile()) return { state: 'intact', inode };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { state: 'missing', inode: 0 };
    throw error;
  }
  try {
    return { state: (await hashFile(fs, path)).sha256 === expected ? 'intact' : 'damaged', inode };
  } catch {
    // A disk that cannot read the bytes may still give the file another name.
    return { state: 'damaged', inode };
  }
}

/** Reserves a free name with an empty file. @returns null if there is none */
async function reserve(fs: FileSystem, nameWith: (tail: string) => string): Promise<string | null> {
  for (let number = 1; number <= MOST_VARIANTS; number += 1) {
    const name = nameWith(number === 1 ? '' : `_${number}`);
    try {
      await (await fs.open(name, 'wx', FILE_MODE)).close();
      return name;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
  return null;
}

/**
 * Moves a file onto a reservation, in one step. Another process may have put a fresh copy there a moment
 * before: what turns out to be the wrong file is moved back.
 *
 * @returns false when nothing was moved; the reservation is then gone
 */
async function moveOnto(
  fs: FileSystem,
  from: string,
  to: string,
  isRight: (moved: string) => Promise<boolean>
): Promise<boolean> {
  try {
    await whileBusy(() => fs.rename(from, to));
  } catch (error) {
    await removeIfThere(fs, to);
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  if (await isRight(to)) return true;
  await putBack(fs, to, from);
  return false;
}

/** Never overwrites anything. */
async function putBack(fs: FileSystem, from: string, to: string): Promise<void> {
  try {
    await whileBusy(() => fs.link(from, to));
    await removeIfThere(fs, from);
  } catch (error) {
    if (!lacksHardLinks(error)) return;
    try {
      await (await fs.open(to, 'wx', FILE_MODE)).close();
      await whileBusy(() => fs.rename(from, to));
    } catch {
      // The name was taken meanwhile. Nothing is lost: the bytes keep the other one.
    }
  }
}

/** @returns null for anything but a sidecar */
async function sha256In(fs: FileSystem, path: string): Promise<unknown> {
  try {
    const record: unknown = JSON.parse(await fs.readFile(path, 'utf8'));
    return typeof record === 'object' && record !== null && 'sha256' in record ? record.sha256 : null;
  } catch {
    return null;
  }
}
