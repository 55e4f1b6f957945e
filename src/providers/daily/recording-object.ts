import { CodedError } from '../../errors/coded-error';
import { sessionOf } from '../../recording/extract/from-daily-text';
import type { RecordingDetails } from '../../recording/recording-details';
import { type Fields, asCount, asFields, asText } from '../../values/fields';
import { readTime } from '../../values/time';
import { idSegment } from '../http/api-address';
import type { ApiAccess } from '../http/json-api';

/** A recording as Daily's API describes it now. */
export interface DailyRecording {
  /** `finished`, `in-progress`, `canceled`; null when the API does not say. */
  status: string | null;
  details: Pick<
    RecordingDetails,
    'started_at' | 'duration_seconds' | 'room_name' | 'max_participants' | 'mtg_session_id'
  >;
  /** The number of its tracks, each a separate file in the customer's bucket. */
  tracks: number;
}

/**
 * Asks for a recording (Daily "Get info about a recording").
 *
 * @throws CodedError as `JsonApi.request`; `LINK_REFUSED` for any other answer
 */
export async function dailyRecording(
  api: Pick<ApiAccess, 'request'>,
  id: string,
  signal: AbortSignal
): Promise<DailyRecording> {
  const path = ['recordings', idSegment(id)];
  const fields = asFields(await api.request({ method: 'GET', path, signal }));
  const answered = asText(fields?.['id']);
  if (fields !== null && (answered === null || answered === id)) return readDailyRecording(fields);
  throw new CodedError(
    'LINK_REFUSED',
    fields === null
      ? 'The API answered without the recording that was asked for. Check the API address in the account.'
      : 'The API answered with a different recording from the one requested; it was not used.'
  );
}

/** Reads one recording from a single answer or from a list. */
export function readDailyRecording(fields: Fields): DailyRecording {
  const tracks = fields['tracks'];
  return {
    status: asText(fields['status'])?.toLowerCase() ?? null,
    details: {
      started_at: readTime(fields['start_ts']),
      duration_seconds: asCount(fields['duration']),
      room_name: asText(fields['room_name']),
      max_participants: asCount(fields['max_participants']),
      mtg_session_id: sessionOf(fields)
    },
    tracks: Array.isArray(tracks) ? tracks.length : 0
  };
}
