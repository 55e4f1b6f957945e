import { createHash, randomUUID } from 'node:crypto';
import type { Media, MediaFormat } from '../../samples/media/media';
import { mp3Media } from '../media/media-mp3';
import { wavMedia } from '../../samples/media/media-wav';
import { type SampleCall, sampleCall } from '../../samples/sample-call';

/** A recording that the stand-in keeps. Its media are made on request. */
export interface StandInRecording {
  id: string;
  source: 'call' | 'conference';
  formats: readonly MediaFormat[];
  channels: 'single' | 'dual';
  seconds: number;
  /** Unix milliseconds. */
  startedAt: number;
  /** Unix milliseconds; the recording is listed by this time. */
  createdAt: number;
  call: SampleCall;
  conferenceId: string | null;
}

/** One file of a recording, and where it is. */
export interface ShelvedFile {
  recording: StandInRecording;
  format: MediaFormat;
  /** Path as in Telnyx's bucket, without a query. */
  path: string;
}

/** The recordings of the made-up account, newest first. */
export class RecordingShelf {
  readonly #accountId = randomUUID();
  readonly #recordings = new Map<string, StandInRecording>();
  readonly #paths = new Map<string, ShelvedFile>();

  /**
   * Puts a recording on the shelf.
   *
   * @param overrides its fixed properties; the rest is made up
   * @param now unix milliseconds
   * @throws Error when there is already one with that id
   */
  add(overrides: Partial<StandInRecording>, now: number): StandInRecording {
    const seconds = overrides.seconds ?? 3;
    const source = overrides.source ?? 'call';
    const recording: StandInRecording = {
      id: randomUUID(),
      formats: ['mp3'],
      channels: 'single',
      startedAt: now - seconds * 1000,
      createdAt: now,
      call: sampleCall(),
      conferenceId: source === 'conference' ? randomUUID() : null,
      ...overrides,
      seconds,
      source
    };
    if (this.#recordings.has(recording.id)) throw new Error(`There is a recording ${recording.id} already`);
    this.#recordings.set(recording.id, recording);
    for (const file of this.files(recording)) this.#paths.set(file.path, file);
    return recording;
  }

  get(id: string): StandInRecording | undefined {
    return this.#recordings.get(id);
  }

  /** @returns the recording that was deleted, undefined when there was none */
  delete(id: string): StandInRecording | undefined {
    const recording = this.#recordings.get(id);
    if (!recording) return undefined;
    this.#recordings.delete(id);
    for (const file of this.files(recording)) this.#paths.delete(file.path);
    return recording;
  }

  /** Newest first, as they are listed. */
  all(): StandInRecording[] {
    return [...this.#recordings.values()].sort((a, b) => b.createdAt - a.createdAt);
  }

  files(recording: StandInRecording): ShelvedFile[] {
    return recording.formats.map((format) => ({ recording, format, path: this.#path(recording, format) }));
  }

  fileAt(path: string): ShelvedFile | undefined {
    return this.#paths.get(path);
  }

  #path({ id, startedAt }: StandInRecording, format: MediaFormat): string {
    const day = new Date(startedAt).toISOString().slice(0, 10);
    const unix = Math.floor(startedAt / 1000);
    return `/telephony-recorder-prod/${this.#accountId}/${day}/${id}-${unix}.${format}`;
  }
}

/** The bytes of one file of a recording; always the same for the same recording. */
export function mediaOf(recording: StandInRecording, format: MediaFormat): Media {
  const { id, seconds } = recording;
  const sound = { title: id, seconds, channels: recording.channels === 'dual' ? 2 : 1 } as const;
  return format === 'mp3' ? mp3Media(sound) : wavMedia(sound, toneOf(id));
}

/** Recordings can be told apart by ear: 300 to 899 Hz. */
function toneOf(id: string): number {
  return 300 + (createHash('sha256').update(id).digest().readUInt16BE(0) % 600);
}
