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
}

/** Bytes on their way into the archive. Nothing of it is visible under the final name before `publish`. */
export interface PartialCopy {
  /** Bytes held so far. */
  readonly size: number;
  /** Reads back what is held, to rebuild a hash when a transfer resumes. */
  read(): AsyncIterable<Uint8Array>;
  /** Appends bytes. Resolves when the next ones may come (back-pressure). */
  write(bytes: Uint8Array): Promise<void>;
  /** Forgets everything held, to start over. */
  restart(): Promise<void>;
  /** Closes but keeps the bytes for a later attempt. */
  suspend(): Promise<void>;
  /** Closes and deletes everything held. Never throws. */
  discard(): Promise<void>;
  /**
   * Makes the copy durable and visible under its name, never replacing anything else.
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
}

export interface PublishedFile {
  /** Absolute path (`folder`), `s3://bucket/key` (`bucket`), or null (`message`). */
  location: string | null;
  /** True when the same bytes already lay under that name. */
  alreadyStored: boolean;
}
