import { randomUUID } from 'node:crypto';
import type { Media } from '../../samples/media/media';
import { mp4Media } from '../media/media-mp4';
import { type DailyTextFile, type SideFileName, sideFileOf } from './daily-texts';

/** A recording that the stand-in for Daily keeps. Its media are made on request. */
export interface DailyRecording {
  id: string;
  type: 'cloud' | 'cloud-audio-only';
  roomName: string;
  seconds: number;
  /** Unix milliseconds. */
  startedAt: number;
  maxParticipants: number;
  /** The side files that were requested. */
  dataOutputs: readonly SideFileName[];
  /** When they are there. Unix milliseconds. */
  sideFilesAt: number;
}

const DOMAIN = 'made-up-domain';

/** The recordings of the made-up Daily domain, newest first. */
export class DailyShelf {
  readonly #recordings = new Map<string, DailyRecording>();

  /**
   * Puts a recording on the shelf.
   *
   * @param overrides its fixed properties; the rest is made up
   * @param now unix milliseconds
   */
  add(overrides: Partial<DailyRecording>, now: number): DailyRecording {
    const seconds = overrides.seconds ?? 3;
    const recording: DailyRecording = {
      id: randomUUID(),
      type: 'cloud',
      roomName: 'sample-room',
      startedAt: now - seconds * 1000,
      maxParticipants: 2,
      dataOutputs: [],
      sideFilesAt: 0,
      ...overrides,
      seconds
    };
    this.#recordings.set(recording.id, recording);
    return recording;
  }

  get(id: string): DailyRecording | undefined {
    return this.#recordings.get(id);
  }

  delete(id: string): boolean {
    return this.#recordings.delete(id);
  }

  /** Newest first, as they are listed. */
  all(): DailyRecording[] {
    return [...this.#recordings.values()].sort((a, b) => b.startedAt - a.startedAt);
  }

  /** @param path as `pathOf` makes it */
  at(path: string): DailyRecording | undefined {
    return this.all().find((recording) => pathOf(recording) === path);
  }

  /** @param path as `sidePathOf` makes it */
  sideFileAt(path: string): DailyTextFile | undefined {
    for (const recording of this.#recordings.values())
      for (const name of recording.dataOutputs)
        if (sidePathOf(recording, name) === path) return sideFileOf(name, recording);
    return undefined;
  }
}

/** The object key by Daily's default template. */
export function storageKey({ roomName, startedAt }: Pick<DailyRecording, 'roomName' | 'startedAt'>): string {
  return `${DOMAIN}/${roomName}/${startedAt}`;
}

/** Where its file is on the media server. */
export function pathOf(recording: DailyRecording): string {
  return `/daily-cloud-recordings/${storageKey(recording)}/${recording.id}`;
}

/** Where a side file of it is. */
export function sidePathOf(recording: DailyRecording, name: SideFileName): string {
  return `${pathOf(recording)}.${name}`;
}

/** The bytes of a recording; always the same for the same recording. */
export function dailyMediaOf({
  id,
  type,
  seconds
}: Omit<DailyRecording, 'dataOutputs' | 'sideFilesAt'>): Media {
  return mp4Media({ title: id, seconds, channels: type === 'cloud' ? 2 : 1 });
}
