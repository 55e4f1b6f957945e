import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mediaOf, type StandInRecording } from '../../src/simulator/telnyx/recording-shelf';

/** A recording in an archive. */
export interface StoredCopy {
  recording: StandInRecording;
  path: string;
  /** Hex. */
  sha256: string;
}

/**
 * Puts recordings of the stand-in into a folder as if a download node had stored them long ago: the file
 * `<year>/<id>.mp3` and its sidecar.
 */
export function storeLongAgo(folder: string, recordings: readonly StandInRecording[]): StoredCopy[] {
  return recordings.map((recording) => {
    const started = new Date(recording.startedAt);
    const file = path.join(folder, String(started.getUTCFullYear()), `${recording.id}.mp3`);
    const media = mediaOf(recording, 'mp3');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, media.bytes());
    const { size, sha256 } = media;
    writeFileSync(`${file}.json`, JSON.stringify(sidecarOf(recording, { size, sha256, path: file })));
    return { recording, path: file, sha256 };
  });
}

function sidecarOf(
  { id, call, channels, startedAt, seconds }: StandInRecording,
  file: { size: number; sha256: string; path: string }
): object {
  return {
    provider: 'telnyx',
    recording_id: id,
    event_type: 'call.recording.saved',
    format: 'mp3',
    channels,
    started_at: new Date(startedAt).toISOString(),
    ended_at: new Date(startedAt + seconds * 1000).toISOString(),
    duration_seconds: seconds,
    ...call,
    ...file,
    content_type: 'audio/mpeg',
    destination: 'folder',
    stored_at: new Date(startedAt + 60_000).toISOString(),
    deleted_at_source: null
  };
}
