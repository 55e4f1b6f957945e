import type { StoredRecording } from './stored-recording';

/** The sidecars of stored files. */
export interface SidecarWriter {
  /** @returns where the sidecar of a file is */
  pathOf(location: string): string;
  /**
   * Writes it or brings it up to date. Durable when resolved.
   *
   * @throws CodedError `STORE_FAILED`
   */
  write(location: string, recording: StoredRecording): Promise<void>;
  /** @returns what it holds; null when there is none that can be read. @throws CodedError `STORE_FAILED` */
  read(location: string): Promise<Readonly<Record<string, unknown>> | null>;
}
