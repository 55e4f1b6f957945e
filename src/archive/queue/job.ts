import type { Trouble } from '../../errors/trouble';
import type { RecordingDetails } from '../../recording/recording-details';
import type { FormatChoice, MediaLink, RecordingReference } from '../../recording/recording-reference';
import type { RetentionFacts } from '../../store/kept-facts';
import type { StoredFile } from '../../store/stored-recording';
import type { TransferResult } from '../../transfer/transfer-types';

/**
 * Everything that one message asks to store. Only plain values: it is on disk until it is done, and contains
 * exactly what is needed to resume after a crash. It contains signed links, which are secrets.
 */
export interface Job {
  /** Sorts by age. */
  id: string;
  /** Milliseconds since 1970. */
  acceptedAt: number;
  message: MessageSnapshot;
  items: JobItem[];
  /** What became of each subject; see `noteOf` for the keys. */
  files: Record<string, FileNote>;
  /** Set when the last attempt failed. */
  retry?: RetryNote;
  /** Set when everything is stored and the flow has its messages. */
  deletion?: DeletionNote;
  /** Like `deletion`, but done first: a provider forgets what it deletes. */
  details?: DetailsNote;
  /** Like `deletion`, but done before it: it would take them away. Its `items` are then the files that are stored. */
  sideFiles?: SideFilesNote;
}

/** What is known of the run of a job that begins. */
export interface JobRun {
  /**
   * Whether an earlier run may have ended with its process, or have lost the job to another one: it may have done
   * anything, and has reported nothing.
   */
  isResumed: boolean;
  /** Asks, right before the flow is told how a run ended, whether this run still may. Left out: it may. Never rejects. */
  mayReport?: () => Promise<boolean>;
}

/** The part of a flow's message that survives a restart. */
export type MessageSnapshot = Readonly<Record<string, unknown>>;

/** The request to store one recording. */
export interface JobItem {
  reference: RecordingReference;
  format: FormatChoice;
}

/** What became of one file in earlier runs. */
export interface FileNote {
  attempts: number;
  /** Failed attempts after which another one is worthwhile. */
  failures: number;
  /** What is known of the recording, with what the API added; the file is named after it. */
  details?: RecordingDetails;
  /** The API did not return its details in time; it is asked again when the file is stored. */
  areDetailsLate?: boolean;
  /** Addresses that the API gave in place of dead ones. */
  links?: MediaLink[];
  /** Its dates, computed once: neither a later attempt nor another instance computes them anew. Null: it has none. */
  retention?: RetentionFacts | null;
  /** The file is in its place; only what describes it is not written yet. */
  published?: PublishedNote;
  /** Why it will not be tried again. */
  failed?: { code: string; message: string; trouble?: Trouble; cause?: { code: string; message: string } };
}

/** Why a job waits for another attempt. */
export interface RetryNote {
  trouble: Trouble;
  /** Which retry is next, from 1. */
  attempt: number;
  /** How many there are. */
  of: number;
}

interface PublishedNote {
  result: TransferResult;
  location: string;
  alreadyStored: boolean;
  /** Of a versioned bucket. */
  versionId?: string | null;
}

/** The follow-up of a job whose files are stored: deletion of the recordings at the source. */
interface DeletionNote {
  /** One list per recording: all of its files. */
  recordings: { reference: RecordingReference; files: StoredFile[] }[];
  failures: number;
}

/** The follow-up of a job whose files were stored before the API returned their details. */
interface DetailsNote {
  recordings: RecordingReference[];
  failures: number;
}

/** A recording whose side files may still come. */
export interface AwaitedRecording {
  /** What is known of it once it is stored. */
  reference: RecordingReference;
  /** Milliseconds since 1970. */
  until: number;
  /** Identities of the side files that were found. */
  found: string[];
}

/** The follow-up of a job whose recordings may get more files. */
export interface SideFilesNote {
  recordings: AwaitedRecording[];
  /** How often the API was asked. */
  looks: number;
}

/**
 * Names one file of a recording.
 *
 * @param format the requested one; null if only the bytes show it
 */
export function fileKey(identity: string, format: string | null): string {
  return `${identity}\n${format ?? ''}`;
}

/** What a note of a job is about. */
export type NoteSubject =
  /** A recording whose files are not known yet. */
  | { about: 'recording'; identity: string }
  /** @see fileKey for `format` */
  | { about: 'file'; identity: string; format: string | null }
  /** The text beside a file. */
  | { about: 'text'; identity: string; format: string | null };

/**
 * The note of a job about one subject. A note that an earlier version wrote is moved to the new key.
 *
 * @returns a new, empty note of the job when there was none
 */
export function noteOf(job: Job, subject: NoteSubject): FileNote {
  const found = findNote(job, subject);
  if (found !== undefined) return found;
  const note: FileNote = { attempts: 0, failures: 0 };
  job.files[noteKey(subject)] = note;
  return note;
}

/** Like `noteOf`, but creates nothing. */
export function findNote({ files }: Pick<Job, 'files'>, subject: NoteSubject): FileNote | undefined {
  const key = noteKey(subject);
  const earlier = earlierKey(subject);
  if (!Object.hasOwn(files, key) && Object.hasOwn(files, earlier)) {
    const note = files[earlier];
    if (note !== undefined) files[key] = note;
    Reflect.deleteProperty(files, earlier);
  }
  return files[key];
}

/** A list as text: whatever an identity holds, no two subjects share a key. */
function noteKey(subject: NoteSubject): string {
  const { about, identity } = subject;
  return JSON.stringify(about === 'recording' ? [about, identity] : [about, identity, subject.format]);
}

/**
 * The key up to version 0.1, when an identity that ended in a line break and `*` had the key of another
 * recording.
 */
function earlierKey(subject: NoteSubject): string {
  if (subject.about === 'recording') return `${subject.identity}\n*`;
  const key = fileKey(subject.identity, subject.format);
  return subject.about === 'file' ? key : `${key}\ntext`;
}

/** Bytes of one message that are kept, counted roughly. */
const LONGEST_MESSAGE = 256 * 1024;
/** Larger Buffers are media, which an old message never needs again. */
const LONGEST_BUFFER = 64 * 1024;
const DEEPEST = 50;
/** What a value or the name of a field counts on top of its characters. */
const VALUE_BYTES = 8;

/** Live objects of the HTTP request: they end with the process. */
const LIVE = new Set(['req', 'res']);

/** What the output message should have before anything else, when not everything fits. */
const FIRST = ['_msgid', 'retention', 'topic', 'event', 'payload', 'parts'];

/**
 * Copies the parts of a message that can be written to disk: text, numbers, booleans, null, dates, Buffers up
 * to 64 kB, arrays and plain objects of these. Left out are `req`, `res`, functions, objects of classes, and
 * properties that would make it larger than 256 kB; the body of `event` is dropped first.
 *
 * @param message a message of a flow; not changed
 */
export function keptMessage(message: Readonly<Record<string, unknown>>): MessageSnapshot {
  const kept: Record<string, unknown> = {};
  let room = LONGEST_MESSAGE;
  /** The body of an event is often the payload as well; what did not fit once does not fit later. */
  const tooLarge = new WeakMap<object, number>();
  const names = [...new Set([...FIRST, ...Object.keys(message)])];
  for (const name of names) {
    if (LIVE.has(name) || name === '__proto__' || !Object.hasOwn(message, name)) continue;
    const value = message[name];
    for (const candidate of name === 'event' ? [value, withoutBody(value)] : [value]) {
      const copy = new BoundedCopy(room, tooLarge);
      const copied = copy.of(candidate);
      if (copied === undefined || copy.room < 0) continue;
      kept[name] = copied;
      room = copy.room;
      break;
    }
  }
  return kept;
}

function withoutBody(event: unknown): unknown {
  return typeof event === 'object' && event !== null ? { ...event, body: undefined } : undefined;
}

class BoundedCopy {
  readonly #tooLarge: WeakMap<object, number>;
  readonly #above = new Set<object>();

  constructor(
    public room: number,
    /** By object: the room that was not enough for it. */
    tooLarge: WeakMap<object, number>
  ) {
    this.#tooLarge = tooLarge;
  }

  /** @returns undefined for what cannot be kept */
  of(value: unknown): unknown {
    if (this.room < 0) return undefined;
    switch (typeof value) {
      case 'string':
        this.room -= value.length + VALUE_BYTES;
        return value;
      case 'number':
      case 'boolean':
        this.room -= VALUE_BYTES;
        return value;
      case 'object':
        // Empty ones count too: a list of a million of them is no small thing to write.
        this.room -= VALUE_BYTES;
        return value === null ? null : this.#object(value);
      default:
        return undefined;
    }
  }

  #object(value: object): unknown {
    if (value instanceof Date) return new Date(value);
    if (value instanceof Uint8Array) {
      if (value.length > LONGEST_BUFFER) return undefined;
      this.room -= value.length;
      return Buffer.from(value);
    }
    const plain = Array.isArray(value) || isPlain(value);
    if (!plain || this.#above.has(value) || this.#above.size >= DEEPEST) return undefined;
    const room = this.room;
    if (room <= (this.#tooLarge.get(value) ?? -1)) this.room = -1;
    if (this.room < 0) return undefined;
    this.#above.add(value);
    const copied = Array.isArray(value) ? this.#items(value) : this.#fields(value);
    this.#above.delete(value);
    if (this.room < 0) this.#tooLarge.set(value, room);
    return copied;
  }

  #items(value: readonly unknown[]): unknown[] {
    const copy: unknown[] = [];
    for (const item of value) {
      if (this.room < 0) break;
      copy.push(this.of(item) ?? null);
    }
    return copy;
  }

  #fields(value: object): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      if (this.room < 0) break;
      if (name === '__proto__') continue;
      const copied = this.of((value as Record<string, unknown>)[name]);
      if (copied === undefined) continue;
      this.room -= name.length + VALUE_BYTES;
      copy[name] = copied;
    }
    return copy;
  }
}

/** Messages made in a Function node have the prototype of its sandbox, not that of this program. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
