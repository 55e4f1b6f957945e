import type { RecordingDetails } from '../recording/recording-details';
import type { FilenameValues } from './filename-template';

/** What names a file besides the recording's details. */
export interface NamingFacts {
  /** Ending without dot, from the bytes themselves; null when unknown. */
  ext: string | null;
  /** ISO 8601 UTC; stands in when the recording's own start is unknown. */
  announced_at: string | null;
  media_index: number | null;
}

/**
 * The values of the filename tokens. Times are UTC and those of the recording, never of the archiving:
 * the same recording archived tomorrow gets the same name.
 */
export function filenameValues(details: RecordingDetails, facts: NamingFacts): FilenameValues {
  const time = isoParts(details.started_at) ?? isoParts(facts.announced_at);
  return {
    year: time?.year ?? null,
    month: time?.month ?? null,
    day: time?.day ?? null,
    hour: time?.hour ?? null,
    started_at: time?.compact ?? null,
    recording_id: details.recording_id,
    call_session_id: details.call_session_id,
    call_leg_id: details.call_leg_id,
    call_control_id: details.call_control_id,
    conference_id: details.conference_id,
    connection_id: details.connection_id,
    channels: details.channels,
    ext: facts.ext,
    event_type: details.event_type,
    provider: details.provider,
    from: details.from,
    to: details.to,
    room_name: details.room_name,
    track: details.track,
    media_index: facts.media_index === null ? null : String(facts.media_index)
  };
}

interface IsoParts {
  year: string;
  month: string;
  day: string;
  hour: string;
  /** `20260304T091502Z`: sorts by time and has no colon, which Windows refuses. */
  compact: string;
}

function isoParts(iso: string | null): IsoParts | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})/.exec(iso ?? '');
  if (match === null) return null;
  const [year = '', month = '', day = '', hour = '', minute = '', second = ''] = match.slice(1);
  return { year, month, day, hour, compact: `${year}${month}${day}T${hour}${minute}${second}Z` };
}
