import { asCount, asText, firstText } from '../../values/fields';
import { readTime } from '../../values/time';
import {
  type RecordingReference,
  asFormat,
  formatOfUrl,
  identityOfId,
  identityOfUrl,
  mediaLink
} from '../recording-reference';
import { type Announcement, unknownDetails } from './announcement';

const ROOM_RECORDS = new Set<unknown>(['room_recording', 'room_composition']);

/** video.room.recording.completed, video.room.composition.completed, and whatever has a `download_url`. */
export function fromVideoRoom(announcement: Announcement): RecordingReference[] {
  const { payload } = announcement;
  const url = asText(payload['download_url']);
  if (url === null) return [];
  const id =
    firstText(payload, 'composition_id', 'recording_id') ??
    (ROOM_RECORDS.has(payload['record_type']) ? asText(payload['id']) : null);
  const composed =
    asText(payload['composition_id']) !== null || payload['record_type'] === 'room_composition';
  const format = asFormat(payload['format']) ?? formatOfUrl(url);
  return [
    {
      // An audio-only room recording comes in a video container too.
      kind: 'video',
      identity:
        id === null ? identityOfUrl(announcement.provider, url) : identityOfId(announcement.provider, id),
      details: {
        ...unknownDetails(announcement),
        recording_id: id,
        format,
        started_at: readTime(payload['started_at']),
        ended_at: readTime(payload['ended_at']),
        duration_seconds: asCount(payload['duration_secs']),
        room_name: firstText(payload, 'room_name', 'room_id')
      },
      links: [mediaLink(url, format)],
      media_index: null,
      announced_at: announcement.announced_at,
      storage_key: null,
      resource: composed ? 'room-composition' : 'room-recording'
    }
  ];
}
