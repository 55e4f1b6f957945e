import { CodedError } from '../../errors/coded-error';
import { type RecordingReference, deletionKey } from '../../recording/recording-reference';
import type { StoredWhole } from '../download/source-deletion';
import type { IndexedFile, StoredIndex } from '../index/stored-index';
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
function isDeleted(recording: { deleted_at_source: string | null }): boolean {
  return recording.deleted_at_source !== null;
}

/** What the index does not say yet of a stored file: everything, or when it was deleted at the source. */
export async function newlyKnown(
  { reference, file, wantedFormat, entry }: Extract<FileOutcome, { kind: 'stored' }>,
  index: Pick<StoredIndex, 'find'>
): Promise<IndexedFile[]> {
  if (typeof file.payload !== 'string') return [];
  const { sha256, deleted_at_source } = file.recording;
  const found = entry === null ? await index.find(reference.identity) : [];
  const known =
    entry ?? found.find((one) => one.wantedFormat === wantedFormat && one.recording.sha256 === sha256);
  const isNews = entry !== null || known?.recording.deleted_at_source !== deleted_at_source;
  if (known === undefined || !isNews) return [];
  return [{ ...known, recording: { ...known.recording, deleted_at_source } }];
}

/** The entries of a recording that is deleted at the source, with when that was. */
export async function withDeletion(
  { reference: { identity }, files }: StoredWhole,
  index: Pick<StoredIndex, 'find'>
): Promise<IndexedFile[]> {
  const now: IndexedFile[] = [];
  // Tracks and side files have identities of their own.
  for (const one of new Set([identity, ...files.map(({ recording }) => recording.identity ?? identity)]))
    for (const known of await index.find(one)) {
      const file = files.find(({ recording }) => recording.sha256 === known.recording.sha256);
      if (file === undefined || !isDeleted(file.recording)) continue;
      const { deleted_at_source } = file.recording;
      now.push({ ...known, recording: { ...known.recording, deleted_at_source } });
    }
  return now;
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
