import { CodedError } from '../../errors/coded-error';
import type { RecordingProvider } from '../../providers/provider';
import type { RecordingReference } from '../../recording/recording-reference';
import type { Destination, SidecarWriter } from '../../store/destination';
import { type StoredFile, knownCopy } from '../../store/stored-recording';
import type { DeletedRecordings, SourceAnswer } from './deleted-recordings';

/** One recording and all of its files, each of which is stored. */
export interface StoredWhole {
  reference: RecordingReference;
  files: StoredFile[];
}

export interface SourceDeletionDeps {
  store: Pick<Destination, 'readBack'>;
  sidecar: SidecarWriter;
  deleteRecording: RecordingProvider['deleteRecording'];
  /** What is deleted already; the same for all download nodes. */
  deleted: DeletedRecordings;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** `refused`: it cannot be deleted from here, today or later. */
export type DeletionResult =
  { kind: 'deleted' } | { kind: 'refused'; message: string } | { kind: 'failed'; error: CodedError };

/**
 * Deletes recordings at the provider once every file of them is stored, and only after each stored copy
 * was read back from where it is and its SHA-256 matched.
 */
export class SourceDeletion {
  readonly #deps: SourceDeletionDeps;

  constructor(deps: SourceDeletionDeps) {
    this.#deps = deps;
  }

  /**
   * Deletes one recording and notes it in `files` and their sidecars. May be repeated: what is done is not
   * done again.
   *
   * @returns a failure with `retryable` when it can be tried again. Rejects with `signal.reason` only
   */
  async delete({ reference, files }: StoredWhole, signal: AbortSignal): Promise<DeletionResult> {
    try {
      if (files.some(({ recording }) => recording.deleted_at_source === null)) {
        const answer = await this.#deps.deleted.once(reference, signal, () =>
          this.#ask({ reference, files }, signal)
        );
        if (!answer.ok) return { kind: 'refused', message: answer.message };
        for (const { recording } of files) recording.deleted_at_source = answer.at;
      }
      for (const file of files) await this.#describe(file);
      return { kind: 'deleted' };
    } catch (error) {
      if (signal.aborted || !(error instanceof CodedError)) throw error;
      return { kind: 'failed', error };
    }
  }

  async #ask({ reference, files }: StoredWhole, signal: AbortSignal): Promise<SourceAnswer> {
    const before = await this.#deletedBefore(files);
    if (before !== null) return { ok: true, at: before };
    for (const file of files) await this.#check(file);
    const deleted = await this.#deps.deleteRecording(reference, signal);
    return deleted.ok ? { ok: true, at: new Date(this.#deps.now()).toISOString() } : deleted;
  }

  /** A process that dies after the deletion may have got no further than the sidecar. */
  async #deletedBefore(files: StoredFile[]): Promise<string | null> {
    for (const file of files) {
      const at = (await this.#sidecar(file))?.['deleted_at_source'];
      if (typeof at === 'string') return at;
    }
    return null;
  }

  async #check({ recording, payload }: StoredFile): Promise<void> {
    const { sha256 } = await this.#deps.store.readBack(String(payload), knownCopy(recording));
    if (sha256 === recording.sha256) return;
    throw new CodedError(
      'STORE_FAILED',
      `The stored copy ${String(payload)} is not what was received, so the recording was not deleted at the source. ` +
        'Check the disk, delete the copy, and send the message again.'
    );
  }

  /** The sidecar tells how the file was stored, whichever of several messages the deletion is for. */
  async #describe(file: StoredFile): Promise<void> {
    const { recording, payload } = file;
    if (recording.sidecar === null) return;
    const said = await this.#sidecar(file);
    if (said?.['deleted_at_source'] === recording.deleted_at_source) return;
    await this.#deps.sidecar.write(String(payload), { ...recording, already_stored: false });
  }

  /** @returns null when there is none, or that of another file */
  async #sidecar({ recording, payload }: StoredFile): Promise<Readonly<Record<string, unknown>> | null> {
    if (recording.sidecar === null) return null;
    const record = await this.#deps.sidecar.read(String(payload));
    return record?.['sha256'] === recording.sha256 ? record : null;
  }
}
