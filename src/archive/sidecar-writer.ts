import type { DirectorySync } from '../store/durable-file';
import type { StoredRecording } from './stored-recording';

/** The sidecars of stored files. */
export interface SidecarWriter {
  /** @returns where the sidecar of a file lies */
  pathOf(location: string): string;
  /**
   * Writes it or brings it up to date. Durable when resolved.
   *
   * @param directory `left-to-caller`: only its content is durable; its name along with that of the file
   * @throws CodedError `STORE_FAILED`
   */
  write(location: string, recording: StoredRecording, directory?: DirectorySync): Promise<void>;
  /** @returns what it holds; null when there is none that can be read. @throws CodedError `STORE_FAILED` */
  read(location: string): Promise<Readonly<Record<string, unknown>> | null>;
}
