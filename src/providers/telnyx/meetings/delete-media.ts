import { CodedError } from '../../../errors/coded-error';
import type { RecordingDetails } from '../../../recording/recording-details';
import type { RecordingReference } from '../../../recording/recording-reference';
import { shownText } from '../../../text/shown-text';
import type { Deletion } from '../../provider';
import type { TelnyxApi } from '../api-client';
import { factsOf, sessionPath } from './meeting-session';
import { type SessionFiles, listAll } from './recording-files';

/**
 * Deletes all recordings of a meeting session at Telnyx for good (Telnyx "Delete meeting recording media"). It is one
 * request for all of them, so every file that is announced or listed has to be stored.
 *
 * @param stored what is known of each stored file of the session
 * @throws CodedError as `JsonApi.request`: retryable while the session has not ended (409), and when nobody knows
 *   whether it was deleted (502)
 */
export async function deleteMedia(
  api: TelnyxApi | null,
  reference: RecordingReference,
  stored: readonly RecordingDetails[],
  signal: AbortSignal
): Promise<Deletion> {
  if (reference.resource !== 'meeting-recording')
    return refused('Telnyx has no API that deletes transcripts and artifacts of meetings.');
  if (api?.hasKey !== true) return refused('Deleting needs an API key: put one into the account.');
  const facts = factsOf(reference);
  const known = await listedIfKnown(api, reference, signal);
  if (known === null)
    // Telnyx keeps sessions, so this is the key of somebody else.
    return refused('The API does not know the meeting: the API key belongs to another account.');
  const { files: listed, unready } = known;
  // The request would take them, too.
  if (unready.length > 0)
    return refused(
      `These recordings of the meeting are not ready: ${namesOf(unready)}. Send its event again when they are.`
    );
  const names = new Set(stored.map(({ track }) => track));
  const missing = [...facts.types, ...listed.map(({ name }) => name)].filter((name) => !names.has(name));
  if (missing.length > 0)
    return refused(
      `These recordings of the meeting are not stored: ${namesOf(missing)}. Send its event again.`
    );
  const repeated = listed.filter(({ name, type }) => name !== type);
  if (repeated.length > 0)
    return refused(
      `Telnyx lists several recordings of the type ${namesOf(repeated.map(({ type }) => type))}, and nothing tells them ` +
        'apart. Compare the stored files with those in the Telnyx portal.'
    );
  try {
    await api.request({ method: 'DELETE', path: sessionPath(facts, ['recording_media']), signal });
    return { ok: true, already_gone: false };
  } catch (error) {
    if (!(error instanceof CodedError) || error.retryable) throw error;
    if (error.code === 'API_NOT_FOUND')
      // The session exists, so the API does not know the request.
      return listed.length === 0
        ? { ok: true, already_gone: true }
        : refused('Telnyx does not offer that for this meeting (404).');
    if (error.code !== 'LINK_REFUSED') throw error;
    return refused(`Telnyx cannot delete the recordings of this meeting: ${error.message}`);
  }
}

/** @returns null when the API does not know the session */
async function listedIfKnown(
  api: TelnyxApi,
  reference: RecordingReference,
  signal: AbortSignal
): Promise<SessionFiles | null> {
  try {
    return await listAll(api, factsOf(reference), signal);
  } catch (error) {
    if (error instanceof CodedError && error.code === 'API_NOT_FOUND') return null;
    throw error;
  }
}

function namesOf(types: readonly string[]): string {
  return [...new Set(types)]
    .slice(0, 5)
    .map((type) => shownText(type))
    .join(', ');
}

function refused(reason: string): Deletion {
  return { ok: false, message: `It was not deleted at Telnyx. ${reason}` };
}
