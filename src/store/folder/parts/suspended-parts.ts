import { basename, dirname } from 'node:path';
import type { FileSystem } from '../file-system';

/**
 * Knows which partial copies were put aside, so that the many recordings that never were interrupted need no
 * question to the disk. Names from an earlier process are read once.
 */
export class SuspendedParts {
  readonly #fs: FileSystem;
  #names: Promise<Set<string> | null> | undefined;

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  /** @param path of a copy that was put aside. @returns true also when nobody knows */
  async mayBe(path: string): Promise<boolean> {
    this.#names ??= this.#fs.readdir(dirname(path)).then(
      (names) => new Set(names),
      () => null
    );
    return (await this.#names)?.has(basename(path)) ?? true;
  }

  async put(path: string): Promise<void> {
    (await this.#names)?.add(basename(path));
  }

  async taken(path: string): Promise<void> {
    (await this.#names)?.delete(basename(path));
  }

  /** The directory may be another one now, of a disk that was mounted there. */
  forget(): void {
    this.#names = undefined;
  }
}
