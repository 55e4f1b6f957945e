import { type Fields, asCount, asFields, asParty, asText, firstText } from '../../values/fields';
import { readTime } from '../../values/time';
import type { RecordingDetails } from '../recording-details';
import {
  type MediaLink,
  type RecordingReference,
  asFormat,
  identityOfId,
  identityOfUrl,
  mediaLink
} from '../recording-reference';
import { type Announcement, callIdentifiers, unknownDetails } from './announcement';

/** Most formats that are read: a recording has two, and each would be looked up and tried. */
const MOST_FORMATS = 50;

const VIDEO_FORMATS = new Set(['mp4', 'webm', 'mkv', 'mov']);

/**
 * `recording_urls` and `public_recording_urls`, as in call.recording.saved, conference.recording.saved
 * and the v1 recording_saved (Telnyx pages of the same names), and in any other event with these maps.
 * `download_urls` is the same map as the recordings API spells it.
 */
export function fromRecordingUrls(announcement: Announcement): RecordingReference[] {
  const { payload } = announcement;
  // The signed link first: the public one exists only for accounts that asked for it.
  const links = ['recording_urls', 'download_urls', 'public_recording_urls'].flatMap((name) =>
    linksOf(payload[name])
  );
  const first = links[0];
  if (first === undefined) return [];

  const id = recordingIdOf(payload);
  const video = links.every((link) => link.format !== null && VIDEO_FORMATS.has(link.format));
  return [
    {
      kind: video ? 'video' : 'audio',
      identity:
        id === null
          ? identityOfUrl(announcement.provider, first.url)
          : identityOfId(announcement.provider, id),
      details: {
        ...recordingDetails(announcement, id),
        duration_seconds: durationOf(payload),
        initiated_by: asText(payload['initiated_by'])
      },
      links,
      media_index: null,
      announced_at: announcement.announced_at,
      storage_key: null,
      resource: 'recording'
    }
  ];
}

/** What all events of recordings say of them, by the names of API v1 and v2. @param id of the recording; null: unknown */
export function recordingDetails(announcement: Announcement, id: string | null): RecordingDetails {
  const { payload } = announcement;
  return {
    ...unknownDetails(announcement),
    ...callIdentifiers(payload),
    recording_id: id,
    format: asFormat(payload['format']),
    channels: asText(payload['channels']),
    started_at: readTime(payload['recording_started_at']) ?? readTime(payload['start_time']),
    ended_at: readTime(payload['recording_ended_at']) ?? readTime(payload['end_time']),
    from: asParty(payload['from']),
    to: asParty(payload['to'])
  };
}

/** The list API calls its id `id`; there `record_type` says that it is the recording's. */
function recordingIdOf(payload: Fields): string | null {
  const own = asText(payload['recording_id']);
  return own ?? (payload['record_type'] === 'recording' ? asText(payload['id']) : null);
}

/** `end - start` is no substitute: a paused recording is shorter than its span. */
function durationOf(payload: Fields): number | null {
  const milliseconds = asCount(payload['duration_millis']);
  if (milliseconds !== null) return milliseconds / 1000;
  return asCount(firstText(payload, 'duration_secs', 'duration_seconds'));
}

function linksOf(map: unknown): MediaLink[] {
  const fields = asFields(map) ?? {};
  const keys = Object.keys(fields).slice(0, MOST_FORMATS);
  return keys.flatMap((key) => {
    const value = fields[key];
    const url = asText(value);
    return typeof value === 'string' && url !== null ? [mediaLink(url, asFormat(key))] : [];
  });
}
