import { CodedError } from '../../errors/coded-error';
import type { Destination } from '../../store/destination';
import type { LockMode, RetentionFacts } from '../../store/kept-facts';
import { type StoredRecording, knownCopy } from '../../store/stored-recording';
import type { FileNote, MessageSnapshot } from '../queue/job';

/** How recordings are kept, as a policy or the message says. */
export interface Keeping {
  /** False: only a message can ask for dates. */
  hasPolicy: boolean;
  lockMode: LockMode | 'none';
  /**
   * @returns the dates of a recording; null when it has none
   * @throws CodedError `BAD_SETTING` for what a message asks for and cannot be used
   */
  of: (recording: StoredRecording, message: MessageSnapshot) => RetentionFacts | null;
  /** @returns the dates that a sidecar has; null when they cannot be read */
  read: (value: unknown) => RetentionFacts | null;
}

/** A file that is in its place. */
export interface FileToKeep {
  location: string;
  /** Has its dates; gets `lock`. */
  recording: StoredRecording;
  note: FileNote;
}

/** What the dates of a recording follow from. */
export interface DatedFile {
  recording: StoredRecording;
  message: MessageSnapshot;
  /** Remembers the dates for later attempts. */
  note: FileNote;
  /** What the index says of the file, if it was stored before. */
  earlier: StoredRecording | undefined;
}

/**
 * The dates of a recording, computed at the first attempt that has all of its bytes. The same bytes keep the dates that the
 * index knows: there may be no sidecar, or it went with a damaged copy.
 *
 * @throws CodedError as `Keeping.of`
 */
export function datesOf(
  keeping: Keeping,
  { recording, message, note, earlier }: DatedFile
): RetentionFacts | null {
  if (note.retention === undefined) {
    const before = earlier?.sha256 === recording.sha256 ? earlier.retention : undefined;
    note.retention = before ?? keeping.of(recording, message);
  }
  return note.retention;
}

/**
 * Locks a stored recording for as long as it has to be kept. A file that was there already keeps the dates that its sidecar
 * has: nothing is shortened because a setting has changed. Samples are not kept.
 *
 * @throws CodedError `LOCK_UNCONFIRMED`, retryable, while the lock is not known to be there
 */
export async function keepFile(
  keeping: Keeping,
  { store, now }: { store: Pick<Destination, 'sidecars' | 'lock'>; now: () => number },
  { location, recording, note }: FileToKeep
): Promise<void> {
  if (recording.sample === true) return;
  const known = recording.already_stored ? await store.sidecars.read(location) : null;
  const before = known?.['sha256'] === recording.sha256 ? keeping.read(known['retention']) : null;
  if (before !== null) note.retention = recording.retention = before;
  const { retention } = recording;
  if (retention === undefined) return;
  const until = retention.retain_until;
  if (keeping.lockMode === 'none' || until === null || Date.parse(until) <= now()) return;
  if (store.lock === undefined)
    throw new CodedError(
      'LOCK_UNCONFIRMED',
      'Recordings can be locked only in a bucket with object lock. Store in one, or set "Lock" to none.'
    );
  recording.lock = await store.lock(location, knownCopy(recording), {
    mode: keeping.lockMode,
    until,
    hold: false
  });
}

/** Whether a file that is known from before has yet to be locked, because the policy asks for that only now. */
export function lacksLock(
  keeping: Keeping,
  now: number,
  { recording, message }: Pick<DatedFile, 'recording' | 'message'>
): boolean {
  if (keeping.lockMode === 'none' || recording.lock !== undefined || recording.sample === true) return false;
  const { retain_until: until = null } = recording.retention ?? keeping.of(recording, message) ?? {};
  return until !== null && Date.parse(until) > now;
}
