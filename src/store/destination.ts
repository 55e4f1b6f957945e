import type { Hash } from 'node:crypto';
import type { LockFacts, LockMode } from './kept-facts';
import type { SidecarRecord } from './sidecar';
import type { DestinationKind, StoredRecording } from './stored-recording';

/** What a destination can do beyond storing; checked instead of the kind of destination. */
export interface Capabilities {
  /** Copies can be read again: before deletion at the source, and to check old copies. */
  readonly canReadBack: boolean;
  /** The name of a damaged copy can be freed for a fresh one. */
  readonly canSetAside: boolean;
  /** Making a copy durable is the work of the disk, and the next copy can be received meanwhile. */
  readonly canPublishAside: boolean;
}

/** What is known of a stored copy that is read again. */
export interface KnownCopy {
  /** Bytes; reads at most one more than this. */
  size: number;
  /** As `PublishedFile.versionId`. */
  versionId: string | null;
}

/** How a stored version is to be locked. */
export interface WantedLock {
  mode: LockMode;
  /** ISO 8601 UTC, in the future. */
  until: string;
  /** Also set a hold, which has no end. */
  hold: boolean;
}

/** A stored copy that is to go for good. */
export interface CopyToErase {
  /** As `PublishedFile.location`. */
  location: string;
  /** Hex; what is at the location counts as the copy only with it. */
  sha256: string;
  /** Bytes. */
  size: number;
  versionId: string | null;
  /** Where its text is, as `StoredFacts.transcription_file`; null: it has none. */
  text: string | null;
}

/**
 * Asks, right before each deletion, whether it is still permitted: a hold may come at any moment.
 *
 * @throws CodedError `DELETION_REFUSED`
 */
export type Permit = () => Promise<void>;

/** Texts beside the recordings of one destination. */
export interface TextWriter {
  /**
   * Writes a text under a name. It is complete as soon as it exists, and never overwrites anything.
   *
   * @param location absolute path, or `s3://bucket/key`
   * @returns `same` when the same text already exists, `taken` when something else has the name
   * @throws CodedError `STORE_FAILED`
   */
  create(location: string, text: string): Promise<'created' | 'same' | 'taken'>;
  /**
   * Replaces a text that was created here.
   *
   * @throws CodedError `STORE_FAILED`
   */
  replace(location: string, text: string): Promise<void>;
}

/** Where stored copies go. One implementation per destination: folder, bucket, message. */
export interface Destination {
  readonly kind: DestinationKind;
  /**
   * The same text for the same place, whichever node stores there; it keys the index. For a destination in a
   * folder, it is the absolute path: partial copies left there are found by it, and an index is rebuilt under
   * it.
   */
  readonly place: string;
  readonly capabilities: Capabilities;
  /** The sidecars beside the stored copies. */
  readonly sidecars: SidecarWriter;
  /** The texts of recordings, beside them. */
  readonly transcripts: TextWriter;

  /**
   * Opens the partial copy of a job, or resumes the one an earlier attempt left.
   *
   * @param jobId names the partial copy; safe characters only (`[0-9a-zA-Z_-]`)
   * @throws CodedError `STORE_FAILED` when the destination cannot be written
   */
  openPart(jobId: string): Promise<PartialCopy>;

  /**
   * @returns where a file of that name is, as `PublishedFile.location`; null when nothing is kept, or when
   *   the name does not tell: what another process stored is then not found
   */
  locationOf(name: string): string | null;

  /**
   * Reads a stored copy from where it is. Without `canReadBack` it always throws.
   *
   * @param location as `PublishedFile.location`
   * @param copy what is known of it; in a versioned bucket another version may be at the location by now
   * @throws CodedError `STORE_FAILED` when it is not there or cannot be read
   */
  readBack(location: string, copy?: KnownCopy): Promise<{ sha256: string; size: number }>;

  /**
   * Frees the name of a damaged copy. Without `canSetAside` the copy keeps its name.
   *
   * @param location as `PublishedFile.location`
   * @param replacement hex SHA-256 of what was stored there, and of the fresh copy
   * @returns where the damaged copy is now; null when there was none, or it keeps its name
   * @throws CodedError `STORE_FAILED`
   */
  setAside(location: string, replacement: { expected: string; fresh: string }): Promise<string | null>;

  /**
   * Locks the stored version of a copy against deletion, and asks the store for the lock. May be repeated; a lock never
   * gets shorter or weaker. Absent where nothing can be locked.
   *
   * @param location as `PublishedFile.location`
   * @throws CodedError `LOCK_UNCONFIRMED`, retryable, unless the store says that the lock is there; `STORE_FAILED`
   */
  lock?(location: string, copy: KnownCopy, wanted: WantedLock): Promise<LockFacts>;

  /**
   * Deletes a stored copy for good, with all that belongs to it: its text, then the file, then its sidecar, and of each
   * every version that the destination keeps. May be repeated, and goes on where it was interrupted. What another file
   * has left at one of these places stays.
   *
   * @returns how many files, versions and delete markers went; 0: there was nothing left
   * @throws CodedError `DELETION_REFUSED` while the store holds it locked, before anything is deleted as far as the store
   *   tells; `STORE_FAILED` when another file is at the location, or something could not be deleted
   */
  erase(copy: CopyToErase, permit: Permit): Promise<number>;

  /**
   * Checks whether files could be stored, without creating anything. Makes no request.
   *
   * @throws CodedError `STORE_FAILED`
   */
  check(): Promise<void>;

  /**
   * Clears away what no job can resume; call it before jobs begin. Resolves when copies may be opened; slow
   * work is done later.
   *
   * @param isWanted whether a job of this instance can resume the partial copy of that name
   * @returns how many files were deleted by then
   * @throws CodedError `STORE_FAILED`
   */
  sweep(isWanted: (copyId: string) => boolean): Promise<number>;

  /** Ends all work and drops what is incomplete and cannot be resumed. Never throws. */
  close(): Promise<void>;
}

/** What a copy remembers of the bytes it took, for stores that cannot read them before they are published. */
export interface RememberedBytes {
  /** Of all bytes held; a copy that the caller may continue. */
  hash: Hash;
  size: number;
  /** At least the first 4,096 bytes, or all. */
  head: Buffer;
  /** The last 4,096 bytes held, or all. */
  tail: Buffer;
}

/** What is known of a file once its first bytes were checked, before the first of them is written. */
export interface FileAhead {
  /** As `FileToPublish.name`. */
  name: string;
  contentType: string;
  /** Bytes, when the response states them. */
  size: number | null;
}

/** Bytes on their way into the archive. Nothing of it is visible under the final name before `publish`. */
export interface PartialCopy {
  /** Bytes held so far. */
  readonly size: number;
  /**
   * Announces the file before the first `write` (also the first after `restart`). For stores that need the name
   * before the bytes; `publish` is then called with the same name.
   *
   * @throws CodedError `STORE_FAILED`
   */
  begin?(file: FileAhead): Promise<void>;
  /** For stores that cannot `read` what they hold: what they remember of it. */
  remembered?(): RememberedBytes;
  /** Reads back what is held, to rebuild a hash when a transfer resumes. */
  read(): AsyncIterable<Uint8Array>;
  /** Appends bytes. Resolves when the next ones may come (back-pressure). */
  write(bytes: Uint8Array): Promise<void>;
  /** Forgets everything held, to start over. */
  restart(): Promise<void>;
  /** Closes but keeps the bytes for a later attempt, as far as possible. Never throws. */
  suspend(): Promise<void>;
  /** Closes and deletes everything held. Never throws. */
  discard(): Promise<void>;
  /**
   * Makes the copy durable and visible under its name, never replacing anything else. When another recording
   * has that name, a variant of it is used (`name_2.mp3`). Afterwards the copy is closed; after an error,
   * call `suspend` or `discard`.
   *
   * @throws CodedError `STORE_FAILED`
   */
  publish(file: FileToPublish): Promise<PublishedFile>;
}

export interface FileToPublish {
  /** Wanted name: safe segments separated by `/`, from the file name template. */
  name: string;
  /** Hex SHA-256 and size of the held bytes, counted while they streamed. */
  sha256: string;
  size: number;
  contentType: string;
  /**
   * The contents of its sidecar for a location. Stores that can make both durable together do so; the others
   * leave it to the caller.
   */
  sidecar?: (location: string) => SidecarRecord;
}

export interface PublishedFile {
  /** Absolute path (`folder`), `s3://bucket/key` (`bucket`), or null (`message`). */
  location: string | null;
  /** Its version in a versioned bucket; null or absent otherwise. */
  versionId?: string | null;
  /** True when the same bytes already existed under that name. */
  alreadyStored: boolean;
  /** True when the sidecar is beside it, and equally durable. */
  sidecarWritten?: boolean;
  /** The bytes themselves; `message` only. */
  content?: Buffer;
}

/** The sidecars of stored files. */
export interface SidecarWriter {
  /** @returns where the sidecar of a file is */
  pathOf(location: string): string;
  /**
   * Writes or updates it. Durable when resolved.
   *
   * @throws CodedError `STORE_FAILED`
   */
  write(location: string, recording: StoredRecording): Promise<void>;
  /** @returns its contents; null if there is none that can be read. @throws CodedError `STORE_FAILED` */
  read(location: string): Promise<Readonly<Record<string, unknown>> | null>;
}
