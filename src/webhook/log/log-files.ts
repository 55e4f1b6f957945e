import * as fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { makePrivateDirectory } from '../../state/private-directory';

/** The file system operations that writing the log needs. All of them reject with the system's error. */
export interface LogFiles {
  /**
   * Creates a file of zeros with all of its blocks allocated, so that a later data sync writes nothing else.
   * Durable when resolved; leaves nothing when it rejects.
   *
   * @returns its handle, open for reading and writing
   */
  allocate(file: string, bytes: number): Promise<number>;
  /** As the next ones, it blocks the event loop for a few bytes on a quick disk: waking another thread takes longer. */
  write(handle: number, bytes: Buffer, at: number): Promise<void>;
  /** As `write` and `sync` of these bytes alone: what was written before and not synced stays so. */
  writeThrough(handle: number, bytes: Buffer, at: number): Promise<void>;
  /** Truncates a file. Never rejects: what remains after the end only takes space, or is ignored anyway. */
  cut(handle: number, bytes: number): Promise<void>;
  /**
   * Syncs the data of a file, whose size does not change.
   *
   * @param bytes that were written since the last sync, if known
   */
  sync(handle: number, bytes?: number): Promise<void>;
  close(handle: number): void;
  /**
   * Creates a file as `allocate` does, with the first bytes of an open file that has lost its name.
   *
   * @param size of the new file, at least `bytes`
   * @returns its handle; the open file stays open
   */
  restore(handle: number, bytes: number, target: { file: string; size: number }): Promise<number>;
  /** Whether a name still refers to an open file, to no file, or to another one. */
  place(file: string, handle: number): 'own' | 'none' | 'other';
}

/**
 * Second handles for writing through, by the first one: a write and its sync are then one task of the thread pool. Only on
 * Linux: on macOS such a write does not reach the disk, and Windows does not know them.
 */
const throughHandles = new Map<number, number>();

/** What an open file is, by its handle: that never changes, and is compared with its name for each group. */
const identities = new Map<number, { ino: number; dev: number }>();

/** Bytes that are few: a dozen deliveries. For more, the event loop has something else to do meanwhile. */
export const FEW_BYTES = 16 * 1024;

/** Milliseconds that a write may take on average where the event loop waits for it. */
const QUICK_MS = 0.7;

/** How much a single write counts in that average. */
const WEIGHT = 1 / 16;

/** Milliseconds for which it does not wait after that, at first and at most; each time is twice as long. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** By how much quick writes shorten the next pause: about 70 of them halve it. */
const FORGIVING = 0.99;

/**
 * Decides whether a disk is so quick that the event loop can wait for it. A slow one is tried again only seldom, and one that
 * stalls now and then more seldom each time.
 */
export class DiskPace {
  readonly #now: () => number;
  #average = 0;
  #pause = FIRST_PAUSE_MS;
  #slowUntil = -Infinity;

  /** @param now milliseconds of a monotonic clock */
  constructor(now = (): number => performance.now()) {
    this.#now = now;
  }

  get isQuick(): boolean {
    return this.#now() >= this.#slowUntil;
  }

  /** Runs something that waits for the disk. */
  measure(write: () => void): void {
    const begun = this.#now();
    write();
    const now = this.#now();
    this.#average += (now - begun - this.#average) * WEIGHT;
    if (this.#average <= QUICK_MS) {
      this.#pause = Math.max(FIRST_PAUSE_MS, this.#pause * FORGIVING);
      return;
    }
    this.#slowUntil = now + this.#pause;
    this.#pause = Math.min(LONGEST_PAUSE_MS, 2 * this.#pause);
    // The next one decides again.
    this.#average = QUICK_MS;
  }
}

/** Zeros that are written at once. */
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
      await openThrough(file, handle);
      return handle;
    } catch (error) {
      fs.rmSync(file, { force: true });
      identities.delete(handle);
      fs.closeSync(handle);
      throw error;
    }
  },
  ...writingAtPace(new DiskPace()),
  cut: (handle, bytes) => truncateFile(handle, bytes).catch(() => undefined),
  close(handle) {
    const through = throughHandles.get(handle);
    throughHandles.delete(handle);
    identities.delete(handle);
    if (through !== undefined) fs.closeSync(through);
    fs.closeSync(handle);
  },
  async restore(handle, bytes, { file, size }) {
    const copy = await systemFiles.allocate(file, size);
    try {
      const some = Buffer.allocUnsafe(ZEROS.length);
      for (let at = 0; at < bytes;) {
        const { bytesRead } = await readPart(handle, some, 0, Math.min(some.length, bytes - at), at);
        if (bytesRead === 0) break;
        await writeAll(copy, some.subarray(0, bytesRead), at);
        at += bytesRead;
      }
      await syncFile(copy);
      return copy;
    } catch (error) {
      systemFiles.close(copy);
      throw error;
    }
  },
  place(file, handle) {
    const named = fs.statSync(file, { throwIfNoEntry: false });
    if (named === undefined) return 'none';
    const { ino, dev } = identities.get(handle) ?? fs.fstatSync(handle);
    return named.ino === ino && named.dev === dev ? 'own' : 'other';
  }
};

/** Without a second handle, `writeThrough` syncs. */
async function openThrough(file: string, handle: number): Promise<void> {
  const { ino, dev } = fs.fstatSync(handle);
  identities.set(handle, { ino, dev });
  if (process.platform !== 'linux') return;
  const through = await openFile(file, fs.constants.O_WRONLY | fs.constants.O_DSYNC);
  const other = fs.fstatSync(through);
  // The file may have been replaced meanwhile.
  if (ino === other.ino && dev === other.dev) throughHandles.set(handle, through);
  else fs.closeSync(through);
}

/** The operations that wait for the disk. @param pace that of the disk */
export function writingAtPace(pace: DiskPace): Pick<LogFiles, 'write' | 'writeThrough' | 'sync'> {
  const isQuick = (bytes: number): boolean => bytes <= FEW_BYTES && pace.isQuick;
  const write: LogFiles['write'] = async (handle, bytes, at) => {
    if (isQuick(bytes.length)) writeAllNow(handle, bytes, at);
    else await writeAll(handle, bytes, at);
  };
  const sync: LogFiles['sync'] = async (handle, bytes = Infinity) => {
    if (isQuick(bytes)) pace.measure(() => fs.fdatasyncSync(handle));
    else await syncData(handle);
  };
  return {
    write,
    async writeThrough(handle, bytes, at) {
      const through = throughHandles.get(handle);
      if (through === undefined) {
        await write(handle, bytes, at);
        await sync(handle, bytes.length);
      } else if (isQuick(bytes.length)) pace.measure(() => writeAllNow(through, bytes, at));
      else await writeAll(through, bytes, at);
    },
    sync
  };
}

function writeAllNow(handle: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length;)
    done += fs.writeSync(handle, bytes, done, bytes.length - done, at + done);
}

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
    // Some platforms cannot open a directory; they make names durable by themselves.
    return;
  }
  try {
    await syncFile(handle);
  } catch (error) {
    // Windows and some file systems cannot sync a directory, and do not need it.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'EINVAL' && code !== 'EISDIR' && code !== 'ENOTSUP') throw error;
  } finally {
    await closeFile(handle);
  }
}

/** Bytes that are read together where a disk cannot read more at once: what is lost to a bad sector. */
const SECTOR = 4096;

/** Receives how many bytes the disk could not read; they are zeros in the result. */
export type OnUnreadable = (bytes: number) => void;

/**
 * @param onUnreadable left out: an unreadable place is an error
 * @returns the bytes from `at` on, at most `length`
 */
export function readSome(file: string, at: number, length: number, onUnreadable?: OnUnreadable): Buffer {
  const handle = fs.openSync(file, 'r');
  try {
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, fs.fstatSync(handle).size - at)));
    let done = 0;
    let lost = 0;
    let isBad = false;
    while (done < bytes.length) {
      const sector = SECTOR - ((at + done) % SECTOR);
      const wanted = Math.min(isBad ? sector : bytes.length, bytes.length - done);
      try {
        const read = fs.readSync(handle, bytes, done, wanted, at + done);
        if (read === 0) break;
        done += read;
      } catch (error) {
        if (onUnreadable === undefined || !isBadSector(error)) throw error;
        if (wanted <= sector) {
          bytes.fill(0, done, done + wanted);
          done += wanted;
          lost += wanted;
        }
        isBad = true;
      }
    }
    if (lost > 0) onUnreadable?.(lost);
    return bytes.subarray(0, done);
  } finally {
    fs.closeSync(handle);
  }
}

function isBadSector(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EIO';
}

/** As `readSome`, without blocking the event loop unless the disk is bad. */
export async function readFrom(
  file: string,
  at: number,
  length: number,
  onUnreadable: OnUnreadable
): Promise<Buffer> {
  try {
    return await readAtEase(file, at, length);
  } catch (error) {
    if (isBadSector(error)) return readSome(file, at, length, onUnreadable);
    throw error;
  }
}

async function readAtEase(file: string, at: number, length: number): Promise<Buffer> {
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

/** Truncates a file to what is worth keeping. A failure only costs space. */
export function trim(file: string, bytes: number): void {
  try {
    fs.truncateSync(file, bytes);
  } catch {
    // Read-only, or gone.
  }
}

const EXTENSION = '.log';
const ASIDE_EXTENSION = '.damaged';

export function segmentFile(directory: string, number: number): string {
  return path.join(directory, segmentName(number));
}

function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}${EXTENSION}`;
}

/** Higher numbers do not fit into the head of a segment, or leave no room for the next ones. */
const HIGHEST_NUMBER = 2 ** 31;

/** Numbers of the segments in a directory, ascending. A missing directory has none. */
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
    .filter(({ name, number }) => number > 0 && number < HIGHEST_NUMBER && name === segmentName(number))
    .map(({ number }) => number)
    .sort((a, b) => a - b);
}

/** Where damaged bytes of a segment are copied to. Each damaged place has one name, so that it is reported once. */
export function asideFile(directory: string, number: number, at: number): string {
  return path.join(directory, `${String(number).padStart(8, '0')}-${at}${ASIDE_EXTENSION}`);
}

/** Whether a name is that of such a copy. */
export function isAside(name: string): boolean {
  return name.endsWith(ASIDE_EXTENSION) && Number(name.slice(0, name.indexOf('-'))) > 0;
}
