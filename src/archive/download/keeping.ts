import { CodedError } from '../../errors/coded-error';
import type { Destination } from '../../store/destination';
import type { LockMode, RetentionFacts } from '../../store/kept-facts';
import { type StoredRecording, knownCopy } from '../../store/stored-recording';
import type { MessageSnapshot } from '../queue/job';

/** How recordings are kept, as a policy says. */
export interface Keeping {
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
  /** Gets `retention` and `lock`. */
  recording: StoredRecording;
  message: MessageSnapshot;
}

/**
 * Gives a stored recording its dates, and locks it for as long as it has to be kept. A file that was there already keeps
 * the dates that its sidecar has: nothing is shortened because a setting has changed. Samples are not kept.
 *
 * @throws CodedError `LOCK_UNCONFIRMED`, retryable, while the lock is not known to be there; as `Keeping.of`
 */
export async function keepFile(
  keeping: Keeping,
  { store, now }: { store: Pick<Destination, 'sidecars' | 'lock'>; now: () => number },
  { location, recording, message }: FileToKeep
): Promise<void> {
  if (recording.sample === true) return;
  const known = recording.already_stored ? await store.sidecars.read(location) : null;
  const before = known?.['sha256'] === recording.sha256 ? keeping.read(known['retention']) : null;
  const retention = before ?? keeping.of(recording, message);
  if (retention === null) {
    delete recording.retention;
    return;
  }
  recording.retention = retention;
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
  { recording, message }: Pick<FileToKeep, 'recording' | 'message'>
): boolean {
  if (keeping.lockMode === 'none' || recording.lock !== undefined || recording.sample === true) return false;
  const { retain_until: until = null } = recording.retention ?? keeping.of(recording, message) ?? {};
  return until !== null && Date.parse(until) > now;
}
