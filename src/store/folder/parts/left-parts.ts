import { errnoOf, type FileSystem } from '../file-system';
import { type PartName, readPartName } from './part-names';
import type { PartOwner } from './part-owner';

export interface LeftPart extends PartName {
  /** In the hidden directory. */
  name: string;
}

/**
 * Knows what earlier processes of this instance left, and which copies were put aside, so that the many
 * recordings that never were interrupted need no question to the disk. The directory is read once.
 */
export class LeftParts {
  readonly #fs: FileSystem;
  readonly #owner: PartOwner;
  #parts: Promise<Map<string, LeftPart[]>> | undefined;

  constructor(fs: FileSystem, owner: PartOwner) {
    this.#fs = fs;
    this.#owner = owner;
  }

  /**
   * @param directory where partial copies are
   * @returns what was left of the job. It is the caller's from now on; nobody is told of it again.
   * @throws the system's error
   */
  async take(directory: string, jobId: string): Promise<LeftPart[]> {
    const parts = await this.#known(directory);
    const left = parts.get(jobId) ?? [];
    parts.delete(jobId);
    return left;
  }

  /** A copy was put aside. @param name in the hidden directory */
  async put(name: string): Promise<void> {
    const parts = await this.#parts?.catch(() => undefined);
    if (parts !== undefined) add(parts, name, this.#owner);
  }

  /** The directory may be another one now, of a disk that was mounted there. */
  forget(): void {
    this.#parts = undefined;
  }

  async #known(directory: string): Promise<Map<string, LeftPart[]>> {
    this.#parts ??= this.#read(directory);
    try {
      return await this.#parts;
    } catch (error) {
      this.#parts = undefined;
      throw error;
    }
  }

  async #read(directory: string): Promise<Map<string, LeftPart[]>> {
    const parts = new Map<string, LeftPart[]>();
    for (const name of await this.#names(directory)) add(parts, name, this.#owner);
    return parts;
  }

  async #names(directory: string): Promise<string[]> {
    try {
      return await this.#fs.readdir(directory);
    } catch (error) {
      // A directory may be open for writing and closed for reading: then nothing can be resumed.
      if (errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM') return [];
      throw error;
    }
  }
}

/** What this process has open is nobody's to take. */
function add(parts: Map<string, LeftPart[]>, name: string, owner: PartOwner): void {
  const part = readPartName(name);
  if (part === null || part.instance !== owner.instance || part.process === owner.process) return;
  const left = parts.get(part.jobId)?.filter((one) => one.name !== name) ?? [];
  parts.set(part.jobId, [...left, { ...part, name }]);
}
