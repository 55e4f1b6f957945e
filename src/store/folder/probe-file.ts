import { basename, join } from 'node:path';
import { storeFault } from '../store-fault';
import { PARTIAL_DIRECTORY, partPaths, readPartName } from './archive-path';
import { errnoOf, openNew, removeIfThere } from './file-system';
import type { Archive } from './parts/partial-file';

/** Takes the place of a job's id in the name. Ids of jobs are longer. */
export const PROBE = 'probe';

/** A file by which others recognise a folder: an instance that finds it under its name sees the same folder. */
export interface ProbeFile {
  /** No other process uses it, nor any other store of this one. */
  readonly name: string;
  /**
   * Creates the file, or a new one in its place.
   *
   * @throws CodedError `STORE_FAILED`
   */
  make(): Promise<void>;
  /**
   * Whether the folder has a file of that name, of this store or another one. Nothing is read, and no link in its place followed.
   *
   * @param name from anywhere; there is no file with a name that no store gives
   * @throws CodedError `STORE_FAILED` when the folder does not say
   */
  isThere(name: string): Promise<boolean>;
  /** Never throws. */
  remove(): Promise<void>;
}

/** @param archive where the file is: beside partial copies, and swept like those */
export function probeFile({
  fs,
  folder,
  directories,
  owner
}: Pick<Archive, 'fs' | 'folder' | 'directories' | 'owner'>): ProbeFile {
  const hidden = join(folder, PARTIAL_DIRECTORY);
  const path = partPaths(hidden, PROBE, owner).claim;
  const name = basename(path);

  /** Empty: a full disk has room for it. */
  async function create(): Promise<void> {
    await directories.make([PARTIAL_DIRECTORY]);
    await (await openNew(fs, path)).close();
  }

  return {
    name,
    make: async () => {
      try {
        await create().catch((error: unknown) => {
          if (!directories.mayHaveMoved(error)) throw error;
          return create();
        });
      } catch (error) {
        throw storeFault(`leave a file for other Node-REDs in ${folder}`, error);
      }
    },
    isThere: async (wanted) => {
      if (readPartName(wanted)?.jobId !== PROBE) return false;
      try {
        await fs.lstat(join(hidden, wanted));
        return true;
      } catch (error) {
        if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
        throw storeFault(`look for the files of other Node-REDs in ${folder}`, error);
      }
    },
    remove: () => removeIfThere(fs, path)
  };
}
