import { type Fields, asCount, asFields, asText, firstText } from '../../values/fields';
import { readTime } from '../../values/time';
import type { RecordingDetails } from '../recording-details';
import { type RecordingReference, identityOfId } from '../recording-reference';
import { type Announcement, type RecordingSource, announcementsOf, unknownDetails } from './announcement';
import { fromDailyText, sessionOf } from './from-daily-text';

/**
 * Daily `recording.ready-to-download` (docs.daily.co, webhook events): an id without a link; the API
 * makes links on demand. `type` can be absent; then a non-empty `tracks` means raw tracks, each of
 * which is a file of its own in the customer's bucket. Started recordings carry an id too, but neither
 * a key nor the status `finished`.
 */
export function fromDaily(announcement: Announcement): RecordingReference[] {
  const { payload } = announcement;
  if (announcement.provider !== 'daily') return [];
  const id = asText(payload['recording_id']);
  const key = firstText(payload, 's3_key', 's3Key', 's3key');
  const tracks = trackKeysOf(payload);
  const isSaid = key !== null || announcement.event_type === 'recording.ready-to-download';
  const finished = payload['status'] === 'finished' || (payload['status'] === undefined && isSaid);
  if (id === null) return fromDailyText(announcement);
  if (!finished) return [];

  const details: RecordingDetails = {
    ...unknownDetails(announcement),
    recording_id: id,
    started_at: readTime(payload['start_ts']),
    duration_seconds: asCount(payload['duration']),
    room_name: asText(payload['room_name']),
    max_participants: asCount(payload['max_participants']),
    mtg_session_id: sessionOf(payload)
  };
  const common = { links: [], announced_at: announcement.announced_at };
  if (tracks.length > 0 && (asText(payload['type']) ?? 'raw-tracks') === 'raw-tracks') {
    return tracks.map((track, index) => ({
      ...common,
      kind: 'track',
      // A track without a key cannot be fetched, but it must not go missing silently either.
      identity: identityOfId('daily', id, track ?? `track ${index} without key`),
      details: { ...details, track: track?.slice(track.lastIndexOf('/') + 1) ?? null },
      media_index: index,
      storage_key: track
    }));
  }
  if (payload['type'] === 'raw-tracks') return [];
  return [
    {
      ...common,
      kind: 'video',
      identity: identityOfId('daily', id),
      details: { ...details, format: 'mp4' },
      media_index: null,
      storage_key: key
    }
  ];
}

/** One for each track, in order; null for a track without a key. */
function trackKeysOf(payload: Fields): (string | null)[] {
  const tracks: unknown = payload['tracks'];
  if (!Array.isArray(tracks)) return [];
  return tracks.map((entry: unknown) => {
    const fields = asFields(entry);
    return fields === null ? null : firstText(fields, 's3Key', 's3key', 's3_key');
  });
}

/**
 * Whether an event announces a raw-tracks recording of Daily in which nothing was recorded: `tracks` is
 * empty, null or absent (silence, or permissions that were taken away). There is no file to fetch.
 */
export function isWithoutTracks(source: RecordingSource): boolean {
  return announcementsOf(source).some(({ provider, payload }) => {
    const tracks: unknown = payload['tracks'];
    const none = tracks === undefined || tracks === null || (Array.isArray(tracks) && tracks.length === 0);
    return provider === 'daily' && payload['type'] === 'raw-tracks' && none;
  });
}
