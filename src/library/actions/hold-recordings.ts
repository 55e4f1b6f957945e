import { CodedError } from '../../errors/coded-error';
import { recordingName } from '../../evidence/custody/custody-line';
import type { Deletions } from '../../evidence/deletion/deletions';
import { type HoldCase, LONGEST_CASE_TEXT } from '../../evidence/deletion/holds';
import { asFields, asProse } from '../../values/fields';
import type { FoundFile } from '../search/archive-search';
import { type ActedFile, actedFile, type RefusedFile } from './acted-file';
import { finishDecided, MOST_LISTED } from './delete-files';

/** What became of the recordings that a case was placed on. A recording may have several files. */
export interface HoldSummary {
  recordings: number;
  /** Of them, those that the case holds since now. */
  held: number;
  /** Of them, those that it held before. */
  known: number;
  refused: number;
  files: ActedFile[];
  refusals: RefusedFile[];
}

export interface ReleaseSummary {
  /** Recordings that were released. */
  released: number;
  /** Of them, those that other cases still hold. */
  still_held: number;
  /** Files whose erasure had waited for this, and was carried out. */
  erased: number;
  files: ActedFile[];
}

/**
 * Reads `msg.case`.
 *
 * @param isReason whether a reason is needed: not for a release
 * @throws CodedError `BAD_SETTING`
 */
export function readCase(value: unknown, isReason: boolean): HoldCase {
  const fields = asFields(value);
  const text = (name: string): string => {
    const told = fields === null || !Object.hasOwn(fields, name) ? null : asProse(fields[name]);
    if (told !== null && told.length <= LONGEST_CASE_TEXT) return told;
    throw new CodedError(
      'BAD_SETTING',
      `Set msg.case to {${isReason ? 'id, reason, by' : 'id, by'}}, texts of at most ${LONGEST_CASE_TEXT} characters; "${name}" ` +
        'is not one. "by" says who asks for it.'
    );
  };
  return { id: text('id'), reason: isReason ? text('reason') : '', by: text('by') };
}

/**
 * Places a case on the recordings of some files, and may be repeated.
 *
 * @throws `signal.reason` when aborted: what is held by then stays held; as `Deletions.hold`
 */
export async function holdRecordings(
  files: AsyncIterable<FoundFile>,
  given: HoldCase,
  { deletions, onProgress }: { deletions: Pick<Deletions, 'hold'>; onProgress: (held: number) => void },
  signal: AbortSignal
): Promise<HoldSummary> {
  const summary: HoldSummary = { recordings: 0, held: 0, known: 0, refused: 0, files: [], refusals: [] };
  for await (const found of byRecording(files)) {
    const { key, file } = found;
    summary.recordings += 1;
    const answer = await deletions.hold(
      key,
      recordingName(file.recording.recording_id, file.identity),
      given
    );
    if (answer === 'placed') summary.held += 1;
    if (answer === 'known') summary.known += 1;
    if (answer === 'being-deleted') {
      summary.refused += 1;
      const message = 'It is being deleted: that was decided before, and cannot be taken back.';
      if (summary.refusals.length < MOST_LISTED)
        summary.refusals.push({ ...actedFile(found), reason: 'being-deleted', message });
    } else if (summary.files.length < MOST_LISTED) summary.files.push(actedFile(found));
    onProgress(summary.held + summary.known);
    signal.throwIfAborted();
  }
  return summary;
}

/**
 * Releases the recordings of some files from a case, and carries out the erasures that waited for it.
 *
 * @returns the summary, and why an erasure failed, which is tried again with the next sweep
 * @throws `signal.reason` when aborted: what is released by then stays released; as `Deletions.release`
 */
export async function releaseRecordings(
  files: AsyncIterable<FoundFile>,
  given: Pick<HoldCase, 'id' | 'by'>,
  {
    deletions,
    onProgress
  }: {
    deletions: Pick<Deletions, 'release' | 'resume' | 'runDeferred' | 'holds'>;
    onProgress: (released: number) => void;
  },
  signal: AbortSignal
): Promise<{ summary: ReleaseSummary; failure: CodedError | null }> {
  const summary: ReleaseSummary = { released: 0, still_held: 0, erased: 0, files: [] };
  for await (const found of byRecording(files)) {
    const { key, file } = found;
    const name = recordingName(file.recording.recording_id, file.identity);
    if ((await deletions.release(key, name, given)) === 'released') {
      summary.released += 1;
      if (deletions.holds.active(key[0]).length > 0) summary.still_held += 1;
      if (summary.files.length < MOST_LISTED) summary.files.push(actedFile(found));
      onProgress(summary.released);
    }
    signal.throwIfAborted();
  }
  const { finished, failure } = await finishDecided(deletions);
  return { summary: { ...summary, erased: finished }, failure };
}

/** The first file of each recording. */
async function* byRecording(files: AsyncIterable<FoundFile>): AsyncGenerator<FoundFile> {
  const seen = new Set<string>();
  for await (const found of files) {
    const [recording] = found.key;
    if (seen.has(recording)) continue;
    seen.add(recording);
    yield found;
  }
}
