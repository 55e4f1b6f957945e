import { announcementsOf, type RecordingSource } from './announcement';

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
