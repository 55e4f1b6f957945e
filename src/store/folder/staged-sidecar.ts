import { lacksHardLinks, openNew, removeIfThere } from './durable-file';
import type { FileSystem } from './file-system';
import type { PlacedFile } from './publish-file';
import { sidecarPath } from '../sidecar';

/**
 * The sidecar of a file that is about to get its name. It is written under a hidden name while the file itself
 * is made durable, so that the disk does both in one go, and gets its own name right after the file, so that
 * one sync of the directory does for both.
 *
 * Nothing of this holds up the file: when it does not work out, the sidecar is still to be written.
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
   * Begins to write it.
   *
   * @param hidden where it is until it has its name; on the file system of the archive
   * @param file path of the file if it gets the name that `text` tells of
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
   * Gives it its name as soon as its content is durable; the name is so once the directory is synced. Never
   * rejects.
   *
   * @returns false when it is still to be written: the file got another name or was there before, another
   *   file has the name of the sidecar, or the disk refused
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
