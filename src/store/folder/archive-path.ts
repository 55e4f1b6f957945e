import { extname, isAbsolute, join, sep } from 'node:path';
import { CodedError } from '../../errors/coded-error';
import { shownText } from '../../text/shown-text';
import { type FileSystem, errnoOf, makeDirectory } from './file-system';

/** Splits a wanted name into its segments; the naming step made them safe, this makes sure. */
export function nameSegments(name: string): string[] {
  const segments = name.split('/');
  for (const segment of segments)
    if (segment === '' || segment === '.' || segment === '..' || /[\0\\]/.test(segment))
      throw refused(`The name "${shownText(name)}" is not a safe path.`);
  if (isAbsolute(name) || /^[a-z]:/i.test(name)) throw refused('The name is an absolute path.');
  return segments;
}

/** Milliseconds for which a directory is taken to be what it was: long enough for a batch of recordings. */
const KNOWN_MS = 1000;
const MOST_KNOWN = 100;
const MOVED = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** The directories of one archive: made when missing, and never followed out of its folder. */
export class ArchiveDirectories {
  readonly #fs: FileSystem;
  readonly #folder: string;
  readonly #now: () => number;
  /** Real path of the folder when it was last looked at step by step. */
  #root: string | undefined;
  /** The directories that were looked at last: where partial copies are, and where files go. */
  readonly #known = new Map<string, { real: string; at: number }>();

  /**
   * @param folder absolute; may itself be a symbolic link, that is the owner's choice
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
   * looked at. Then everything is looked at again.
   */
  mayHaveMoved(error: unknown): boolean {
    if (!MOVED.has(errnoOf(error))) return false;
    this.#known.clear();
    this.#root = undefined;
    return true;
  }

  /**
   * The usual case with one question instead of three for each segment: all of them are there.
   *
   * @returns null when something is not as it was; a caller that goes step by step finds out what
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
function isBelow(path: string, root: string): boolean {
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
