import { constants } from 'node:fs';
import { join } from 'node:path';
import type { LeftPart, PartPaths } from '../archive-path';
import { type FileSystem, NO_FOLLOW, type OpenFile, errnoOf, removeIfThere } from '../file-system';
import type { PartOwner } from './part-owner';

export interface Adoption {
  fs: FileSystem;
  owner: PartOwner;
  /** Where partial copies are. */
  directory: string;
  /** New names for what is adopted. */
  paths: PartPaths;
  /** What earlier processes of the same instance left of the job. */
  left: LeftPart[];
}

/**
 * Takes over the bytes of a job from an earlier process of this instance. No process may have them open: a
 * suspended copy is already closed; the copy of a process that has certainly ended becomes ours by one rename;
 * the bytes of one that may still be alive, held back only by the lease, are copied, so that its late writes go
 * to a file that is never read. Bytes from before a power cut are not trusted.
 *
 * @returns the file, under `paths.part`; null when there is nothing to resume and nothing left of it
 * @throws the system's error
 */
export async function adoptPart(adoption: Adoption): Promise<{ handle: OpenFile; size: number } | null> {
  const { fs, directory, paths, left } = adoption;
  const remove = (part: LeftPart): Promise<void> => removeIfThere(fs, join(directory, part.name));
  const copies = left.filter(({ kind }) => kind === 'part' || kind === 'held');
  // With two copies, it is unknown which one the resume note describes.
  const [copy] = copies.length === 1 ? copies : [];
  const taken = copy !== undefined && (await take(adoption, copy));
  // Before the claim: a process that still lives can no longer publish what it had, so the claim is ours.
  for (const part of copies) if (!taken || part !== copy) await remove(part);
  const [claim, ...others] = left.filter(({ kind }) => kind === 'claim');
  if (claim !== undefined) await fs.rename(join(directory, claim.name), paths.claim).catch(ignoreMissing);
  for (const part of [...others, ...left.filter(({ kind }) => kind === 'sidecar')]) await remove(part);
  return taken ? await opened(fs, paths.part) : null;
}

/** @returns false when the copy is missing or useless */
async function take({ fs, owner, directory, paths }: Adoption, copy: LeftPart): Promise<boolean> {
  const path = join(directory, copy.name);
  const fate = copy.process === null ? 'ended' : owner.fateOf(copy.process);
  if (fate === 'another-boot') return false;
  try {
    const found = await fs.lstat(path);
    // A second link means that it was published and only its old name was left behind.
    if (!found.isFile() || found.nlink > 1) return false;
    if (fate === 'ended') await fs.rename(path, paths.part);
    else {
      await fs.copyFile(path, paths.part, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      await removeIfThere(fs, path);
    }
    return true;
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
}

/** @returns null, and removes the name, when the file has another name, which may be in use */
async function opened(fs: FileSystem, path: string): Promise<{ handle: OpenFile; size: number } | null> {
  const handle = await fs.open(path, constants.O_RDWR | NO_FOLLOW);
  try {
    const { size, nlink } = await handle.stat();
    if (nlink <= 1) return { handle, size };
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
  await handle.close();
  await removeIfThere(fs, path);
  return null;
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}
