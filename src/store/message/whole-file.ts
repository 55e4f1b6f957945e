import { dirname } from 'node:path';
import {
  FILE_MODE,
  lacksHardLinks,
  openNew,
  removeIfThere,
  syncDirectory,
  whileBusy
} from '../folder/durable-file';
import type { FileSystem } from '../folder/file-system';
import { KeyedMutex } from '../../concurrency/keyed-mutex';
import { clearTemporaries, temporaryName } from '../folder/temporary-file';

/**
 * Creates a file with the given content under a name that must be free, complete from its first
 * moment on.
 *
 * @throws the system's error; `EEXIST` when the name is taken
 */
export async function writeNewFile(fs: FileSystem, path: string, content: string): Promise<void> {
  await withTemporary(fs, path, content, async (temporary) => {
    try {
      await fs.link(temporary, path);
    } catch (error) {
      if (!lacksHardLinks(error)) throw error;
      // Reserve the name exclusively, then let the complete file take the place of the reservation.
      await (await fs.open(path, 'wx', FILE_MODE)).close();
      await whileBusy(() => fs.rename(temporary, path));
    }
  });
}

/** Replaces a file at once: readers see the old or the new content, also after a power cut. */
export async function replaceFile(fs: FileSystem, path: string, content: string): Promise<void> {
  await withTemporary(fs, path, content, (temporary) => whileBusy(() => fs.rename(temporary, path)));
}

const writers = new KeyedMutex();

async function withTemporary(
  fs: FileSystem,
  path: string,
  content: string,
  place: (temporary: string) => Promise<void>
): Promise<void> {
  const directory = dirname(path);
  const temporary = temporaryName(directory, path);
  await writers.run(temporary, async () => {
    try {
      const handle = await openNew(fs, temporary);
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await place(temporary);
    } finally {
      await removeIfThere(fs, temporary);
    }
    await syncDirectory(fs, directory);
  });
  void clearTemporaries(fs, directory);
}
