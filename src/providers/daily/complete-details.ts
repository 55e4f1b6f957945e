import type { ApiAccess } from '../http/json-api';
import { CodedError } from '../../errors/coded-error';
import type { RecordingDetails } from '../../recording/recording-details';
import type { RecordingReference } from '../../recording/recording-reference';
import { dailyRecording, type DailyRecording } from './recording-object';

/**
 * Adds the API's details of a recording of Daily (room, participants, start, duration) to those of its event.
 * It never overrides the event, and missing details do not delay a recording.
 *
 * @param api null, or without a key: nothing is asked
 * @returns a copy, or the same object when nothing was added
 * @throws CodedError, retryable, when the API may have details later; `signal.reason` when aborted
 */
export async function completeDailyDetails(
  api: ApiAccess | null,
  { details, output }: Pick<RecordingReference, 'details' | 'output'>,
  signal: AbortSignal
): Promise<RecordingDetails> {
  const { recording_id: id, room_name, started_at, duration_seconds, max_participants } = details;
  const known = [room_name, started_at, duration_seconds, max_participants].every((value) => value !== null);
  // Of a transcript no more is known, and a job may have had no recording.
  const isOther = output !== undefined && output.of === id && output.what !== 'side-file';
  if (details.provider !== 'daily' || id === null || known || isOther || api?.hasKey !== true) return details;
  try {
    return added(details, await dailyRecording(api, id, signal));
  } catch (error) {
    if (signal.aborted || !(error instanceof CodedError) || error.retryable) throw error;
    return details;
  }
}

function added(details: RecordingDetails, { details: more }: DailyRecording): RecordingDetails {
  return {
    ...details,
    room_name: details.room_name ?? more.room_name,
    started_at: details.started_at ?? more.started_at,
    duration_seconds: details.duration_seconds ?? more.duration_seconds,
    max_participants: details.max_participants ?? more.max_participants,
    mtg_session_id: details.mtg_session_id ?? more.mtg_session_id
  };
}
