import { resolve } from 'node:path';
import { isBelow } from './folder/archive-path';
import { locationOf, type StoredRecording } from './stored-recording';

/** Between the bucket with its prefix and the server that has it, see `Destination.place`. */
const SERVER = ' at ';
const BUCKET = 's3://';

/**
 * Whether a destination may have given this location. What is written, read or deleted there stays inside of it.
 *
 * @param place as `Destination.place`
 * @param location as `PublishedFile.location`, from a writer that is not trusted
 */
export function isHeldIn(place: string, location: string): boolean {
  if (place.startsWith(BUCKET)) {
    const start = place.slice(0, Math.max(0, place.lastIndexOf(SERVER)));
    return start !== '' && location.startsWith(start) && location.length > start.length;
  }
  const isSpelledPlainly = !location.includes('\0') && resolve(location) === location;
  return resolve(place) === place && isSpelledPlainly && location !== place && isBelow(location, place);
}

/** Whether a destination may have all files of a recording: itself, its sidecar and its text. */
export function areHeldIn(
  place: string,
  recording: Pick<StoredRecording, 'path' | 'bucket' | 'key' | 'sidecar' | 'transcription_file'>
): boolean {
  const named = [locationOf(recording), recording.sidecar, recording.transcription_file];
  return named.every((location) => location == null || isHeldIn(place, location));
}
