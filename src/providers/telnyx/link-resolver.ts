import { setTimeout as timer } from 'node:timers/promises';
import { CodedError } from '../../errors/coded-error';
import type { ErrorCode } from '../../errors/codes';
import type { MediaLink, RecordingReference } from '../../recording/recording-reference';
import type { LinkReason } from '../provider';
import type { TelnyxApi } from './api-client';
import { findMedia, resourceOf, resourcePath } from './find-media';

export type LinkResolver = (
  reference: RecordingReference,
  why: LinkReason,
  signal: AbortSignal
) => Promise<MediaLink[]>;

/** Pause before the next search for the audio of a text. */
const AUDIO_MAY_COME_MS = 15_000;

export interface LinkResolverOptions {
  /** Null when there is no account. */
  api: TelnyxApi | null;
  /** Milliseconds before a recording that an event has just announced is asked for again. Default 2000. */
  lagMs?: number;
}

/**
 * Fresh links from Telnyx's API (facts of "Retrieve a call recording", "List all call recordings",
 * "Refresh a fax", "View a room recording", "View a room composition").
 *
 * @returns a function that returns at least one link; none only for what is not Telnyx's, or when a
 *   dead address names nothing that the API could be asked for. It throws CodedError as `findMedia`;
 *   `LINK_EXPIRED` or `NO_RECORDING` when an API key is missing (retryable for the text of a recording, whose
 *   audio may follow) or the API makes no such links; a retryable `LINK_REFUSED` while Telnyx still processes the recording
 */
export function createLinkResolver({ api, lagMs = 2000 }: LinkResolverOptions): LinkResolver {
  return async (reference, why, signal) => {
    const { details } = reference;
    if (details.provider !== 'telnyx' || (why === 'dead' && !isNamed(reference))) return [];
    if (resourceOf(reference) === 'message') throw withoutApi(why);
    if (api?.hasKey !== true) throw withoutKey(why, reference);
    try {
      return await freshLinks(api, reference, signal);
    } catch (error) {
      if (why === 'dead') throw expired(error);
      // The API may lag behind the event.
      if (details.event_type === null || !hasCode(error, 'API_NOT_FOUND')) throw error;
      // When aborted, the next request throws.
      await timer(lagMs, undefined, { signal }).catch(() => undefined);
      return await freshLinks(api, reference, signal);
    }
  };
}

async function freshLinks(
  api: TelnyxApi,
  reference: RecordingReference,
  signal: AbortSignal
): Promise<MediaLink[]> {
  if (resourceOf(reference) === 'fax') await refreshFax(api, reference, signal);
  const { media } = await findMedia(api, reference, signal);
  if (media.links.length > 0) return media.links;
  if (media.status === null || media.status === 'completed' || media.status === 'received')
    throw new CodedError(
      'NO_RECORDING',
      'The API knows the recording but has no link to it. Recordings in a storage of your own have none; for others ' +
        'look in the Telnyx portal.'
    );
  if (media.status === 'deleted' || media.status === 'failed' || media.status === 'absent')
    throw new CodedError('API_NOT_FOUND', `The API says that the recording is ${media.status}.`);
  throw new CodedError('LINK_REFUSED', 'Telnyx has not finished the recording yet; the next attempt waits.', {
    retryable: true
  });
}

/** Without this the fax still has its old, dead link. The API refuses to refresh a fax that does not need it. */
async function refreshFax(
  api: TelnyxApi,
  { details }: RecordingReference,
  signal: AbortSignal
): Promise<void> {
  if (details.recording_id === null) return;
  const path = [...resourcePath('fax', details.recording_id), 'actions', 'refresh'];
  try {
    await api.request({ method: 'POST', path, signal });
  } catch (error) {
    const harmless = error instanceof CodedError && error.code === 'LINK_REFUSED' && !error.retryable;
    if (!harmless) throw error;
  }
}

/** An address that a flow set itself belongs to no recording that the API could know. */
function isNamed({ details, resource }: RecordingReference): boolean {
  return resource !== undefined || details.recording_id !== null;
}

/** The recording exists, but can no longer be reached. */
function expired(error: unknown): unknown {
  return hasCode(error, 'NO_RECORDING')
    ? new CodedError('LINK_EXPIRED', `The link no longer works, and there is no fresh one. ${error.message}`)
    : error;
}

function hasCode(error: unknown, code: ErrorCode): error is CodedError {
  return error instanceof CodedError && error.code === code;
}

function withoutApi(why: LinkReason): CodedError {
  return new CodedError(
    why === 'dead' ? 'LINK_EXPIRED' : 'NO_RECORDING',
    'The link to the attachment does not work, and Telnyx has no API that makes new links to attachments of messages. ' +
      'Store attachments as soon as the message arrives.'
  );
}

function withoutKey(why: LinkReason, { details, transcription_id }: RecordingReference): CodedError {
  const advice =
    'Telnyx gives links only to an API key: choose an account that has an "API key" as "Telnyx" in the download node, and ' +
    'send the message again.';
  if (why === 'dead') return new CodedError('LINK_EXPIRED', `The link no longer works. ${advice}`);
  // The text of a recording can arrive before the event with the link to its audio.
  const mayCome = details.transcription !== null || transcription_id !== undefined;
  return new CodedError(
    'NO_RECORDING',
    `The event names a recording but has no link to it. ${advice}`,
    mayCome ? { retryable: true, retryAfterMs: AUDIO_MAY_COME_MS } : {}
  );
}
