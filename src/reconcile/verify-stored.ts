import type { IndexedFile, StoredRecordings } from '../archive/stored-index';
import type { CodedError } from '../errors/coded-error';
import type { CopyState } from './copy-reader';

export type Damage = 'missing' | 'changed';

/** A file of the archive that is not what it was. */
export interface DamagedFile extends Pick<IndexedFile, 'identity' | 'wantedFormat' | 'recording'> {
  damage: Damage;
}

export interface VerifyCounts {
  files: number;
  intact: number;
  changed: number;
  missing: number;
  /** Of which nothing can be said: a disk or bucket that is not there. They are not emitted. */
  unreadable: number;
}

export interface VerifyParts {
  recordings: Pick<StoredRecordings, 'steps' | 'current'>;
  read: (file: IndexedFile['recording']) => Promise<CopyState>;
  /** Hands a damaged file to the flow; resolves when the next one may come. */
  emit: (file: DamagedFile) => Promise<void>;
  /** Told after each file. */
  onFile: (counts: VerifyCounts) => void;
  onUnreadable: (error: CodedError) => void;
  signal: AbortSignal;
}

/**
 * Reads all files of the archive again, one at a time, and compares their SHA-256 with that of the day when
 * they were stored.
 *
 * @param counts brought up to date
 * @throws `signal.reason` when aborted; as `emit` does
 */
export async function verifyStored(parts: VerifyParts, counts: VerifyCounts): Promise<void> {
  const { recordings, emit, onFile, signal } = parts;
  for (const step of recordings.steps()) {
    for (const file of step) {
      signal.throwIfAborted();
      const damage = await check(file, parts, counts);
      if (damage !== null) await emit({ ...damage.file, damage: damage.kind });
      onFile(counts);
    }
  }
}

async function check(
  indexed: IndexedFile,
  { recordings, read, onUnreadable }: VerifyParts,
  counts: VerifyCounts
): Promise<{ file: IndexedFile; kind: Damage } | null> {
  let file = indexed;
  for (;;) {
    const state = await read(file.recording);
    const isIntact = state.kind === 'read' && state.sha256 === file.recording.sha256;
    // It may have been stored anew while it was read.
    const now = isIntact ? file : recordings.current(file);
    if (now === undefined) return null;
    if (
      now.recording.sha256 !== file.recording.sha256 ||
      now.recording.stored_at !== file.recording.stored_at
    ) {
      file = now;
      continue;
    }
    counts.files += 1;
    if (isIntact) {
      counts.intact += 1;
      return null;
    }
    if (state.kind === 'unreadable') {
      counts.unreadable += 1;
      onUnreadable(state.error);
      return null;
    }
    const kind = state.kind === 'missing' ? 'missing' : 'changed';
    counts[kind] += 1;
    return { file, kind };
  }
}

export function noVerifyCounts(): VerifyCounts {
  return { files: 0, intact: 0, changed: 0, missing: 0, unreadable: 0 };
}
