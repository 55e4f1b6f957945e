import { join } from 'node:path';
import { type FileSystem, errnoOf } from '../file-system';
import type { PartOwner } from './part-owner';

/** Hidden, beside the archive: on the same file system, so that a finished copy only needs a name. */
export const PARTIAL_DIRECTORY = '.telnyx-partial';

export const JOB_ID = /^[0-9a-zA-Z_-]{1,100}$/;

/** The names that one attempt has in the hidden directory. No other attempt, of whichever process, uses them. */
export interface PartPaths {
  /** Being written. After a power cut its content is not to be trusted. */
  part: string;
  /** Put aside by `suspend`, after a sync. The one name that the processes of an instance hand on. */
  held: string;
  /** See `publish-file.ts`. */
  claim: string;
  /** See `StagedSidecar`. */
  sidecar: string;
}

type PartKind = keyof PartPaths;

export interface PartName {
  jobId: string;
  kind: PartKind;
  /** Null in the names of former versions, which told neither instance nor process. */
  instance: string | null;
  /** Null for what is `held`: nobody has it open. */
  process: string | null;
}

// Written out, because a pattern that is made at run time is seen by no lint rule.
const OWNED =
  /^([0-9a-zA-Z_-]{1,100})\.([0-9a-f]{16})(?:\.([0-9a-z.]{1,120})\.[0-9a-z]{1,8})?\.(part|held|claim|sidecar)$/;
const FORMER = /^([0-9a-zA-Z_-]{1,128})\.(part|held|claim|sidecar)$/;

let attempts = 0;

/** @returns new names at every call; `held` is the same for all attempts of a job */
export function partPaths(directory: string, jobId: string, { instance, process }: PartOwner): PartPaths {
  const path = join(directory, `${jobId}.${instance}`);
  const attempt = `${path}.${process}.${(attempts++).toString(36)}`;
  return {
    part: `${attempt}.part`,
    held: `${path}.held`,
    claim: `${attempt}.claim`,
    sidecar: `${attempt}.sidecar`
  };
}

/** @returns null for what this package has not named */
export function readPartName(name: string): PartName | null {
  const owned = OWNED.exec(name);
  if (owned !== null) {
    const [, jobId = '', instance = '', process, kind = ''] = owned;
    if ((kind === 'held') !== (process === undefined)) return null;
    return { jobId, kind: kind as PartKind, instance, process: process ?? null };
  }
  const former = FORMER.exec(name);
  if (former === null) return null;
  const [, jobId = '', kind = ''] = former;
  return { jobId, kind: kind as PartKind, instance: null, process: null };
}

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
