import { dirname } from 'node:path';
import { lacksHardLinks, removeIfThere, syncDirectory, whileBusy } from './durable-file';
import { hashFile } from './file-hash';
import { errnoOf, type FileSystem } from './file-system';
import { sidecarPath } from './sidecar';

const DAMAGED = /\.damaged-\d{8}T\d{6}Z(_\d+)?(\.json)?$/;
/** Damaged copies of one file within one second. */
const MOST_VARIANTS = 100;

/** Whether a name is that of a damaged file that was set aside, or of its sidecar. */
export function isSetAside(name: string): boolean {
  return DAMAGED.test(name);
}

/** What was to lie at a place, and what comes there. */
export interface Replacement {
  /** Hex SHA-256 of what was stored there. */
  expected: string;
  /** Hex SHA-256 of the fresh copy. */
  fresh: string;
}

/**
 * Frees the name of a stored file that is no longer what it was, for a fresh copy. Nothing is deleted: file and
 * sidecar get the name `<name>.damaged-<time>` and `<name>.damaged-<time>.json`. A file that is intact
 * after all keeps its name. Of a file that is gone, a sidecar that does not fit the fresh copy is set aside.
 *
 * @param path of the stored file
 * @param now milliseconds since 1970
 * @returns the new path of the damaged file; null when there was none
 * @throws the system's error
 */
export async function setAside(
  fs: FileSystem,
  path: string,
  { expected, fresh }: Replacement,
  now: number
): Promise<string | null> {
  const time = `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const state = await stateOf(fs, path, expected);
  if (state === 'intact') return null;
  if (state === 'missing') {
    if (expected !== fresh)
      await moveBeside(fs, sidecarPath(path), (tail) => `${path}.damaged-${time}${tail}.json`);
    return null;
  }
  const aside = await moveBeside(fs, path, (tail) => `${path}.damaged-${time}${tail}`);
  if (aside !== null) await moveBeside(fs, sidecarPath(path), () => sidecarPath(aside));
  return aside;
}

async function stateOf(
  fs: FileSystem,
  path: string,
  expected: string
): Promise<'intact' | 'missing' | 'damaged'> {
  try {
    const found = await fs.lstat(path);
    // What is no file at all is somebody else's business.
    if (!found.isFile()) return 'intact';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'missing';
    throw error;
  }
  try {
    return (await hashFile(fs, path)).sha256 === expected ? 'intact' : 'damaged';
  } catch {
    // A disk that cannot read the bytes may still give the file another name.
    return 'damaged';
  }
}

/** @returns where it went; null when it was not there */
async function moveBeside(
  fs: FileSystem,
  path: string,
  nameWith: (tail: string) => string
): Promise<string | null> {
  for (let number = 1; number <= MOST_VARIANTS; number += 1) {
    const wanted = nameWith(number === 1 ? '' : `_${number}`);
    try {
      await move(fs, path, wanted);
      await syncDirectory(fs, dirname(path));
      return wanted;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT') return null;
      if (errno !== 'EEXIST') throw error;
    }
  }
  return null;
}

/** Never over anything else, as far as the file system can say. */
async function move(fs: FileSystem, from: string, to: string): Promise<void> {
  try {
    await whileBusy(() => fs.link(from, to));
    await removeIfThere(fs, from);
  } catch (error) {
    if (!lacksHardLinks(error)) throw error;
    // Without hard links: reserve the name, then let the file take the place of the reservation.
    await (await fs.open(to, 'wx')).close();
    await whileBusy(() => fs.rename(from, to));
  }
}
