import { CodedError } from '../../errors/coded-error';
import { type RecordingReference, deletionKey } from '../../recording/recording-reference';
import type { StoredWhole } from '../download/source-deletion';
import { type Job, findNote } from './job';
import type { FileOutcome } from './run-result';

/** What is stored is not on disk yet, so nothing is deleted at the source. */
export function notNoted(cause: unknown): CodedError {
  return new CodedError(
    'STORE_FAILED',
    'The state could not be written, so nothing is deleted at the source yet. Look at the free space and the ' +
      'permissions of "telnyx" in the user directory of Node-RED.',
    { cause, retryable: true, trouble: 'state' }
  );
}

/** Stored recordings whose details the API did not return in time. */
export function withLateDetails(job: Job, outcomes: FileOutcome[]): RecordingReference[] {
  const late = new Map<string, RecordingReference>();
  for (const outcome of outcomes) {
    const { reference, wantedFormat } = outcome;
    const note = findNote(job, { about: 'file', identity: reference.identity, format: wantedFormat });
    // A message that the flow already has cannot be completed.
    const isKept = outcome.kind === 'stored' && typeof outcome.file.payload === 'string';
    if (isKept && note?.areDetailsLate === true) late.set(reference.identity, reference);
  }
  return [...late.values()];
}

/** Whether a file is deleted at the source. */
export function isDeleted(recording: { deleted_at_source: string | null }): boolean {
  return recording.deleted_at_source !== null;
}

/** Recordings of which every file is stored, in a place where it can be read back. */
export function wholeRecordings(outcomes: FileOutcome[]): StoredWhole[] {
  const groups = new Map<string, FileOutcome[]>();
  for (const outcome of outcomes) {
    const { reference } = outcome;
    // The tracks of one recording go together.
    const { identity, details, output } = reference;
    const name =
      output === undefined ? (details.recording_id ?? identity) : (deletionKey(reference) ?? identity);
    groups.set(name, [...(groups.get(name) ?? []), outcome]);
  }
  return [...groups.values()].flatMap((group) => {
    const files = group.flatMap((outcome) => (outcome.kind === 'stored' ? [outcome.file] : []));
    const [first] = group;
    const whole = files.length === group.length && files.every(({ payload }) => typeof payload === 'string');
    const left = files.some(({ recording }) => !isDeleted(recording) && recording.sample !== true);
    return whole && left && first !== undefined ? [{ reference: first.reference, files }] : [];
  });
}
