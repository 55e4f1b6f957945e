import * as fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { makePrivateDirectory } from '../../state/private-directory';

/** What the log asks of the file system while it writes. Everything rejects with the system's error. */
export interface LogFiles {
  /**
   * Makes a file of zeros that has all of its blocks, so that a later sync of its data writes nothing else.
   * Durable when resolved; leaves nothing when it rejects.
   *
   * @returns its handle, open for reading and writing
   */
  allocate(file: string, bytes: number): Promise<number>;
  write(handle: number, bytes: Buffer, at: number): Promise<void>;
  /** Ends a file at a place. Never rejects: what is behind it only takes room, or does not count anyway. */
  cut(handle: number, bytes: number): Promise<void>;
  /** The data of a file; its size does not change. */
  sync(handle: number): Promise<void>;
  close(handle: number): void;
  /** Gives the first bytes of an open file, which has lost its name, that name again. Durable when resolved. */
  restore(handle: number, bytes: number, file: string): Promise<void>;
  /** Whether a name still leads to an open file, to none, or to another one. */
  place(file: string, handle: number): 'own' | 'none' | 'other';
}

/** Bytes of zeros that are written at once. */
const ZEROS = Buffer.alloc(256 * 1024);

const openFile = promisify(fs.open);
const closeFile = promisify(fs.close);
const syncFile = promisify(fs.fsync);
const writeSome = promisify(fs.write);
const truncateFile = promisify(fs.ftruncate);
const readPart = promisify(fs.read);
const syncData = promisify(fs.fdatasync);

export const systemFiles: LogFiles = {
  async allocate(file, bytes) {
    makePrivateDirectory(path.dirname(file));
    const handle = await openFile(file, 'wx+', 0o600);
    try {
      for (let at = 0; at < bytes; at += ZEROS.length)
        await writeAll(handle, ZEROS.subarray(0, Math.min(ZEROS.length, bytes - at)), at);
      await syncFile(handle);
      await syncDirectory(path.dirname(file));
      return handle;
    } catch (error) {
      fs.rmSync(file, { force: true });
      fs.closeSync(handle);
      throw error;
    }
  },
  write: writeAll,
  cut: (handle, bytes) => truncateFile(handle, bytes).catch(() => undefined),
  sync: (handle) => syncData(handle),
  close: (handle) => fs.closeSync(handle),
  async restore(handle, bytes, file) {
    const copy = await systemFiles.allocate(file, bytes);
    try {
      const some = Buffer.allocUnsafe(ZEROS.length);
      for (let at = 0; at < bytes;) {
        const { bytesRead } = await readPart(handle, some, 0, Math.min(some.length, bytes - at), at);
        if (bytesRead === 0) break;
        await writeAll(copy, some.subarray(0, bytesRead), at);
        at += bytesRead;
      }
      await syncFile(copy);
    } finally {
      fs.closeSync(copy);
    }
  },
  place(file, handle) {
    const named = fs.statSync(file, { throwIfNoEntry: false });
    if (named === undefined) return 'none';
    const { ino, dev } = fs.fstatSync(handle);
    return named.ino === ino && named.dev === dev ? 'own' : 'other';
  }
};

async function writeAll(handle: number, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await writeSome(handle, bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  let handle: number;
  try {
    handle = await openFile(directory, 'r');
  } catch {
    // Not every platform opens a directory; the others keep names in order by themselves.
    return;
  }
  try {
    await syncFile(handle);
  } catch (error) {
    // Windows, and some file systems: they cannot sync a directory, and it is not needed there.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'EINVAL' && code !== 'EISDIR' && code !== 'ENOTSUP') throw error;
  } finally {
    await closeFile(handle);
  }
}

/** @returns as many bytes from a place as there are, at most `length` */
export function readSome(file: string, at: number, length: number): Buffer {
  const handle = fs.openSync(file, 'r');
  try {
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, fs.fstatSync(handle).size - at)));
    let done = 0;
    while (done < bytes.length) {
      const read = fs.readSync(handle, bytes, done, bytes.length - done, at + done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  } finally {
    fs.closeSync(handle);
  }
}

/** As `readSome` to the end of the file, without holding up others. */
export async function readFrom(file: string, at: number, length: number): Promise<Buffer> {
  const handle = await fs.promises.open(file, 'r');
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, size - at)));
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, at + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  } finally {
    await handle.close();
  }
}

/** A file that never gets longer than what is worth keeping. What fails only costs room. */
export function trim(file: string, bytes: number): void {
  try {
    fs.truncateSync(file, bytes);
  } catch {
    // Read-only, or gone.
  }
}

const EXTENSION = '.log';

export function segmentFile(directory: string, number: number): string {
  return path.join(directory, segmentName(number));
}

function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}${EXTENSION}`;
}

/** Numbers of the segments in a directory, in their order. A directory that is missing has none. */
export function segmentNumbers(directory: string): number[] {
  let names: string[];
  try {
    names = fs.readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .map((name) => ({ name, number: Number(name.slice(0, -EXTENSION.length)) }))
    .filter(({ name, number }) => number > 0 && name === segmentName(number))
    .map(({ number }) => number)
    .sort((a, b) => a - b);
}

/** Where damaged bytes of a segment are copied to. One place has one name, so that it is told of once. */
export function asideFile(directory: string, number: number, at: number): string {
  return path.join(directory, `${String(number).padStart(8, '0')}-${at}.damaged`);
}
