import { CodedError } from '../errors/coded-error';
import type { IndexedFile } from '../archive/index/stored-index';

/** So few are removed by hand. */
const FEW = 10;
/** Files that are held back at once, of one archive. */
const MOST_HELD = 1000;

interface Archive {
  present: number;
  missing: number;
  held: IndexedFile[];
  /** Missing files of which nothing is believed any more. */
  refused: number;
}

/**
 * Decides whether missing files are to be fetched again. When a disk is not mounted, and recordings are stored below
 * its mount point meanwhile, nearly all files of an archive are missing, and fetching them would fill the wrong disk.
 * So missing files are held back as long as more of their archive is missing than is there. The index has no
 * order, so that what was seen of it stands for the rest.
 */
export class MissingFiles {
  readonly #archives = new Map<string, Archive>();

  /** A file of the archive is there, whatever its bytes. @returns those that are believed to be missing now */
  present(archive: string): readonly IndexedFile[] {
    const of = this.#archive(archive);
    of.present += 1;
    return release(of);
  }

  /** A file of the archive is not there. @returns those that are believed to be missing now */
  missing(archive: string, file: IndexedFile): readonly IndexedFile[] {
    const of = this.#archive(archive);
    of.missing += 1;
    if (of.refused > 0) of.refused += 1;
    else of.held.push(file);
    const believed = release(of);
    if (of.held.length >= MOST_HELD) refuse(of);
    return believed;
  }

  /** When all have been looked at. */
  end(): { believed: readonly IndexedFile[]; refused: number; errors: readonly CodedError[] } {
    const believed: IndexedFile[] = [];
    const errors: CodedError[] = [];
    let refused = 0;
    for (const [name, of] of this.#archives) {
      if (of.missing <= FEW) believed.push(...of.held.splice(0));
      refuse(of);
      refused += of.refused;
      if (of.refused > 0) errors.push(notBelieved(name, of));
    }
    return { believed, refused, errors };
  }

  #archive(name: string): Archive {
    let archive = this.#archives.get(name);
    if (archive === undefined) {
      archive = { present: 0, missing: 0, held: [], refused: 0 };
      this.#archives.set(name, archive);
    }
    return archive;
  }
}

function release(of: Archive): readonly IndexedFile[] {
  return of.missing <= of.present ? of.held.splice(0) : [];
}

function refuse(of: Archive): void {
  of.refused += of.held.splice(0).length;
}

function notBelieved(name: string, { missing, present }: Archive): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `${missing} of the ${missing + present} files in ${name} are not there, as when a disk is not mounted or another ` +
      'one is in its place, so they were not fetched again. Look at the disk and check again. When they were deleted on ' +
      'purpose, have the recording list node send "all recordings", and they are fetched again.'
  );
}
