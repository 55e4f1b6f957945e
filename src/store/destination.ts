import type { Hash } from 'node:crypto';
import type { SidecarRecord } from './sidecar';

/** Where stored copies go. One implementation per destination: folder, bucket, message. */
export interface Store {
  readonly destination: 'folder' | 'bucket' | 'message';

  /**
   * Opens the partial copy of a job, or goes on with the one an earlier attempt left.
   *
   * @param jobId names the partial copy; safe characters only (`[0-9a-zA-Z_-]`)
   * @throws CodedError `STORE_FAILED` when the destination cannot be written
   */
  openPart(jobId: string): Promise<PartialCopy>;
  /** Where a file of that name lies, as `PublishedFile.location`, when other processes store there too. */
  locationOf?(name: string): string;
}

/** What is known of a stored copy that is read again. */
export interface KnownCopy {
  /** Bytes; no more of them than one too many are read. */
  size: number;
  /** As `PublishedFile.versionId`. */
  versionId: string | null;
}

/** A store whose copies can be read again: before deletion at the source, and to check old copies. */
export interface ReadBack {
  /**
   * Reads a stored copy from where it lies.
   *
   * @param location as `PublishedFile.location`
   * @param copy what is known of it; in a versioned bucket another version may lie at the location by now
   * @throws CodedError `STORE_FAILED` when it is not there or cannot be read
   */
  readBack(location: string, copy?: KnownCopy): Promise<{ sha256: string; size: number }>;
}

/** A store that can free the name of a damaged copy for a fresh one. */
export interface DamagedCopies {
  /**
   * @param location as `PublishedFile.location`
   * @param replacement hex SHA-256 of what was stored there, and of the fresh copy
   * @returns where the damaged copy is now; null when there was none
   * @throws CodedError `STORE_FAILED`
   */
  setAside(location: string, replacement: { expected: string; fresh: string }): Promise<string | null>;
}

export function canSetAside(store: Store): store is Store & DamagedCopies {
  return 'setAside' in store;
}

export function canReadBack(store: Store): store is Store & ReadBack {
  return 'readBack' in store;
}

/** What a copy remembers of the bytes it took, for stores that cannot read them before they are published. */
export interface RememberedBytes {
  /** Of all bytes held; a copy, to be gone on with. */
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
   * Tells what is coming, before the first `write` (also the first after `restart`). For stores that
   * need the name before the bytes; `publish` is then called with the same name.
   *
   * @throws CodedError `STORE_FAILED`
   */
  begin?(file: FileAhead): Promise<void>;
  /** For stores without a `read` of what is held: what is remembered of it. */
  remembered?(): RememberedBytes;
  /** Reads back what is held, to rebuild a hash when a transfer resumes. */
  read(): AsyncIterable<Uint8Array>;
  /** Appends bytes. Resolves when the next ones may come (back-pressure). */
  write(bytes: Uint8Array): Promise<void>;
  /** Forgets everything held, to start over. */
  restart(): Promise<void>;
  /** Closes but keeps the bytes for a later attempt, as far as that is possible. Never throws. */
  suspend(): Promise<void>;
  /** Closes and deletes everything held. Never throws. */
  discard(): Promise<void>;
  /**
   * Makes the copy durable and visible under its name, never replacing anything else. When another
   * recording has that name, a variant of it is taken (`name_2.mp3`). Afterwards the copy is closed;
   * after an error, `suspend` or `discard` is still to be called.
   *
   * @throws CodedError `STORE_FAILED`
   */
  publish(file: FileToPublish): Promise<PublishedFile>;
}

export interface FileToPublish {
  /** Wanted name: safe segments separated by `/`, already made by the naming station. */
  name: string;
  /** Hex SHA-256 and size of the held bytes, counted while they streamed. */
  sha256: string;
  size: number;
  contentType: string;
  /**
   * What its sidecar says when it is stored at a location. Stores that can make both durable in one go do so;
   * the others leave it to the caller.
   */
  sidecar?: (location: string) => SidecarRecord;
}

export interface PublishedFile {
  /** Absolute path (`folder`), `s3://bucket/key` (`bucket`), or null (`message`). */
  location: string | null;
  /** Which version it is in a versioned bucket; null or left out where there are none. */
  versionId?: string | null;
  /** True when the same bytes already lay under that name. */
  alreadyStored: boolean;
  /** True when the sidecar lies beside it, as durable as itself. */
  sidecarWritten?: boolean;
  /** The bytes themselves; `message` only. */
  content?: Buffer;
}
