import { basename, dirname, join } from 'node:path';
import { CodedError } from '../../errors/coded-error';
import type { CopyToErase, Permit } from '../destination';
import { readSidecar, sidecarPath } from '../sidecar';
import { isBelow } from './archive-path';
import { type FileSystem, errnoOf, hashFile, syncDirectory, whileBusy } from './file-system';
import { isSetAside } from './quarantine';

/** The folder of an archive, and its disk. */
export interface ErasedFrom {
  fs: FileSystem;
  /** Absolute. */
  folder: string;
}

/**
 * Deletes a stored file for good: its text, the file, damaged copies of it that were set aside, its sidecar. What was
 * deleted stays so after a power cut before the next one goes; with its sidecar last, an interrupted deletion can be
 * repeated. What another program copied or linked elsewhere is not reached.
 *
 * @returns how many files were deleted
 * @throws CodedError as `Destination.erase`; the system's error
 */
export async function eraseFile(from: ErasedFrom, copy: CopyToErase, permit: Permit): Promise<number> {
  const { fs } = from;
  const { location, sha256, text } = copy;
  const sidecar = await readSidecar(location, fs);
  const isOwn = sidecar.ok && sidecar.record['sha256'] === sha256;
  await refuseForeign(from, copy, isOwn);
  const doomed = [
    ...(text === null ? [] : [text]),
    location,
    ...(await damagedCopies(fs, copy)),
    ...(isOwn ? [sidecarPath(location)] : [])
  ];
  for (const path of doomed) await refuseOutside(from, path);
  let removed = 0;
  for (const path of doomed) {
    if (!(await isFile(fs, path))) continue;
    await permit();
    await whileBusy(() => fs.unlink(path));
    await syncDirectory(fs, dirname(path));
    removed += 1;
  }
  return removed;
}

/** A damaged file is the one that its sidecar describes; without a sidecar, only its bytes tell. */
async function refuseForeign(
  { fs }: ErasedFrom,
  { location, sha256 }: CopyToErase,
  isOwn: boolean
): Promise<void> {
  if (isOwn || !(await isFile(fs, location))) return;
  if ((await hashFile(fs, location)).sha256 === sha256) return;
  throw new CodedError(
    'STORE_FAILED',
    `${location} is another file than the recording that was to be deleted. It was left alone.`
  );
}

/** Paths come from an index that is rebuilt from files, so links must not lead out of the archive. */
async function refuseOutside({ fs, folder }: ErasedFrom, path: string): Promise<void> {
  try {
    const [root, directory] = await Promise.all([fs.realpath(folder), fs.realpath(dirname(path))]);
    if (isBelow(directory, root)) return;
  } catch (error) {
    // Nothing is there.
    if (errnoOf(error) === 'ENOENT' && isBelow(path, folder)) return;
    throw error;
  }
  throw new CodedError('STORE_FAILED', `${path} is not in the folder ${folder}. It was left alone.`);
}

/** Damaged copies of this recording, and their sidecars, which name it. */
async function damagedCopies(fs: FileSystem, { location, sha256 }: CopyToErase): Promise<string[]> {
  const folder = dirname(location);
  const start = `${basename(location)}.damaged-`;
  const found: string[] = [];
  for (const name of await namesIn(fs, folder)) {
    if (!name.startsWith(start) || !isSetAside(name) || name.endsWith('.json')) continue;
    const path = join(folder, name);
    const sidecar = await readSidecar(path, fs);
    if (sidecar.ok && sidecar.record['sha256'] === sha256) found.push(path, sidecarPath(path));
  }
  return found;
}

async function namesIn(fs: FileSystem, folder: string): Promise<string[]> {
  try {
    return await fs.readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** @throws CodedError `STORE_FAILED` for a folder, a link or anything else */
async function isFile(fs: FileSystem, path: string): Promise<boolean> {
  try {
    const found = await fs.lstat(path);
    if (found.isFile()) return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  throw new CodedError('STORE_FAILED', `${path} is not a file. It was left alone.`);
}
