import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { CodedError } from '../../errors/coded-error';

/** What the system says of an open file. `dev` and `ino` together tell it from every other. */
export interface FileStat {
  size: number;
  /** Names that it has. */
  nlink: number;
  dev: number;
  ino: number;
  /** Of the last change of the content: milliseconds since 1970. */
  mtimeMs: number;
}

/** An open file: what the store uses of Node's `FileHandle`, which is one too. */
export interface OpenFile {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null
  ): Promise<{ bytesRead: number }>;
  writev(buffers: Uint8Array[], position: number): Promise<{ bytesWritten: number }>;
  /** Writes all of a text, from where the file stands. */
  writeFile(text: string): Promise<void>;
  stat(): Promise<FileStat>;
  truncate(length: number): Promise<void>;
  /** Resolves when content and size are durable. */
  sync(): Promise<void>;
  /** As `sync`, without what is not needed to read the content. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

const open = promisify(fs.open);
const close = promisify(fs.close);
const read = promisify(fs.read);
const writev = promisify(fs.writev);
const writeFile = promisify(fs.writeFile);
const fstat = promisify(fs.fstat);
const ftruncate = promisify(fs.ftruncate);
const fsync = promisify(fs.fsync);
const fdatasync = promisify(fs.fdatasync);

/**
 * Opens a file. Node's own `FileHandle` takes half as much again of the main thread as its callbacks do, which
 * tells where many small recordings are stored.
 *
 * @param flags as `fs.open` has them
 * @throws the system's error, as all methods do
 */
export async function openFile(path: string, flags: string | number, mode?: number): Promise<OpenFile> {
  return new Descriptor(await open(path, flags, mode));
}

/**
 * For a file that only one name may have: a second one means that it was published, and by that name it must
 * stay what it is.
 *
 * @throws CodedError `STORE_FAILED`, or the system's error
 */
export async function refuseShared(handle: OpenFile): Promise<void> {
  const { nlink } = await handle.stat();
  if (nlink > 1)
    throw new CodedError(
      'STORE_FAILED',
      'The partial copy has a second name, so nothing is written into it.',
      {
        retryable: true
      }
    );
}

/** No file. The system gives the number of a closed one to the next that is opened. */
const CLOSED = -1;

class Descriptor implements OpenFile {
  #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number | null) {
    return read(this.#fd, buffer, offset, length, position);
  }

  writev(buffers: Uint8Array[], position: number) {
    return writev(this.#fd, buffers, position);
  }

  writeFile(text: string) {
    return writeFile(this.#fd, text);
  }

  stat() {
    return fstat(this.#fd);
  }

  truncate(length: number) {
    return ftruncate(this.#fd, length);
  }

  sync() {
    return fsync(this.#fd);
  }

  datasync() {
    return fdatasync(this.#fd);
  }

  close() {
    const fd = this.#fd;
    this.#fd = CLOSED;
    return close(fd);
  }
}
