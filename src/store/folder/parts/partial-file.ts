import { constants } from 'node:fs';
import { basename, join } from 'node:path';
import { CodedError } from '../../../errors/coded-error';
import type { FileToPublish, PartialCopy, PublishedFile } from '../../destination';
import { sidecarText } from '../../sidecar';
import { storeFault } from '../../store-fault';
import { type ArchiveDirectories, type LeftParts, type PartPaths, nameSegments } from '../archive-path';
import {
  FILE_MODE,
  type FileStat,
  type FileSystem,
  NO_FOLLOW,
  type OpenFile,
  fileBytes,
  removeIfThere
} from '../file-system';
import { type PlacedFile, StagedSidecar, publishFile } from '../publish-file';
import type { PartOwner } from './part-owner';

/** The archive that a partial copy is made for. */
export interface Archive {
  fs: FileSystem;
  /** Absolute path, as the owner spells it. */
  folder: string;
  directories: ArchiveDirectories;
  owner: PartOwner;
  left: LeftParts;
  /** Set once the file system turned out to have no hard links: sidecars then cannot be written ahead. */
  lacksLinks: boolean;
}

/** The partial copy of one job as a file beside the archive. */
export class PartialFile implements PartialCopy {
  readonly #archive: Archive;
  readonly #paths: PartPaths;
  #handle: OpenFile;
  #writer: BatchWriter;
  #accepted: number;
  #isOpen = true;
  #isWrong = false;
  /** The file as it was when all of it was on the disk. */
  #durable: FileStat | undefined;
  #isPlaced = false;

  /** @param handle of the file at `paths.part`, which holds `size` bytes */
  constructor(archive: Archive, paths: PartPaths, handle: OpenFile, size: number) {
    this.#archive = archive;
    this.#paths = paths;
    this.#handle = handle;
    this.#writer = new BatchWriter(handle, size);
    this.#accepted = size;
  }

  get #fs(): FileSystem {
    return this.#archive.fs;
  }

  get size(): number {
    return this.#accepted;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    try {
      await this.#writer.flush();
      yield* fileBytes(this.#fs, this.#paths.part);
    } catch (error) {
      throw storeFault('read the partial copy', error);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(bytes);
      this.#accepted += bytes.length;
    } catch (error) {
      throw storeFault('write the partial copy', error);
    }
  }

  async restart(): Promise<void> {
    try {
      await this.#close();
      // A new file, never a truncated one: if the old one is linked into the archive, it stays.
      await this.#fs.unlink(this.#paths.part);
      this.#handle = await openNewPart(this.#fs, this.#paths.part);
    } catch (error) {
      throw storeFault('start the partial copy over', error);
    }
    this.#isOpen = true;
    this.#isWrong = false;
    this.#durable = undefined;
    this.#accepted = 0;
    this.#writer = new BatchWriter(this.#handle, 0);
  }

  async suspend(): Promise<void> {
    try {
      if (this.#isOpen && this.#mayGoOn) {
        // A full disk refuses the last bytes, not those that are already in the file.
        await this.#writer.flush().catch(() => undefined);
        await refuseShared(this.#handle);
        await this.#handle.truncate(this.#writer.written);
        await this.#handle.sync();
      }
      await this.#close();
      if (this.#mayGoOn && this.#writer.written > 0) {
        await this.#fs.rename(this.#paths.part, this.#paths.held);
        await this.#archive.left.put(basename(this.#paths.held));
      } else await removeIfThere(this.#fs, this.#paths.part);
    } catch {
      await this.discard();
    }
  }

  async discard(): Promise<void> {
    try {
      await this.#close();
    } catch {
      // A handle that cannot be closed is lost anyway; its file still has to be removed.
    }
    await removeIfThere(this.#fs, this.#paths.part);
    await removeIfThere(this.#fs, this.#paths.claim);
  }

  async publish(file: FileToPublish): Promise<PublishedFile> {
    try {
      const segments = nameSegments(file.name);
      const { directories } = this.#archive;
      return await this.#publishAt(segments, file).catch((error: unknown) => {
        if (!directories.mayHaveMoved(error)) throw error;
        return this.#publishAt(segments, file);
      });
    } catch (error) {
      throw storeFault(`store ${printable(file.name)} in ${this.#archive.folder}`, error);
    }
  }

  async #publishAt(segments: string[], file: FileToPublish): Promise<PublishedFile> {
    const { folder, directories } = this.#archive;
    const { part, claim } = this.#paths;
    const { sha256, size } = file;
    const target = join(await directories.make(segments.slice(0, -1)), segments.at(-1) ?? '');
    const sidecar = this.#stagedSidecar(target, join(folder, ...segments), file);
    let sidecarWritten = false;
    try {
      const { dev, ino } = await this.#makeDurable(size);
      const beside = async (placed: PlacedFile): Promise<void> => {
        this.#isPlaced ||= !placed.alreadyStored;
        // It was open until now, so that no other file could get its inode number. Nothing waits for it
        // to close.
        this.#close().catch(() => undefined);
        sidecarWritten = (await sidecar?.place(placed)) ?? false;
        this.#archive.lacksLinks ||= sidecar?.isInVain ?? false;
      };
      const { path, alreadyStored } = await publishFile(this.#fs, {
        part,
        inode: { dev, ino },
        claim,
        target,
        sha256,
        size,
        beside
      });
      // As the owner spells the folder, not where its symbolic links end.
      const location = join(folder, ...segments.slice(0, -1), basename(path));
      return { location, alreadyStored, ...(sidecar !== undefined && { sidecarWritten }) };
    } finally {
      await sidecar?.clearUp();
    }
  }

  /** @param location the target as the owner spells it */
  #stagedSidecar(target: string, location: string, file: FileToPublish): StagedSidecar | undefined {
    if (file.sidecar === undefined || this.#archive.lacksLinks) return undefined;
    return new StagedSidecar(this.#fs, this.#paths.sidecar, target, sidecarText(file.sidecar(location)));
  }

  /** Leaves the file open, so that `suspend` can save its bytes after a failure. */
  async #makeDurable(size: number): Promise<FileStat> {
    if (this.#durable !== undefined) return this.#durable;
    await this.#writer.flush();
    const [synced, found] = await Promise.allSettled([this.#writer.sync(), this.#handle.stat()]);
    if (synced.status === 'rejected') throw synced.reason;
    if (found.status === 'rejected') throw found.reason;
    const held = found.value.size;
    if (held !== size || this.#writer.written !== size) {
      this.#isWrong = true;
      throw new CodedError('STORE_FAILED', `The partial copy holds ${held} bytes instead of ${size}.`, {
        retryable: true
      });
    }
    // Windows may refuse to rename what is open, where a file system has no hard links.
    if (process.platform === 'win32') await this.#close();
    return (this.#durable = found.value);
  }

  get #mayGoOn(): boolean {
    return this.#writer.isTrusted && !this.#isWrong && !this.#isPlaced;
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#writer.halt();
    await this.#handle.close();
  }
}

/** @throws the system's error; `EEXIST` when an earlier attempt left something */
export function openNewPart(fs: FileSystem, path: string): Promise<OpenFile> {
  return fs.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW, FILE_MODE);
}

function printable(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?');
}

/** Bytes gathered into one write. Small enough to keep memory flat, large enough to keep calls few. */
const BATCH_BYTES = 1024 * 1024;
/** Written bytes after which the disk starts to write, so that the last sync has little to do. */
const SYNC_BYTES = 8 * 1024 * 1024;

/**
 * Appends to a file in batches: one batch is written while the next is gathered, and the disk
 * writes back in the background while both go on. At most one write and one sync are under way.
 */
class BatchWriter {
  readonly #handle: OpenFile;
  #position: number;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #unsynced = 0;
  #fault: { error: unknown } | undefined;
  #syncFailed = false;

  /** @param position where to append, in bytes */
  constructor(handle: OpenFile, position: number) {
    this.#handle = handle;
    this.#position = position;
  }

  /** Bytes that certainly are in the file. */
  get written(): number {
    return this.#position;
  }

  /**
   * False after a failed sync: the system may forget which pages never reached the disk, so that
   * neither reading them nor syncing again proves anything.
   */
  get isTrusted(): boolean {
    return !this.#syncFailed;
  }

  /** Takes bytes; resolves when more may come. The bytes must not be changed afterwards. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#raise();
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes < BATCH_BYTES) return;
    await this.#writing;
    this.#raise();
    this.#startWriting();
  }

  /** Resolves when everything taken is in the file (not yet on the disk). */
  async flush(): Promise<void> {
    await this.#writing;
    this.#raise();
    this.#startWriting();
    await this.#writing;
    this.#raise();
  }

  /** Makes everything taken durable. */
  async sync(): Promise<void> {
    await this.flush();
    await this.#syncing;
    this.#raise();
    try {
      await this.#handle.sync();
    } catch (error) {
      this.#syncFailed = true;
      // A second sync must not be trusted.
      this.#fail(error);
      throw error;
    }
  }

  /** Forgets what was not written yet and waits until nothing is under way. Never throws. */
  async halt(): Promise<void> {
    this.#gathered = [];
    this.#gatheredBytes = 0;
    await this.#writing;
    await this.#syncing;
  }

  #raise(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  #startWriting(): void {
    if (this.#gathered.length === 0) return;
    const batch = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#writing = this.#append(batch).then(
      () => this.#startSyncing(),
      (error: unknown) => this.#fail(error)
    );
  }

  async #append(batch: Uint8Array[]): Promise<void> {
    await refuseShared(this.#handle);
    let rest = batch;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest, this.#position);
      this.#position += bytesWritten;
      this.#unsynced += bytesWritten;
      rest = afterBytes(rest, bytesWritten);
    }
  }

  #startSyncing(): void {
    if (this.#unsynced < SYNC_BYTES || this.#syncing !== undefined) return;
    this.#unsynced = 0;
    this.#syncing = this.#handle
      .datasync()
      .catch((error: unknown) => {
        this.#syncFailed = true;
        this.#fail(error);
      })
      .finally(() => (this.#syncing = undefined));
  }

  #fail(error: unknown): void {
    this.#fault ??= { error };
  }
}

/**
 * For a file that may have only one name: a second one means that it was published, and what was published
 * must not change.
 *
 * @throws CodedError `STORE_FAILED`, or the system's error
 */
async function refuseShared(handle: OpenFile): Promise<void> {
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

/** The buffers that remain after the first `count` bytes: a full disk can cut a write short. */
function afterBytes(buffers: Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  for (const [index, buffer] of buffers.entries()) {
    if (skip < buffer.length) return [buffer.subarray(skip), ...buffers.slice(index + 1)];
    skip -= buffer.length;
  }
  return [];
}
