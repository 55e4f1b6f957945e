import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { KeyedMutex } from '../../concurrency/keyed-runs';
import {
  FILE_MODE,
  type FileSystem,
  diskTime,
  lacksHardLinks,
  openNew,
  removeIfThere,
  syncDirectory,
  unchangedFor,
  whileBusy
} from './file-system';
import { fateOf, ownProcess } from './parts/part-owner';

/**
 * Creates a file with the given content under a name that must be free, complete from the moment it exists.
 *
 * @throws the system's error; `EEXIST` when the name is taken
 */
export async function writeNewFile(
  fs: FileSystem,
  path: string,
  content: string | Uint8Array
): Promise<void> {
  await withTemporary(fs, path, content, async (temporary) => {
    try {
      await fs.link(temporary, path);
    } catch (error) {
      if (!lacksHardLinks(error)) throw error;
      // Reserve the name exclusively, then replace the reservation with the complete file.
      await (await fs.open(path, 'wx', FILE_MODE)).close();
      await whileBusy(() => fs.rename(temporary, path));
    }
  });
}

/** Replaces a file atomically: readers see the old or the new content, even after a power cut. */
export async function replaceFile(fs: FileSystem, path: string, content: string | Uint8Array): Promise<void> {
  await withTemporary(fs, path, content, (temporary) => whileBusy(() => fs.rename(temporary, path)));
}

const writers = new KeyedMutex();

async function withTemporary(
  fs: FileSystem,
  path: string,
  content: string | Uint8Array,
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

const TEMPORARY = /^\.telnyx-[0-9a-f]{16}(?:\.([0-9a-z.]{1,120}))?\.tmp$/;
/** No write takes this long: the process that began it is gone, even where nothing else shows that. */
const LEFT_MS = 24 * 60 * 60 * 1000;
/** Directories that are remembered as clean. */
const MOST_CLEAN = 1000;

const clean = new WeakMap<FileSystem, Set<string>>();

/**
 * Names a file that is being written. One name for each purpose, so that what an earlier attempt of this
 * process left is found; other processes use other names.
 *
 * @param purpose as text, for example the path that the file will have
 */
export function temporaryName(directory: string, purpose: string): string {
  const name = createHash('sha256').update(purpose).digest('hex').slice(0, 16);
  return join(directory, `.telnyx-${name}.${ownProcess()}.tmp`);
}

/**
 * Clears away what processes that were killed while writing left in a directory: once for each directory.
 * Nothing should wait for that: there may be a million files.
 *
 * @returns when done; never rejects
 */
export async function clearTemporaries(fs: FileSystem, directory: string): Promise<void> {
  let known = clean.get(fs);
  if (known === undefined) clean.set(fs, (known = new Set()));
  if (known.has(directory)) return;
  if (known.size >= MOST_CLEAN) known.clear();
  known.add(directory);
  let now: Promise<number> | undefined;
  await forEachTemporary(fs, directory, async (path, process) => {
    const fate = process === undefined ? 'unknown' : fateOf(process);
    if (process === ownProcess() || fate === 'alive') return;
    if (fate !== 'ended') {
      // The disk is asked only when this machine's own clock, which may be wrong, finds the file old.
      if ((await unchangedFor(fs, path, Date.now())) <= LEFT_MS) return;
      now ??= diskTime(fs, temporaryName(directory, 'the time'));
      if ((await unchangedFor(fs, path, await now)) <= LEFT_MS) return;
    }
    await removeIfThere(fs, path);
  });
}

/**
 * Removes the temporary name of a file that already has its own, left by a process that was killed in
 * between. Does no harm to a process that is about to remove it itself.
 */
export async function removeSecondName(
  fs: FileSystem,
  path: string,
  { dev, ino }: { dev: number; ino: number }
): Promise<void> {
  await forEachTemporary(fs, dirname(path), async (temporary) => {
    const found = await fs.lstat(temporary);
    if (found.ino === ino && found.dev === dev && basename(temporary) !== basename(path))
      await removeIfThere(fs, temporary);
  });
}

/** Never rejects: a hidden file that stays behind does no harm. */
async function forEachTemporary(
  fs: FileSystem,
  directory: string,
  handle: (path: string, process: string | undefined) => Promise<void>
): Promise<void> {
  try {
    for await (const { name } of await fs.opendir(directory, { bufferSize: 512 })) {
      const match = TEMPORARY.exec(name);
      if (match !== null) await handle(join(directory, name), match[1]).catch(() => undefined);
    }
  } catch {
    // See above.
  }
}
