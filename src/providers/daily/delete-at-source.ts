import { CodedError } from '../../errors/coded-error';
import type { RecordingReference, TextOutput } from '../../recording/recording-reference';
import { asFields, asText, firstText } from '../../values/fields';
import { idSegment } from '../http/api-address';
import type { Deletion } from '../provider';
import type { DailyApi } from './daily-client';

/**
 * Deletes a recording at Daily permanently (Daily "Delete a recording"). The caller has read the stored copy
 * back and matched its hash. A recording that Daily does not know (404) counts as deleted; any other response
 * counts only when it confirms the deletion. Daily never deletes objects in a customer's own bucket.
 *
 * @throws CodedError as `JsonApi.request`; `NO_RECORDING` for an invalid id
 */
export async function deleteAtDaily(
  api: DailyApi | null,
  { kind, details, output }: Pick<RecordingReference, 'kind' | 'details' | 'output'>,
  signal: AbortSignal,
  stored?: readonly unknown[]
): Promise<Deletion> {
  const id = details.recording_id;
  if (details.provider !== 'daily') return refused('Daily does not have it.');
  if (kind === 'track') return refused(OWN_BUCKET);
  if (output?.what === 'side-file') return refused('It goes with its recording.');
  if (output?.what === 'batch-job' && output.total !== stored?.length) return refused(NOT_WHOLE);
  if (id === null) return refused('The event does not name the recording.');
  if (api?.hasKey !== true)
    return refused('Deleting needs an API key: choose a Daily account with one in the download node.');
  try {
    if (output !== undefined) return await deleteText(api, output, signal);
    const path = ['recordings', idSegment(id)];
    const answer = asFields(await api.request({ method: 'DELETE', path, signal }));
    const answered = asText(answer?.['id']);
    if (answer?.['deleted'] !== true || (answered !== null && answered !== id)) return UNCONFIRMED;
    if (asText(answer['s3_bucket']) === null) return { ok: true, already_gone: false };
    return {
      ok: false,
      message: `Daily has forgotten the recording, but its file is not deleted. ${OWN_BUCKET}`
    };
  } catch (error) {
    if (error instanceof CodedError && error.code === 'API_NOT_FOUND')
      return { ok: true, already_gone: true };
    throw error;
  }
}

/**
 * Deletes a transcript, or a job with all of its files. Daily does not say whether they were in a bucket of the
 * customer's own, from which it deletes nothing.
 */
async function deleteText(api: DailyApi, { what, of }: TextOutput, signal: AbortSignal): Promise<Deletion> {
  const path = [what === 'transcript' ? what : 'batch-processor', idSegment(of)];
  const answer = asFields(await api.request({ method: 'DELETE', path, signal }));
  const answered = answer === null ? null : firstText(answer, 'transcriptId', 'id');
  const isDeleted = answer?.['deleted'] === true || asText(answer?.['status']) === 't_deleted';
  return answered === of || (answered === null && isDeleted)
    ? { ok: true, already_gone: false }
    : UNCONFIRMED;
}

const NOT_WHOLE = 'Other files of the same job would go with it, and not all of them are known to be stored.';

const OWN_BUCKET = 'It is in your own bucket, where Daily deletes nothing; delete it there.';

const UNCONFIRMED: Deletion = {
  ok: false,
  message:
    'Daily answered the request to delete the recording without saying that it is deleted. Look at it in the Daily ' +
    'dashboard, and check the API address in the account.'
};

function refused(reason: string): Deletion {
  return { ok: false, message: `It was not deleted at Daily. ${reason}` };
}
