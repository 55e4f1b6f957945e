import { openNew, removeIfThere } from './durable-file';
import type { FileSystem } from './file-system';

/**
 * The time by the clock that gives the files of a disk their times, which on a network share is that of another
 * machine. The clock of this one may be wrong.
 *
 * @param probe path of a file that is made for a moment
 * @returns milliseconds since 1970
 * @throws the system's error
 */
export async function diskTime(fs: FileSystem, probe: string): Promise<number> {
  const handle = await openNew(fs, probe);
  try {
    return (await handle.stat()).mtimeMs;
  } finally {
    await handle.close();
    await removeIfThere(fs, probe);
  }
}

/**
 * How long a file has not changed.
 *
 * @param now by the clock of its disk
 * @returns milliseconds; also for a file from the future, whose clock was wrong then or is wrong now
 * @throws the system's error
 */
export async function unchangedFor(fs: FileSystem, path: string, now: number): Promise<number> {
  const { mtimeMs, ctimeMs } = await fs.lstat(path);
  return Math.abs(now - Math.max(mtimeMs, ctimeMs));
}
