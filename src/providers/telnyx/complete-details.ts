import type { ApiAccess } from '../http/json-api';
import { CodedError } from '../../errors/coded-error';
import type { RecordingDetails } from '../../recording/recording-details';
import { findMedia, resourceOf, type Askable, type FoundMedia } from './find-media';

/** What the API may add. Never the format: it is that of the stored file. */
const ADDED = [
  'channels',
  'started_at',
  'ended_at',
  'duration_seconds',
  'call_control_id',
  'call_leg_id',
  'call_session_id',
  'conference_id',
  'connection_id',
  'from',
  'to',
  'initiated_by',
  'room_name'
] as const satisfies readonly (keyof RecordingDetails)[];

/**
 * Adds the API's details of a recording to those of its event. It never overrides the event, and missing
 * details do not delay a recording: when the API rejects the request, or the recording is ambiguous, the
 * details stay unchanged.
 *
 * @param api null, or without a key: nothing is asked
 * @returns a copy, or the same object when nothing was added
 * @throws CodedError, retryable, when the API may have details later; `signal.reason` when aborted
 */
export async function completeDetails(
  api: ApiAccess | null,
  reference: Askable,
  signal: AbortSignal
): Promise<RecordingDetails> {
  const { details } = reference;
  const resource = resourceOf(reference);
  // Events of faxes and messages already have all that the API knows.
  const worthAsking = resource !== 'message' && resource !== 'fax' && details.provider === 'telnyx';
  if (!worthAsking || isFromApi(details) || api?.hasKey !== true) return details;
  try {
    return added(details, await findMedia(api, reference, signal));
  } catch (error) {
    if (signal.aborted || !(error instanceof CodedError) || error.retryable) throw error;
    return details;
  }
}

/** Details without an event come from the API's list of recordings. */
function isFromApi({
  event_type,
  channels,
  started_at,
  ended_at,
  duration_seconds
}: RecordingDetails): boolean {
  return (
    event_type === null && [channels, started_at, ended_at, duration_seconds].every((value) => value !== null)
  );
}

function added(details: RecordingDetails, { media, by }: FoundMedia): RecordingDetails {
  // The only recording of the call may not be that of the event, so its details are not used.
  if (by === 'elimination') return details;
  const complete: RecordingDetails = { ...details, recording_id: details.recording_id ?? media.id };
  for (const name of ADDED) fill(complete, name, media.details[name]);
  return complete;
}

function fill<Name extends keyof RecordingDetails>(
  details: RecordingDetails,
  name: Name,
  value: RecordingDetails[Name] | undefined
): void {
  if (details[name] === null && value !== undefined) details[name] = value;
}
