import { PROVIDERS } from '../../events/provider';
import { asFields, asText, firstText, type Fields } from '../../values/fields';
import { readTime } from '../../values/time';
import type { RecordingDetails } from '../recording-details';

/** The input of the extractors: the payload's fields and those of the envelope. */
export interface Announcement {
  /** Who sent the event, or lists the recording. */
  provider: string;
  event_type: string | null;
  event_id: string | null;
  /** ISO 8601 UTC. */
  announced_at: string | null;
  payload: Fields;
}

/** A message's `event` and `payload`, both untrusted: flows may have changed or dropped them. */
export interface RecordingSource {
  event: unknown;
  payload: unknown;
}

/**
 * The places in which an event's own fields can be, most likely first. After a first download node
 * `msg.payload` is a path, so the whole body kept in `msg.event` is looked at too.
 */
export function announcementsOf(source: RecordingSource): Announcement[] {
  const event = asFields(source.event) ?? {};
  const provider = PROVIDERS.find((name) => name === event['provider']) ?? PROVIDERS[0];
  const body = asFields(event['body']);
  const data = asFields(body?.['data']);
  const places = [source.payload, data?.['payload'], body?.['payload'], data, body];
  const announcements: Announcement[] = [];
  for (const place of places) {
    const payload = asFields(place);
    if (payload === null || announcements.some((known) => known.payload === payload)) continue;
    announcements.push({
      provider,
      event_type: asText(event['event_type']),
      event_id: asText(event['id']),
      announced_at:
        readTime(event['occurred_at']) ?? readTime(payload['occurred_at']) ?? readTime(event['received_at']),
      payload
    });
  }
  return announcements;
}

/** Details with everything unknown but the event itself. */
export function unknownDetails(announcement: Omit<Announcement, 'payload'>): RecordingDetails {
  return {
    provider: announcement.provider,
    recording_id: null,
    event_type: announcement.event_type,
    event_id: announcement.event_id,
    format: null,
    channels: null,
    started_at: null,
    ended_at: null,
    duration_seconds: null,
    call_control_id: null,
    call_leg_id: null,
    call_session_id: null,
    conference_id: null,
    connection_id: null,
    from: null,
    to: null,
    initiated_by: null,
    room_name: null,
    max_participants: null,
    track: null,
    mtg_session_id: null,
    transcription: null
  };
}

/** The identifiers that Telnyx's own payloads share, whatever they announce. */
export function callIdentifiers(payload: Fields): Partial<RecordingDetails> {
  return {
    call_control_id: asText(payload['call_control_id']),
    call_leg_id: asText(payload['call_leg_id']),
    call_session_id: asText(payload['call_session_id']),
    conference_id: asText(payload['conference_id']),
    connection_id: firstText(payload, 'connection_id')
  };
}
