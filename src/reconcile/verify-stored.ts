import { type ArchiveFacts, currentFile } from '../archive/archive-facts';
import type { IndexedFile } from '../archive/index/stored-index';
import { CodedError } from '../errors/coded-error';
import type { CopyState } from './copy-reader';

type Damage = 'missing' | 'changed';

/** A file of the archive that is not what it was. */
export interface DamagedFile extends Pick<IndexedFile, 'identity' | 'wantedFormat' | 'recording'> {
  damage: Damage;
}

export interface VerifyCounts {
  files: number;
  intact: number;
  changed: number;
  missing: number;
  /** Unknown, because their disk or bucket seems to be missing. They are not emitted. */
  unreadable: number;
}

export interface VerifyParts {
  facts: Pick<ArchiveFacts, 'steps' | 'find'>;
  read: (file: IndexedFile['recording']) => Promise<CopyState>;
  /** Sends a damaged file to the flow; resolves when the next one may follow. */
  emit: (file: DamagedFile) => Promise<void>;
  /** Called after each file. */
  onFile: (counts: VerifyCounts) => void;
  onUnreadable: (error: CodedError) => void;
  signal: AbortSignal;
}

/**
 * Reads all files of the archive again, one at a time, and compares their SHA-256 with that from when they
 * were stored.
 *
 * @param counts updated in place
 * @throws `signal.reason` when aborted; as `emit` does
 */
export async function verifyStored(parts: VerifyParts, counts: VerifyCounts): Promise<void> {
  const { facts, emit, onFile, onUnreadable, signal } = parts;
  const missing = new MissingFiles();
  const tellMissing = async (files: readonly IndexedFile[]): Promise<void> => {
    for (const file of files) {
      // It may have been held back for long, and stored again meanwhile.
      const now = await currentFile(facts, file);
      if (now?.recording.stored_at !== file.recording.stored_at) counts.intact += 1;
      else {
        counts.missing += 1;
        await emit({ ...file, damage: 'missing' });
      }
    }
  };
  for await (const step of facts.steps()) {
    for (const indexed of step) {
      signal.throwIfAborted();
      // No provider has it, should it be damaged.
      if (indexed.recording.sample === true) continue;
      const looked = await lookAt(indexed, parts);
      if (looked === null) continue;
      const { file, state } = looked;
      counts.files += 1;
      if (state.kind === 'unreadable') {
        counts.unreadable += 1;
        onUnreadable(state.error);
      } else if (state.kind === 'missing') await tellMissing(missing.missing(state.archive, file));
      else {
        const isIntact = state.sha256 === file.recording.sha256;
        counts[isIntact ? 'intact' : 'changed'] += 1;
        if (!isIntact) await emit({ ...file, damage: 'changed' });
        await tellMissing(missing.present(state.archive));
      }
      onFile(counts);
    }
  }
  const { believed, refused, errors } = missing.end();
  await tellMissing(believed);
  counts.unreadable += refused;
  errors.forEach(onUnreadable);
  onFile(counts);
}

/** @returns the current index entry of the file, and the result; null when it is no longer indexed */
async function lookAt(
  indexed: IndexedFile,
  { facts, read }: VerifyParts
): Promise<{ file: IndexedFile; state: CopyState } | null> {
  let file = indexed;
  for (;;) {
    const state = await read(file.recording);
    if (state.kind === 'read' && state.sha256 === file.recording.sha256) return { file, state };
    // It may have been stored again while it was read.
    const now = await currentFile(facts, file);
    if (now === undefined) return null;
    const { sha256, stored_at } = file.recording;
    if (now.recording.sha256 === sha256 && now.recording.stored_at === stored_at) return { file, state };
    file = now;
  }
}

export function noVerifyCounts(): VerifyCounts {
  return { files: 0, intact: 0, changed: 0, missing: 0, unreadable: 0 };
}

/** Up to this many may have been removed by hand. */
const FEW = 10;
/** Maximum number of files held back, per archive. */
const MOST_HELD = 1000;

interface Archive {
  present: number;
  missing: number;
  held: IndexedFile[];
  /** Missing files that are no longer considered. */
  refused: number;
}

/**
 * Decides whether to fetch missing files again. When a disk is not mounted, and recordings are stored below its
 * mount point meanwhile, nearly all files of an archive are missing, and fetching them would fill the wrong
 * disk. So missing files are held back while more of their archive is missing than present. The index is
 * unordered, so the part seen represents the rest.
 */
export class MissingFiles {
  readonly #archives = new Map<string, Archive>();

  /** A file of the archive exists, whatever its bytes. @returns the files that now count as missing */
  present(archive: string): readonly IndexedFile[] {
    const of = this.#archive(archive);
    of.present += 1;
    return release(of);
  }

  /** A file of the archive is not there. @returns the files that now count as missing */
  missing(archive: string, file: IndexedFile): readonly IndexedFile[] {
    const of = this.#archive(archive);
    of.missing += 1;
    if (of.refused > 0) of.refused += 1;
    else of.held.push(file);
    const believed = release(of);
    if (of.held.length >= MOST_HELD) refuse(of);
    return believed;
  }

  /** Call this when all files have been looked at. */
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
      'purpose, have the recording list node send "everything in the list", and they are fetched again.'
  );
}
