import { CodedError } from '../../errors/coded-error';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import { keyDigest } from '../../values/fields';

/** What a person says who wants a recording kept. It stays in the state; the custody log has a hash of `id` only. */
export interface HoldCase {
  /** The name of the case, as its people know it. */
  id: string;
  reason: string;
  by: string;
}

/** A case that a recording belongs to, or belonged to. Kept for good. Times are ISO 8601 UTC. */
export interface Hold extends HoldCase {
  at: string;
  releasedBy: string | null;
  releasedAt: string | null;
}

export const LONGEST_CASE_TEXT = 1000;

/** The cases of recordings. A caller that changes them holds the lock of the recording, as `Deletions` does. */
export class Holds {
  readonly #cases: StateCollection<Hold>;

  constructor(database: Pick<StateDatabase, 'collection'>) {
    this.#cases = database.collection('holds');
  }

  /** All cases of a recording, also those that were released. @param recording hash of its identity */
  of(recording: string): Hold[] {
    return [...this.#cases.range({ start: [recording], end: [recording, AFTER_ALL] })].map(
      ({ value }) => value
    );
  }

  /** Those that are not released: while there is one, nothing of the recording may be deleted. */
  active(recording: string): Hold[] {
    return this.of(recording).filter(({ releasedAt }) => releasedAt === null);
  }

  /** The case of a recording that is not released. */
  find(recording: string, caseId: string): Hold | undefined {
    return this.active(recording).find(({ id }) => id === caseId);
  }

  /** The change that places or releases a case. One that is placed again after its release is another entry. */
  putting(recording: string, hold: Hold): StateChange {
    return this.#cases.putting([recording, keyDigest(hold.id), hold.at], hold);
  }
}

/** A recording is held, and was not deleted. */
export function held(): CodedError {
  return new CodedError(
    'DELETION_REFUSED',
    'The recording is held for a case, so it is not deleted. Release the case first.'
  );
}

/** Without an answer nothing is deleted. */
export function holdsUnknown(cause: unknown): CodedError {
  return new CodedError(
    'STORE_FAILED',
    'Nobody can tell whether the recording is held for a case, so nothing is deleted yet. Look at the free space and the ' +
      'permissions of "telnyx" in the user directory of Node-RED; it is tried again.',
    { cause, retryable: true, trouble: 'state' }
  );
}

/** Sorts after every hash. */
const AFTER_ALL = '\u{10ffff}';
