import { join, resolve } from 'node:path';
import { CodedError } from '../../errors/coded-error';
import type { CopyToErase, Destination, PartialCopy, Permit } from '../destination';
import { storeFault } from '../store-fault';
import {
  ArchiveDirectories,
  JOB_ID,
  LeftParts,
  PARTIAL_DIRECTORY,
  nameSegments,
  partPaths
} from './archive-path';
import { checkFolder } from './check-folder';
import { eraseFile } from './erase-file';
import { type FileSystem, hashFile, realFileSystem } from './file-system';
import { folderSidecar } from './folder-sidecar';
import { adoptPart } from './parts/adopt-part';
import type { PartOwner } from './parts/part-owner';
import { type Archive, PartialFile, openNewPart } from './parts/partial-file';
import { sweepParts } from './parts/sweep-parts';
import { type ProbeFile, probeFile } from './probe-file';
import { type Replacement, setAside } from './quarantine';
import { folderTexts } from './transcript-writer';

export interface FolderStoreOptions {
  /** Absolute path of the archive's folder; created when it is missing. */
  folder: string;
  /** The owner of the partial copies: others may store in the same folder. */
  owner: PartOwner;
  fs?: FileSystem;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
}

export interface FolderStore extends Destination {
  readonly kind: 'folder';
  readonly folder: string;
  /** By which others recognise the folder. It is not made yet. */
  readonly probe: ProbeFile;
  /** Also deletes what others left long ago; see `sweep-parts.ts`. */
  sweep(isWanted: (jobId: string) => boolean): Promise<number>;
}

/** A folder on a disk as the archive. */
export function createFolderStore(options: FolderStoreOptions): FolderStore {
  const folder = resolve(options.folder);
  const { owner, fs = realFileSystem } = options;
  const directories = new ArchiveDirectories(fs, folder, options.now);
  const left = new LeftParts(fs, owner);
  const archive: Archive = { fs, folder, directories, owner, left, lacksLinks: false };

  return {
    kind: 'folder',
    folder,
    place: folder,
    probe: probeFile(archive),
    capabilities: { canReadBack: true, canSetAside: true, canPublishAside: true },
    sidecars: folderSidecar,
    transcripts: folderTexts(fs),

    check: () => checkFolder(fs, folder),

    locationOf: (name) => join(folder, ...nameSegments(name)),

    async openPart(jobId: string): Promise<PartialCopy> {
      if (!JOB_ID.test(jobId))
        throw new CodedError('STORE_FAILED', 'A job id may hold letters, digits, "_" and "-" only.');
      try {
        return await openPartial(archive, jobId).catch((error: unknown) => {
          if (!directories.mayHaveMoved(error)) throw error;
          left.forget();
          return openPartial(archive, jobId);
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

    async erase(copy: CopyToErase, permit: Permit): Promise<number> {
      try {
        return await eraseFile({ fs, folder }, copy, permit);
      } catch (error) {
        throw storeFault(`delete ${copy.location}`, error);
      }
    },

    async sweep(isWanted: (jobId: string) => boolean): Promise<number> {
      try {
        return await sweepParts({ fs, folder, owner, isWanted });
      } catch (error) {
        throw storeFault('clear partial copies away', error);
      }
    },

    close: () => Promise.resolve()
  };
}

async function openPartial(archive: Archive, jobId: string): Promise<PartialFile> {
  const { fs, owner, directories } = archive;
  const directory = await directories.make([PARTIAL_DIRECTORY]);
  const paths = partPaths(directory, jobId, owner);
  const left = await archive.left.take(directory, jobId);
  const adopted = left.length === 0 ? null : await adoptPart({ fs, owner, directory, paths, left });
  const { handle, size } = adopted ?? { handle: await openNewPart(fs, paths.part), size: 0 };
  return new PartialFile(archive, paths, handle, size);
}
