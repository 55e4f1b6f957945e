import { callIdentifiers } from '../../recording/extract/announcement';
import type { RecordingDetails } from '../../recording/recording-details';
import {
  type ApiResource,
  type MediaLink,
  type MeetingResource,
  asFormat,
  formatOfUrl,
  mediaLink
} from '../../recording/recording-reference';
import { type Fields, asCount, asFields, asParty, asText, firstText } from '../../values/fields';
import { readTime } from '../../values/time';

/** One recording, fax, … as the API describes it now. */
export interface ApiMedia {
  id: string | null;
  /** In lower case; null when the API does not say. */
  status: string | null;
  /** Fresh links; empty if there are none (yet). */
  links: MediaLink[];
  /** What the API knows of it; fields that it does not know are null or left out. */
  details: Partial<RecordingDetails>;
}

/** Resources that are asked for by their own id. */
export type KnownResource = Exclude<ApiResource, 'message' | MeetingResource>;

const READERS: Readonly<Record<KnownResource, (fields: Fields) => ApiMedia>> = {
  recording: readRecording,
  'texml-recording': readTexmlRecording,
  fax: readFax,
  'room-recording': readRoomMedia,
  'room-composition': readRoomMedia
};

/**
 * Reads one item of an answer.
 *
 * @param value what `data` holds (the TeXML API has no such wrapper)
 * @returns null when it is not an object
 */
export function readApiMedia(resource: KnownResource, value: unknown): ApiMedia | null {
  const fields = asFields(value);
  return fields === null ? null : READERS[resource](fields);
}

/** Telnyx "Retrieve a call recording": the links are in `download_urls`, not in `recording_urls`. */
function readRecording(fields: Fields): ApiMedia {
  const millis = asCount(fields['duration_millis']);
  return {
    ...common(fields, 'id'),
    links: Object.entries(asFields(fields['download_urls']) ?? {}).flatMap(([format, url]) =>
      linkOf(url, asFormat(format))
    ),
    details: {
      ...callIdentifiers(fields),
      channels: asText(fields['channels']),
      started_at: readTime(fields['recording_started_at']),
      ended_at: readTime(fields['recording_ended_at']),
      duration_seconds: millis === null ? null : millis / 1000,
      from: asParty(fields['from']),
      to: asParty(fields['to']),
      initiated_by: asText(fields['initiated_by'])
    }
  };
}

/** Telnyx "Fetch recording resource" (TeXML): Twilio's names, times in RFC 2822. */
function readTexmlRecording(fields: Fields): ApiMedia {
  const url = asText(fields['media_url']);
  const channels = asText(fields['channels']);
  return {
    ...common(fields, 'sid'),
    links: linkOf(url, url === null ? null : formatOfUrl(url)),
    details: {
      call_control_id: asText(fields['call_sid']),
      conference_id: asText(fields['conference_sid']),
      channels: channels === '1' ? 'single' : channels === '2' ? 'dual' : channels,
      started_at: readTime(fields['start_time']),
      duration_seconds: asCount(fields['duration']),
      initiated_by: asText(fields['source'])
    }
  };
}

/** Telnyx "View a fax". */
function readFax(fields: Fields): ApiMedia {
  const url = asText(fields['media_url']);
  return {
    ...common(fields, 'id'),
    links: linkOf(url, (url === null ? null : formatOfUrl(url)) ?? 'pdf'),
    details: {
      connection_id: asText(fields['connection_id']),
      from: asParty(fields['from']),
      to: asParty(fields['to'])
    }
  };
}

/** Telnyx "View a room recording", "View a room composition". */
function readRoomMedia(fields: Fields): ApiMedia {
  const url = asText(fields['download_url']);
  return {
    ...common(fields, 'id'),
    links: linkOf(url, asFormat(fields['format']) ?? (url === null ? null : formatOfUrl(url))),
    details: {
      started_at: readTime(fields['started_at']),
      ended_at: readTime(fields['ended_at']),
      duration_seconds: asCount(fields['duration_secs']),
      room_name: firstText(fields, 'room_name', 'room_id')
    }
  };
}

function common(fields: Fields, id: string): Pick<ApiMedia, 'id' | 'status'> {
  return { id: asText(fields[id]), status: asText(fields['status'])?.toLowerCase() ?? null };
}

function linkOf(value: unknown, format: string | null): MediaLink[] {
  const url = typeof value === 'string' ? asText(value) : null;
  return url === null ? [] : [mediaLink(url, format)];
}
