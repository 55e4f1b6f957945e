import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import type { StoredRecording } from '../../store/stored-recording';
import { asText } from '../../values/fields';

/** Where a file is in the index: digest of its identity, digest of its destination, wanted format. */
export type FileKey = [identity: string, destination: string, wantedFormat: string];

/** The kinds of files that people tell apart. */
export type FileKind = 'audio' | 'video' | 'fax' | 'text' | 'other';

/** What a search reads of a file, far less than the index knows. */
export interface SearchEntry {
  /** When the recording began, or else when it was stored; milliseconds since 1970. */
  time: number;
  file: FileKey;
  provider: string;
  kind: FileKind;
  /** Whether the index, or a file, holds its text. */
  hasText: boolean;
  /** The digits of the two numbers, with a blank between them. */
  numbers: string;
  /** Numbers, ids and names, in lower case, with blanks between them. */
  words: string;
}

type SearchKey = [time: number, ...file: FileKey];

const AUDIO = new Set('mp3 wav mp2 aac ogg flac amr m4a'.split(' '));
const VIDEO = new Set('mp4 webm mkv 3gp mov'.split(' '));
const FAX = new Set(['pdf', 'tiff']);
const TEXT = new Set('txt vtt srt json md csv html'.split(' '));

/** The longest part of a field that is searched. */
const LONGEST_FIELD = 200;
const LONGEST_NUMBER = 40;
/** The key of the note of how far the entries of earlier versions have been read. Sorts after all times. */
const READ_KEY = 'read';
const ALL_READ = 'all';
/** No time is later, or earlier (ECMA-262, time range). */
const LATEST = 8.64e15;

/**
 * A second order of the index, by time, with what people search for. It is written in the same commit as the
 * index.
 */
export class SearchEntries {
  readonly #entries: StateCollection<string>;

  constructor(database: Pick<StateDatabase, 'collection'>) {
    this.#entries = database.collection('stored-recordings-search');
  }

  /**
   * Enters a file. To be called while a commit is being made.
   *
   * @param before what the index holds of it until now
   */
  enter(file: FileKey, recording: StoredRecording, before: StoredRecording | undefined): void {
    const time = timeOf(recording);
    const earlier = before === undefined ? time : timeOf(before);
    if (earlier !== time) this.#entries.removing([earlier, ...file]).apply();
    this.#entries.putting([time, ...file], searchText(recording)).apply();
  }

  /** Takes a file out. To be called while a commit is being made. @param before what the index holds of it */
  leave(file: FileKey, before: StoredRecording): void {
    this.#entries.removing([timeOf(before), ...file]).apply();
  }

  /**
   * The entries from late to early.
   *
   * @param span milliseconds; `before` is not part of it. `after` continues behind an entry.
   */
  *latestFirst({ from, before, after, limit }: EntrySpan): Iterable<SearchEntry> {
    const start = after === undefined ? [Math.min(before ?? LATEST, LATEST)] : [...keyOf(after), ''];
    const end = [Math.max(from ?? -LATEST, -LATEST)];
    // Reversed, a range has its start excluded only if no entry is equal to it; `[time]` equals none.
    for (const { key, value } of this.#entries.range({ reverse: true, start, end, limit })) {
      const entry = readEntry(key, value);
      if (entry !== null && !isSame(entry, after)) yield entry;
    }
  }

  /** How far the index was read for entries that earlier versions left out: `all`, a key, or undefined. */
  get readUpTo(): 'all' | FileKey | undefined {
    const noted = this.#entries.get(READ_KEY);
    if (noted === undefined || noted === ALL_READ) return noted;
    return noted.split('\n') as FileKey;
  }

  /** The note that goes with `readUpTo`. */
  noteRead(upTo: 'all' | FileKey): StateChange {
    return this.#entries.putting(READ_KEY, upTo === ALL_READ ? upTo : upTo.join('\n'));
  }
}

export interface EntrySpan {
  from: number | null;
  before: number | null;
  after?: Pick<SearchEntry, 'time' | 'file'> | undefined;
  limit: number;
}

/** The time under which a recording is found. An unreadable one counts as 1970. */
export function timeOf({ started_at, stored_at }: Partial<StoredRecording>): number {
  const started = Date.parse(started_at ?? '');
  return Number.isFinite(started) ? started : Date.parse(stored_at ?? '') || 0;
}

/** What kind of file a format, as the bytes of a stored file told it, is. */
export function kindOfFormat(format: string | null | undefined): FileKind {
  const name = format ?? '';
  if (AUDIO.has(name)) return 'audio';
  if (VIDEO.has(name)) return 'video';
  if (FAX.has(name)) return 'fax';
  return TEXT.has(name) ? 'text' : 'other';
}

/** @returns the digits of a number or of the user in a SIP address; none for other names */
export function digitsOf(number: string): string {
  const [user = ''] = number.slice(0, LONGEST_NUMBER).split('@', 1);
  return user.replace(/\D/g, '');
}

/** Every value came from outside, and an earlier version may have entered another kind of it. */
function searchText(recording: StoredRecording): string {
  const { format, transcription, transcription_file, from, to } = recording;
  const kind = kindOfFormat(format);
  const hasText = kind === 'text' || typeof transcription === 'string' || transcription_file !== undefined;
  const numbers = [from, to].map((number) => digitsOf(asText(number) ?? ''));
  const fields = [
    from,
    to,
    recording.recording_id,
    recording.call_session_id,
    recording.call_leg_id,
    recording.call_control_id,
    recording.conference_id,
    recording.mtg_session_id,
    recording.room_name
  ];
  const words = new Set(fields.map((field) => (asText(field) ?? '').slice(0, LONGEST_FIELD)));
  const lines = [
    asText(recording.provider) ?? '',
    kind,
    hasText ? 'text' : '',
    numbers.join(' '),
    [...words].join(' ').toLowerCase()
  ];
  return lines.map((line) => line.replace(/\s/g, ' ')).join('\n');
}

function keyOf({ time, file }: Pick<SearchEntry, 'time' | 'file'>): SearchKey {
  return [time, ...file];
}

function readEntry(key: unknown, value: string): SearchEntry | null {
  if (!Array.isArray(key)) return null;
  const [time, identity, destination, wantedFormat] = key as SearchKey;
  const [provider = '', kind = 'other', text = '', numbers = '', words = ''] = value.split('\n', 5);
  const file: FileKey = [identity, destination, wantedFormat];
  return { time, file, provider, kind: kind as FileKind, hasText: text !== '', numbers, words };
}

function isSame({ time, file }: SearchEntry, other: EntrySpan['after']): boolean {
  return other !== undefined && time === other.time && file.every((part, at) => part === other.file[at]);
}
