import { uptime } from 'node:os';
import { join, resolve } from 'node:path';
import { CodedError } from '../errors/coded-error';
import { ArchiveDirectories } from './archive-path';
import { setAside, type Replacement } from './damaged-file';
import { removeIfThere } from './durable-file';
import { hashFile } from './file-hash';
import { errnoOf, realFileSystem, type FileSystem } from './file-system';
import { HeldCopies } from './held-copies';
import { type Archive, openNewPart, PartialFile, type PartPaths } from './partial-file';
import type { DamagedCopies, PartialCopy, ReadBack, Store } from './store';
import { storeFault } from './store-fault';

/** Hidden, beside the archive: on the same file system, so that a finished copy only needs a name. */
export const PARTIAL_DIRECTORY = '.telnyx-partial';

export interface FolderStoreOptions {
  /** Absolute path of the archive's folder; created when it is missing. */
  folder: string;
  fs?: FileSystem;
  /** When the machine was started, in milliseconds since 1970. */
  bootTime?: () => number;
  /** Milliseconds of a clock that nobody sets. */
  now?: () => number;
}

export interface FolderStore extends Store, ReadBack, DamagedCopies {
  readonly destination: 'folder';
  readonly folder: string;
  /**
   * Deletes partial copies of jobs that no longer exist.
   *
   * @param isWanted whether a job still exists
   * @returns how many files were deleted
   */
  sweepPartialCopies(isWanted: (jobId: string) => boolean): Promise<number>;
}

/** A folder on a disk as the archive. */
export function createFolderStore(options: FolderStoreOptions): FolderStore {
  const folder = resolve(options.folder);
  const fs = options.fs ?? realFileSystem;
  const directories = new ArchiveDirectories(fs, folder, options.now);
  const held = new HeldCopies(fs);
  const archive: Archive = { fs, folder, directories, held, lacksLinks: false };
  const bootTime = options.bootTime ?? (() => Date.now() - uptime() * 1000);

  return {
    destination: 'folder',
    folder,

    async openPart(jobId: string): Promise<PartialCopy> {
      if (!/^[0-9a-zA-Z_-]{1,128}$/.test(jobId))
        throw new CodedError('STORE_FAILED', 'A job id may hold letters, digits, "_" and "-" only.');
      const open = async (): Promise<PartialCopy> =>
        openPartial(archive, partPaths(await directories.make([PARTIAL_DIRECTORY]), jobId), bootTime);
      try {
        return await open().catch((error: unknown) => {
          if (!directories.mayHaveMoved(error)) throw error;
          held.forget();
          return open();
        });
      } catch (error) {
        throw storeFault(`open a partial copy in ${folder}`, error);
      }
    },

    async readBack(location: string) {
      try {
        return await hashFile(fs, location);
      } catch (error) {
        throw storeFault('read the stored copy back', error);
      }
    },

    async setAside(location: string, replacement: Replacement): Promise<string | null> {
      try {
        return await setAside(fs, location, replacement, Date.now());
      } catch (error) {
        throw storeFault('set a damaged copy aside', error);
      }
    },

    async sweepPartialCopies(isWanted: (jobId: string) => boolean): Promise<number> {
      const directory = join(folder, PARTIAL_DIRECTORY);
      try {
        const names = await fs.readdir(directory);
        const abandoned = names.filter((name) => {
          const jobId = /^([0-9a-zA-Z_-]{1,128})\.(part|held|claim|sidecar)$/.exec(name)?.[1];
          return jobId !== undefined && !isWanted(jobId);
        });
        for (const name of abandoned) await removeIfThere(fs, join(directory, name));
        return abandoned.length;
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return 0;
        throw storeFault('clear partial copies away', error);
      }
    }
  };
}

function partPaths(directory: string, jobId: string): PartPaths {
  const path = join(directory, jobId);
  return { part: `${path}.part`, held: `${path}.held`, claim: `${path}.claim`, sidecar: `${path}.sidecar` };
}

async function openPartial(archive: Archive, paths: PartPaths, bootTime: () => number): Promise<PartialFile> {
  const { fs } = archive;
  // Mostly no earlier attempt left anything: then this is all.
  const fresh = await openNewPart(fs, paths.part).catch(ignoreTaken);
  const held = await takeHeldPart(archive, paths).catch(async (error: unknown) => {
    await fresh?.close();
    throw error;
  });
  if (fresh !== undefined && !held) return new PartialFile(archive, paths, fresh, 0);
  await fresh?.close();
  if (await isOwnFile(fs, paths.part, held ? 0 : bootTime())) return await PartialFile.goOn(archive, paths);
  await fs.unlink(paths.part).catch(ignoreMissing);
  return new PartialFile(archive, paths, await openNewPart(fs, paths.part), 0);
}

/** Bytes that were put aside were synced. @returns false when there are none */
async function takeHeldPart({ fs, held }: Archive, paths: PartPaths): Promise<boolean> {
  if (!(await held.mayBe(paths.held))) return false;
  try {
    await fs.rename(paths.held, paths.part);
    await held.taken(paths.held);
    return true;
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
}

/**
 * Whether bytes of an earlier attempt may be gone on with. Those that a killed process left are whole as
 * long as the machine itself stayed up; after a power cut, blocks in the middle may have never been
 * written.
 */
async function isOwnFile(fs: FileSystem, path: string, changedAfter: number): Promise<boolean> {
  try {
    const found = await fs.lstat(path);
    // A second link means that it was published and only its old name was left behind.
    return found.isFile() && found.nlink === 1 && found.mtimeMs > changedAfter;
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

function ignoreTaken(error: unknown): undefined {
  if (errnoOf(error) !== 'EEXIST') throw error;
  return undefined;
}
