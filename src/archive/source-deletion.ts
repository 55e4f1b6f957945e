import { CodedError } from '../errors/coded-error';
import type { RecordingReference } from '../recording/recording-reference';
import type { ReadBack } from '../store/store';
import type { SidecarWriter } from './sidecar-writer';
import type { StoredFile } from './stored-recording';

/** One recording and all of its files, each of which is stored. */
export interface StoredWhole {
  reference: RecordingReference;
  files: StoredFile[];
}

export interface SourceDeletionDeps {
  store: ReadBack;
  sidecar: SidecarWriter;
  /**
   * Deletes a recording at the provider. What is not there any more counts as deleted.
   *
   * @returns not ok when it cannot be deleted from here, today or later
   * @throws CodedError; `signal.reason` when aborted
   */
  deleteAtSource: (
    reference: RecordingReference,
    signal: AbortSignal
  ) => Promise<{ ok: true } | { ok: false; message: string }>;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** `refused`: it cannot be deleted from here, today or later. */
export type DeletionResult =
  { kind: 'deleted' } | { kind: 'refused'; message: string } | { kind: 'failed'; error: CodedError };

/**
 * Deletes recordings at the provider once every file of them is stored, and only after each stored copy
 * was read back from where it lies and its SHA-256 matched.
 */
export class SourceDeletion {
  constructor(private readonly deps: SourceDeletionDeps) {}

  /**
   * Deletes one recording and notes it in `files` and their sidecars. May be repeated: what is done is not
   * done again.
   *
   * @returns a failure with `retryable` when it can be tried again. Rejects with `signal.reason` only
   */
  async delete({ reference, files }: StoredWhole, signal: AbortSignal): Promise<DeletionResult> {
    try {
      if (files.some(({ recording }) => recording.deleted_at_source === null)) {
        for (const file of files) await this.#check(file);
        const deleted = await this.deps.deleteAtSource(reference, signal);
        if (!deleted.ok) return { kind: 'refused', message: deleted.message };
        const at = new Date(this.deps.now()).toISOString();
        for (const { recording } of files) recording.deleted_at_source = at;
      }
      for (const file of files) await this.#describe(file);
      return { kind: 'deleted' };
    } catch (error) {
      if (signal.aborted || !(error instanceof CodedError)) throw error;
      return { kind: 'failed', error };
    }
  }

  async #check({ recording, payload }: StoredFile): Promise<void> {
    const { sha256 } = await this.deps.store.readBack(String(payload));
    if (sha256 === recording.sha256) return;
    throw new CodedError(
      'STORE_FAILED',
      `The stored copy ${String(payload)} is not what was received, so the recording was not deleted at the source. ` +
        'Check the disk, delete the copy, and send the message again.'
    );
  }

  async #describe({ recording, payload }: StoredFile): Promise<void> {
    if (recording.sidecar !== null) await this.deps.sidecar.write(String(payload), recording);
  }
}
