import { constants } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '../../errors/coded-error';
import { sidecarPath } from '../sidecar';
import { nameVariants } from './archive-path';
import {
  FILE_MODE,
  type FileSystem,
  errnoOf,
  hashFile,
  lacksHardLinks,
  openNew,
  removeIfThere,
  syncDirectory,
  whileBusy
} from './file-system';
import { clearTemporaries, temporaryName } from './whole-file';

interface Publication {
  /** The complete, synced copy. It is gone afterwards. */
  part: string;
  /** The inode of that file, as its writer knows it. */
  inode: Inode;
  /** Wanted place; its directory exists. */
  target: string;
  /** A name beside the part, free for notes of this job. */
  claim: string;
  sha256: string;
  size: number;
  /** Names what becomes durable together with the file. Must not reject. */
  beside: (placed: PlacedFile) => Promise<void>;
}

interface Inode {
  dev: number;
  ino: number;
}

export interface PlacedFile {
  path: string;
  /** True when the same bytes already existed. */
  alreadyStored: boolean;
}

/**
 * Gives a complete copy its name. `link` does that in one step that fails when the name is taken, so nothing
 * is overwritten and nothing incomplete is visible. When other bytes have the wanted name: `name_2.ext` …
 * `name_9.ext`, then `name_<start of the hash>.ext`.
 *
 * @returns where the bytes are; `alreadyStored` when they already existed
 * @throws the system's error, or CodedError `STORE_FAILED`
 */
export async function publishFile(fs: FileSystem, publication: Publication): Promise<PlacedFile> {
  const { part, target, sha256, size, beside } = publication;
  const place = new Placement(fs, publication);
  try {
    for (const path of nameVariants(target, sha256.slice(0, 16))) {
      const placed = await place.at(path);
      if (placed) await proveSame(fs, path, publication);
      if (!placed && !(await holdsSameBytes(fs, path, sha256, size))) continue;
      const file = { path, alreadyStored: !placed };
      await beside(file);
      await syncDirectory(fs, dirname(path));
      await removeIfThere(fs, part);
      return file;
    }
  } finally {
    await place.clearUp();
  }
  throw new CodedError(
    'STORE_FAILED',
    `The name ${basename(target)} and all its variants are taken by other files.`
  );
}

/** Gives one file the first free name, by whatever means the file system has. */
class Placement {
  readonly #fs: FileSystem;
  readonly #publication: Publication;
  #source: string;
  #hardLinks = true;

  constructor(fs: FileSystem, publication: Publication) {
    this.#fs = fs;
    this.#publication = publication;
    this.#source = publication.part;
  }

  /** @returns false when the name is taken */
  async at(path: string): Promise<boolean> {
    if (!this.#hardLinks) return await this.#byReservation(path);
    try {
      await whileBusy(() => this.#fs.link(this.#source, path));
      return true;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EEXIST') return false;
      if (!lacksHardLinks(error)) throw error;
      if (errno === 'EXDEV' && this.#source === this.#publication.part) await this.#copyBeside(path);
      else this.#hardLinks = false;
      return await this.at(path);
    }
  }

  async clearUp(): Promise<void> {
    if (this.#source !== this.#publication.part) await removeIfThere(this.#fs, this.#source);
  }

  /**
   * Without hard links: reserve the name with an empty file, which fails when it is taken, then rename the
   * complete file over the reservation. If the process dies between the two, the claim on disk shows the next
   * attempt that the empty file is its own.
   */
  async #byReservation(path: string): Promise<boolean> {
    const { claim } = this.#publication;
    if (!(await this.#isOwnReservation(path))) {
      await this.#writeClaim(path);
      try {
        await (await this.#fs.open(path, 'wx', FILE_MODE)).close();
      } catch (error) {
        await removeIfThere(this.#fs, claim);
        if (errnoOf(error) === 'EEXIST') return false;
        throw error;
      }
    }
    await whileBusy(() => this.#fs.rename(this.#source, path));
    await syncDirectory(this.#fs, dirname(path));
    await removeIfThere(this.#fs, claim);
    return true;
  }

  async #isOwnReservation(path: string): Promise<boolean> {
    try {
      if ((await this.#fs.readFile(this.#publication.claim, 'utf8')) !== path) return false;
      const found = await this.#fs.lstat(path);
      return found.isFile() && found.size === 0;
    } catch {
      return false;
    }
  }

  async #writeClaim(path: string): Promise<void> {
    const handle = await this.#fs.open(this.#publication.claim, 'w', FILE_MODE);
    try {
      await handle.writeFile(path);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** The target is on another file system (a mounted subfolder): copy the bytes there, hidden, and check them. */
  async #copyBeside(path: string): Promise<void> {
    const { part, sha256, size } = this.#publication;
    const copy = temporaryName(dirname(path), part);
    this.#source = copy;
    void clearTemporaries(this.#fs, dirname(path));
    await this.#fs.copyFile(part, copy, constants.COPYFILE_EXCL);
    const handle = await this.#fs.open(copy, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    const copied = await hashFile(this.#fs, copy);
    if (copied.sha256 !== sha256 || copied.size !== size)
      throw new CodedError('STORE_FAILED', 'The copy on the other disk does not match; check that disk.', {
        retryable: true
      });
  }
}

/**
 * Makes sure that the name leads to the very file that was written and hashed. Where a file system renumbers
 * its files at every look, and for a copy on another disk, the bytes are read back instead.
 *
 * @throws CodedError `STORE_FAILED`
 */
async function proveSame(fs: FileSystem, path: string, { inode, sha256, size }: Publication): Promise<void> {
  const found = await fs.lstat(path);
  if (found.ino === inode.ino && found.dev === inode.dev && found.size === size) return;
  if (found.isFile() && found.size === size && (await hashFile(fs, path)).sha256 === sha256) return;
  // This name was given just now. Bytes that also have another one are not lost with it.
  const now = await fs.lstat(path);
  if (now.nlink > 1 && now.ino === found.ino) await removeIfThere(fs, path);
  throw new CodedError('STORE_FAILED', 'Another program put other bytes in place of the partial copy.', {
    retryable: true
  });
}

/** Together they are as long as a busy disk or network share takes for a rename. */
const RESERVATION_WAITS_MS = [50, 100, 200, 400, 800];

async function holdsSameBytes(fs: FileSystem, path: string, sha256: string, size: number): Promise<boolean> {
  let found = await fs.lstat(path);
  // An empty file may be the reservation of a job that is just about to put the same bytes there.
  for (const wait of RESERVATION_WAITS_MS) {
    if (found.size > 0 || !found.isFile()) break;
    await pause(wait);
    found = await fs.lstat(path);
  }
  return found.isFile() && found.size === size && (await hashFile(fs, path)).sha256 === sha256;
}

/**
 * The sidecar of a file that is about to get its name. It is written under a hidden name while the file
 * itself is made durable, so that the disk does both in one go, and gets its own name right after the file,
 * so that one sync of the directory covers both.
 *
 * None of this holds up the file: if it fails, the sidecar still has to be written.
 */
export class StagedSidecar {
  readonly #fs: FileSystem;
  readonly #hidden: string;
  readonly #file: string;
  readonly #prepared: Promise<boolean>;
  #closed: Promise<void> | undefined;
  #removed: Promise<void> | undefined;
  #isInVain = false;

  /**
   * Starts to write it.
   *
   * @param hidden where it is until it has its name; on the file system of the archive
   * @param file path of the file if it gets the name in `text`
   */
  constructor(fs: FileSystem, hidden: string, file: string, text: string) {
    this.#fs = fs;
    this.#hidden = hidden;
    this.#file = file;
    this.#prepared = this.#write(text).then(
      () => true,
      () => false
    );
  }

  async #write(text: string): Promise<void> {
    const handle = await openNew(this.#fs, this.#hidden);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      this.#closed = handle.close().catch(() => undefined);
    }
  }

  /** Whether the file system cannot do this for any file. */
  get isInVain(): boolean {
    return this.#isInVain;
  }

  /**
   * Names it as soon as its content is durable; the name is durable once the directory is synced. Never
   * rejects.
   *
   * @returns false when it still needs to be written: the file got another name or already existed, another
   *   file has the name of the sidecar, or the disk failed
   */
  async place({ path, alreadyStored }: PlacedFile): Promise<boolean> {
    if (alreadyStored || path !== this.#file || !(await this.#prepared)) return false;
    try {
      await this.#fs.link(this.#hidden, sidecarPath(path));
    } catch (error) {
      this.#isInVain = lacksHardLinks(error);
      return false;
    }
    this.#removed = removeIfThere(this.#fs, this.#hidden);
    return true;
  }

  /** Removes the hidden name. Never rejects. */
  async clearUp(): Promise<void> {
    await this.#prepared;
    await Promise.all([this.#closed, (this.#removed ??= removeIfThere(this.#fs, this.#hidden))]);
  }
}
