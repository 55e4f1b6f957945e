import { isDeepStrictEqual } from 'node:util';
import { type Tombstone, Tombstones } from '../../evidence/deletion/tombstones';
import { identityOfId, identityOfUrl } from '../../recording/recording-reference';
import type { RecordingReference } from '../../recording/recording-reference';
import type { Key, StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import type { StoredRecording } from '../../store/stored-recording';
import { keyDigest } from '../../values/fields';
import { fileKey } from '../queue/job';
import { type FileKey, SearchEntries } from './search-entries';

/**
 * One stored file. `recording` is what its sidecar holds: where it is (`path`, or `bucket` and `key`),
 * `sha256`, `size`, `stored_at`, whether it is deleted at the source, and all that is known of the call.
 */
export interface IndexedFile {
  identity: string;
  /** The format under which the file was wanted; `recording.format` is what its bytes are. */
  wantedFormat: string | null;
  recording: StoredRecording;
  /** Id of the job that stored it: the same job again is not a repetition. */
  order: string;
}

/** A file that was deleted because its time was over, or somebody asked for it. */
export interface DeletedFile {
  /** Whether it was in this destination. */
  isHere: boolean;
  tombstone: Tombstone;
}

/** Which recordings are in one destination. */
export interface StoredIndex {
  /** The same text for the same destination: an absolute folder, `s3://endpoint/bucket/prefix`. */
  readonly place: string;
  /** Files stored for an identity, one per wanted format. */
  find(identity: string): Promise<readonly IndexedFile[]>;
  /** Files of an identity that were deleted, in any destination. */
  deleted(identity: string): Promise<readonly DeletedFile[]>;
}

/**
 * All files that this Node-RED has stored, in all destinations, on disk. A look-up takes microseconds,
 * however many recordings there are.
 */
export class StoredRecordings {
  /** The same files, by time. */
  readonly entries: SearchEntries;
  readonly #files: StateCollection<IndexedFile>;
  readonly #tombstones: Tombstones;
  /** Those of a moment ago, by key, oldest first: what is put within a commit cannot be read before its end. */
  readonly #removed = new Map<string, Tombstone>();
  /** What was added to files that were stored a moment ago, by key; oldest first. */
  readonly #added = new Map<string, IndexedFile>();
  #hasNote = false;

  constructor(database: StateDatabase) {
    this.#files = database.collection('stored-recordings');
    this.entries = new SearchEntries(database);
    this.#tombstones = new Tombstones(database);
  }

  /** @param destination as `StoredIndex.place` */
  at(destination: string): StoredIndex {
    const place = keyDigest(destination);
    return {
      place: destination,
      find: async (identity) => Promise.resolve(this.#range([keyDigest(identity), place])),
      deleted: async (identity) => {
        const span = spanOf([keyDigest(identity)]);
        const found = [...this.#tombstones.stones.range(span)];
        const isHere = (key: Key): boolean => (key as FileKey)[1] === place;
        return Promise.resolve(found.map(({ key, value }) => ({ isHere: isHere(key), tombstone: value })));
      }
    };
  }

  /** The change that enters a file of a destination, or replaces what was known of it. */
  entering(destination: string, file: IndexedFile): StateChange {
    return this.describing([keyDigest(file.identity), keyDigest(destination), file.wantedFormat ?? ''], file);
  }

  /** The file of a key. */
  get(key: FileKey): IndexedFile | undefined {
    return this.#files.get(key);
  }

  /** Whether the files of a key are in a destination. @param destination as for `at` */
  static isAt(key: FileKey, destination: string): boolean {
    return key[1] === keyDigest(destination);
  }

  /** The change that enters what another process has told of a file. */
  telling(destination: string, file: IndexedFile): StateChange {
    const key: FileKey = [keyDigest(file.identity), keyDigest(destination), file.wantedFormat ?? ''];
    return {
      apply: () => {
        if (this.#isDeleted(key, file)) return;
        const known = this.#files.get(key);
        const whole = known === undefined ? file : toldFile(known, file);
        if (whole !== null) this.describing(key, whole).apply();
      }
    };
  }

  /** As `entering`, for a file whose key is known. */
  describing(key: FileKey, file: IndexedFile): StateChange {
    this.#noteAdded(key.join(), file);
    return {
      apply: () => {
        if (this.#isDeleted(key, file)) return;
        this.#noteFirst();
        // Two jobs may describe one file, and which of them ends first is open.
        const known = this.#withAdded(key.join(), file);
        this.entries.enter(key, known.recording, this.#files.get(key)?.recording);
        this.#files.putting(key, known).apply();
      }
    };
  }

  /** The change that takes a deleted file out and notes that it was deleted. A copy that was stored later stays. */
  removing(key: FileKey, tombstone: Tombstone): StateChange {
    return {
      apply: () => {
        this.#removed.set(key.join(), tombstone);
        dropOldest(this.#removed, MOST_FRESH);
        const noted = this.#tombstones.get(key);
        // The same one again, or an earlier one that comes late.
        if (noted === undefined || noted.stored_at < tombstone.stored_at)
          this.#tombstones.putting(key, tombstone).apply();
        const known = this.#files.get(key);
        if (known === undefined || known.recording.stored_at > tombstone.stored_at) return;
        this.#added.delete(key.join());
        this.entries.leave(key, known.recording);
        this.#files.removing(key).apply();
      }
    };
  }

  /** Whether this copy was deleted: what is told late does not bring it back. */
  #isDeleted(key: FileKey, { recording }: IndexedFile): boolean {
    const tombstones = [this.#tombstones.get(key), this.#removed.get(key.join())];
    return tombstones.some((found) => found !== undefined && recording.stored_at <= found.stored_at);
  }

  /**
   * The next files that `entries` may lack, because an earlier version of this package stored them.
   *
   * @param most files at once
   * @returns the changes that enter them, and how many there are; null when no file is left
   */
  unread(most: number): { files: number; changes: StateChange[] } | null {
    const upTo = this.entries.readUpTo;
    if (upTo === 'all') return null;
    const span = upTo === undefined ? { limit: most } : { start: [...upTo, ''], limit: most };
    const keys = [...this.#files.keys(span)] as FileKey[];
    const changes = keys.map((key): StateChange => ({
      apply: () => {
        // As it is by then: it may be entered again at the same time.
        const file = this.#files.get(key);
        if (file !== undefined) this.entries.enter(key, file.recording, file.recording);
      }
    }));
    const last = keys.at(-1);
    const isLast = last === undefined || keys.length < most;
    return { files: keys.length, changes: [...changes, this.entries.noteRead(isLast ? 'all' : last)] };
  }

  /** With the first file of all, nothing is left to read. */
  #noteFirst(): void {
    if (this.#hasNote) return;
    this.#hasNote = true;
    const [first] = this.#files.keys({ limit: 1 });
    if (first === undefined && this.entries.readUpTo === undefined) this.entries.noteRead('all').apply();
  }

  /** The files of a recording in all destinations. */
  find(identity: string): readonly IndexedFile[] {
    return this.#range([keyDigest(identity)]);
  }

  /** Everything, in no particular order; read while it is iterated, a little at a time. */
  *all(): Iterable<IndexedFile> {
    for (const { value } of this.#files.range({})) yield value;
  }

  /**
   * Everything, a few entries at a time. Nothing of the state is held open between two steps, which may be
   * hours apart; what is entered meanwhile may be left out.
   */
  *steps(size = 200): Iterable<readonly IndexedFile[]> {
    let last: FileKey | undefined;
    for (;;) {
      const span = last === undefined ? { limit: size } : { start: [...last, ''], limit: size };
      const step = [...this.#files.range(span)];
      yield step.map(({ value }) => value);
      last = step.at(-1)?.key as FileKey | undefined;
      if (last === undefined || step.length < size) return;
    }
  }

  /** Some files, in the order of their keys, which is the same in every process. @param after a key; null: from the beginning */
  following(after: FileKey | null, most: number): { key: FileKey; file: IndexedFile }[] {
    const span = after === null ? { limit: most } : { start: [...after, ''], limit: most };
    return [...this.#files.range(span)].map(({ key, value }) => ({ key: key as FileKey, file: value }));
  }

  count(): number {
    return this.#files.count();
  }

  #noteAdded(key: string, file: IndexedFile): void {
    const whole = this.#withAdded(key, file);
    this.#added.delete(key);
    const { transcription, deleted_at_source } = whole.recording;
    if (transcription === null && deleted_at_source === null) return;
    this.#added.set(key, whole);
    dropOldest(this.#added, MOST_ADDED);
  }

  #withAdded(key: string, file: IndexedFile): IndexedFile {
    const known = this.#added.get(key);
    return known === undefined || !isSameCopy(known, file) ? file : withAdded(file, known.recording);
  }

  #range(prefix: string[]): IndexedFile[] {
    return [...this.#files.range(spanOf(prefix))].map(({ value }) => value);
  }
}

function spanOf(prefix: string[]): { start: string[]; end: string[] } {
  return { start: prefix, end: [...prefix, AFTER_ALL_TEXT] };
}

/** The identities under which a recording may have been stored. */
export function namesOf({
  identity,
  details,
  links
}: Pick<RecordingReference, 'identity' | 'details' | 'links'>): string[] {
  const { provider, recording_id, track } = details;
  const urls = links.map(({ url }) => identityOfUrl(provider, url));
  return [
    ...new Set([
      identity,
      ...urls,
      ...(recording_id === null ? [] : [identityOfId(provider, recording_id, track)])
    ])
  ];
}

/**
 * The stored files of a recording under any of its names. An event without an id had its recording
 * stored under its address; a caller that knows the id finds it by the address that the API gives for it.
 *
 * @param reference with the links that the API gave, if it was asked
 */
export async function storedCopies(
  index: Pick<StoredIndex, 'find'>,
  { identity, details, links }: Pick<RecordingReference, 'identity' | 'details' | 'links'>
): Promise<readonly IndexedFile[]> {
  const names = [identity, ...links.map(({ url }) => identityOfUrl(details.provider, url))];
  for (const name of names) {
    const found = await index.find(name);
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * Whether a recording was deleted, because its time was over or somebody asked for it: it must not come back with a delivery that
 * is repeated or replayed. A copy that the index still has, and that is only damaged, may be mended. What was erased stays away
 * everywhere. What expired stays away from where it was; from other places unless its job was accepted before: another place may
 * keep it longer.
 *
 * @param about when its job was accepted, in milliseconds since 1970; the format of the file, or undefined: any
 * @returns undefined: it may be stored
 */
export async function deletedBefore(
  index: StoredIndex,
  reference: Pick<RecordingReference, 'identity' | 'details' | 'links'>,
  about: { acceptedAt: number; wantedFormat?: string | null }
): Promise<Tombstone | undefined> {
  const { acceptedAt, wantedFormat } = about;
  for (const name of namesOf(reference)) {
    const found = (await index.deleted(name)).find(
      ({ isHere, tombstone: { reason, deleted_at } }) =>
        isHere || reason === 'erased' || Date.parse(deleted_at) <= acceptedAt
    );
    if (found === undefined) continue;
    const files = await index.find(name);
    if (!files.some((file) => wantedFormat === undefined || file.wantedFormat === wantedFormat))
      return found.tombstone;
  }
  return undefined;
}

/**
 * What is known of a file after another process has told what it knows.
 *
 * @returns null when that is nothing new: of two copies the one that was stored later counts
 */
function toldFile(known: IndexedFile, told: IndexedFile): IndexedFile | null {
  if (!isSameCopy(known, told)) return told.recording.stored_at < known.recording.stored_at ? null : told;
  const whole = withAdded(told, known.recording);
  return isDeepStrictEqual(whole, known) ? null : whole;
}

/** Whether two entries describe one file, as one job stored it. */
function isSameCopy(one: IndexedFile, other: IndexedFile): boolean {
  const names = ['path', 'bucket', 'key', 'sha256', 'stored_at'] as const;
  return one.order === other.order && names.every((name) => one.recording[name] === other.recording[name]);
}

/** An entry with what another one says in addition: a text, or a later one; when it was deleted at the source. */
function withAdded(file: IndexedFile, known: StoredRecording): IndexedFile {
  const recording = { ...file.recording };
  const { transcription, transcription_file, transcribed_at, deleted_at_source } = known;
  const isLater = Date.parse(transcribed_at ?? '') > Date.parse(recording.transcribed_at ?? '');
  if (transcription !== null && (recording.transcription === null || isLater)) {
    Object.assign(recording, { transcription, transcription_file, transcribed_at });
  }
  recording.deleted_at_source ??= deleted_at_source;
  return { ...file, recording };
}

/** Texts may be long, and few jobs for one file end within the same moment. */
const MOST_ADDED = 100;

/** Far more than can be on their way into the index at once. */
const MOST_FRESH = 500;

function dropOldest(entries: Map<string, unknown>, most: number): void {
  const [oldest] = entries.keys();
  if (entries.size > most && oldest !== undefined) entries.delete(oldest);
}

interface KnownFile {
  copy: IndexedFile | undefined;
  /** Whether it may be missing from the index. */
  isFresh: boolean;
}

/**
 * What one node knows of stored files: what was stored a moment ago, then the index. A file is entered into
 * the index when its job is done, and another job for the same recording may come earlier.
 */
export class RecentEntries {
  readonly #index: StoredIndex;
  /** Oldest first. */
  readonly #fresh = new Map<string, IndexedFile>();

  constructor(index: StoredIndex) {
    this.#index = index;
  }

  async find(identity: string, wantedFormat: string | null): Promise<KnownFile> {
    const key = fileKey(identity, wantedFormat);
    const before = this.#fresh.get(key);
    const indexed = await this.indexed(identity, wantedFormat);
    // Another search may have found it in the index meanwhile.
    const fresh = this.#fresh.get(key) ?? before;
    if (fresh === undefined) return { copy: indexed, isFresh: false };
    if ((indexed?.recording.stored_at ?? '') < fresh.recording.stored_at)
      return { copy: fresh, isFresh: true };
    this.#fresh.delete(key);
    return { copy: indexed, isFresh: false };
  }

  async indexed(identity: string, wantedFormat: string | null): Promise<IndexedFile | undefined> {
    return (await this.#index.find(identity)).find((file) => file.wantedFormat === wantedFormat);
  }

  /** A file was stored; its job will enter it into the index. */
  remember(file: IndexedFile): void {
    const key = fileKey(file.identity, file.wantedFormat);
    this.#fresh.delete(key);
    this.#fresh.set(key, file);
    dropOldest(this.#fresh, MOST_FRESH);
  }
}

/** Sorts after every text that can be part of a key. */
const AFTER_ALL_TEXT = '\u{10ffff}';
