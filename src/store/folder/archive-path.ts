import { extname, isAbsolute, join, sep } from 'node:path';
import { CodedError } from '../../errors/coded-error';
import { shownText } from '../../text/shown-text';
import { type FileSystem, errnoOf, makeDirectory } from './file-system';
import type { PartOwner } from './parts/part-owner';

/** Splits a wanted name into its segments; the naming step made them safe, and this makes sure. */
export function nameSegments(name: string): string[] {
  const segments = name.split('/');
  for (const segment of segments)
    if (segment === '' || segment === '.' || segment === '..' || /[\0\\]/.test(segment))
      throw refused(`The name "${shownText(name)}" is not a safe path.`);
  if (isAbsolute(name) || /^[a-z]:/i.test(name)) throw refused('The name is an absolute path.');
  return segments;
}

/** Milliseconds for which a directory is assumed to be unchanged: long enough for a batch of recordings. */
const KNOWN_MS = 1000;
const MOST_KNOWN = 100;
const MOVED = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** The directories of one archive: created when missing, and never followed out of its folder. */
export class ArchiveDirectories {
  readonly #fs: FileSystem;
  readonly #folder: string;
  readonly #now: () => number;
  /** Real path of the folder when it was last checked step by step. */
  #root: string | undefined;
  /** The directories that were checked last: where partial copies are, and where files go. */
  readonly #known = new Map<string, { real: string; at: number }>();

  /**
   * @param folder absolute; may itself be a symbolic link, which is the owner's choice
   * @param now milliseconds of a monotonic clock
   */
  constructor(fs: FileSystem, folder: string, now: () => number = () => performance.now()) {
    this.#fs = fs;
    this.#folder = folder;
    this.#now = now;
  }

  /**
   * Creates the directories, one at a time, and refuses when one of them is a symbolic link to a place
   * outside of the folder.
   *
   * @returns the directory's real path
   * @throws CodedError `STORE_FAILED`, or the system's error
   */
  async make(segments: string[]): Promise<string> {
    const path = [this.#folder, ...segments].join(sep);
    const known = this.#known.get(path);
    if (known !== undefined && this.#now() - known.at < KNOWN_MS) return known.real;
    const real = (await this.#found(path)) ?? (await this.#made(segments));
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(path, { real, at: this.#now() });
    return real;
  }

  /**
   * Whether a fault may come from a folder that was removed, or a disk that was unmounted, since it was
   * checked. If so, everything is checked again.
   */
  mayHaveMoved(error: unknown): boolean {
    if (!MOVED.has(errnoOf(error))) return false;
    this.#known.clear();
    this.#root = undefined;
    return true;
  }

  /**
   * The usual case, with one system call instead of three for each segment: all of them exist.
   *
   * @returns null when something has changed; the step-by-step check finds out what
   */
  async #found(path: string): Promise<string | null> {
    if (this.#root === undefined) return null;
    try {
      const real = await this.#fs.realpath(path);
      return isBelow(real, this.#root) ? real : null;
    } catch {
      return null;
    }
  }

  async #made(segments: string[]): Promise<string> {
    const fs = this.#fs;
    const folder = this.#folder;
    try {
      await makeDirectory(fs, folder);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      throw new CodedError('STORE_FAILED', `"${folder}" is in the way: a folder is needed there.`, {
        cause: error,
        retryable: true
      });
    }
    const root = await fs.realpath(folder);
    let real = root;
    for (const segment of segments) {
      const wanted = join(real, segment);
      try {
        await makeDirectory(fs, wanted);
      } catch (error) {
        // A dangling link makes mkdir say EEXIST; a plain file ENOTDIR or EEXIST.
        if (errnoOf(error) === 'EEXIST')
          throw refused(`"${wanted}" is in the way: a folder is needed there.`);
        throw error;
      }
      real = await fs.realpath(wanted);
      if (!isBelow(real, root))
        throw refused(
          `"${wanted}" is a symbolic link that leads out of the archive's folder; it is not followed.`
        );
    }
    this.#root = root;
    return real;
  }
}

/** True when `path` is `root` or is below it; both real paths. */
export function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function refused(message: string): CodedError {
  return new CodedError('STORE_FAILED', message);
}

/**
 * The wanted name first, then the names to use when other bytes have it: `name_2.ext` …
 * `name_9.ext`, then one that ends with `tail`.
 */
export function* nameVariants(name: string, tail: string): Generator<string> {
  yield name;
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let number = 2; number <= 9; number++) yield `${stem}_${number}${extension}`;
  yield `${stem}_${tail}${extension}`;
}

/** Hidden, beside the archive: on the same file system, so that a finished copy only needs a name. */
export const PARTIAL_DIRECTORY = '.telnyx-partial';

/** In a bucket: copies of the checkpoints of custody logs. */
export const CUSTODY_COPIES = '.telnyx-custody';

export const JOB_ID = /^[0-9a-zA-Z_-]{1,100}$/;

/** The names that one attempt has in the hidden directory. No other attempt of any process uses them. */
export interface PartPaths {
  /** Being written. After a power cut its content must not be trusted. */
  part: string;
  /** Set aside by `suspend`, after a sync. The only name that the processes of an instance pass on. */
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
  /** Null in the names of earlier versions, which contain neither instance nor process. */
  instance: string | null;
  /** Null for `held` copies: no process has them open. */
  process: string | null;
}

// Written out, because no lint rule sees a pattern that is built at run time.
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

/** @returns null for names that this package did not make */
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
 * Tracks what earlier processes of this instance left, and which copies were put aside, so that the many
 * recordings that were never interrupted need no access to the disk. The directory is read once.
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
   * @returns what is left of the job. It belongs to the caller from now on, and is not returned again.
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

  /** The directory may be another one now, on a disk that was mounted there. */
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
      // A directory may be writable but not readable: then nothing can be resumed.
      if (errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM') return [];
      throw error;
    }
  }
}

/** Files that this process has open must not be taken over. */
function add(parts: Map<string, LeftPart[]>, name: string, owner: PartOwner): void {
  const part = readPartName(name);
  if (part === null || part.instance !== owner.instance || part.process === owner.process) return;
  const left = parts.get(part.jobId)?.filter((one) => one.name !== name) ?? [];
  parts.set(part.jobId, [...left, { ...part, name }]);
}
