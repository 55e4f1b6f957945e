import { removeIfThere, writeSynced } from './durable-file';
import type { FileSystem } from './file-system';
import type { PlacedFile } from './publish-file';
import { sidecarPath } from './sidecar';

/**
 * The sidecar of a file that is about to get its name. It is written under a hidden name while the file itself
 * is made durable, so that the disk does both in one go, and gets its own name right after the file, so that
 * one sync of the directory does for both.
 *
 * Nothing of this holds up the file: when it does not work out, the sidecar is still to be written.
 */
export class SidecarAhead {
  readonly #prepared: Promise<boolean>;
  #removed: Promise<void> | undefined;

  /**
   * Begins to write it.
   *
   * @param hidden where it lies until it has its name; on the file system of the archive
   * @param file path of the file if it gets the name that `text` tells of
   */
  constructor(
    private readonly fs: FileSystem,
    private readonly hidden: string,
    private readonly file: string,
    text: string
  ) {
    this.#prepared = writeSynced(fs, hidden, text).then(
      () => true,
      () => false
    );
  }

  /** Resolves when its content is durable, or when that failed. Never rejects. */
  async settled(): Promise<void> {
    await this.#prepared;
  }

  /**
   * Gives it its name; that is durable once the directory is synced. Never rejects.
   *
   * @returns false when it is still to be written: the file got another name or was there before, another
   *   file has the name of the sidecar, or the disk refused
   */
  async place({ path, alreadyStored }: PlacedFile): Promise<boolean> {
    if (alreadyStored || path !== this.file || !(await this.#prepared)) return false;
    try {
      await this.fs.link(this.hidden, sidecarPath(path));
    } catch {
      return false;
    }
    this.#removed = removeIfThere(this.fs, this.hidden);
    return true;
  }

  /** Removes the hidden name. Never rejects. */
  async clearUp(): Promise<void> {
    await this.#prepared;
    await (this.#removed ??= removeIfThere(this.fs, this.hidden));
  }
}
