import { CodedError } from '../../errors/coded-error';
import { recordingName } from '../../evidence/custody/custody-line';
import type { Deletions, ForbiddenByHold } from '../../evidence/deletion/deletions';
import { holdsUnknown } from '../../evidence/deletion/holds';
import type { RecordingProvider } from '../../providers/provider';
import { type RecordingReference, deletionKey } from '../../recording/recording-reference';
import type { Destination } from '../../store/destination';
import { knownCopy, type StoredFile } from '../../store/stored-recording';
import { keyDigest } from '../../values/fields';
import type { ArchiveFacts } from '../archive-facts';

/** The provider's response, now or earlier. */
type SourceAnswer = { ok: true; /** ISO 8601 UTC. */ at: string } | { ok: false; message: string };

/** One recording and all of its files, each of which is stored. */
export interface StoredWhole {
  reference: RecordingReference;
  files: StoredFile[];
}

export interface SourceDeletionDeps {
  store: Pick<Destination, 'readBack' | 'sidecars'>;
  deleteRecording: RecordingProvider['deleteRecording'];
  /** What is already deleted; shared by all download nodes. */
  deleted: DeletedRecordings;
  /** Asks whether a recording is held. */
  holds: Pick<Deletions, 'permitted'>;
  /** Remembers a recording that is held, so that it is deleted once it is released. Durable when resolved. */
  keepForRelease: (recording: StoredWhole) => Promise<void>;
  /** Who deletes, for the custody log: `node:<id>`. */
  actor: string;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** `refused`: it cannot be deleted from here, today or later. `held`: it is once it is released. */
export type DeletionResult =
  | { kind: 'deleted' }
  | { kind: 'held'; message: string }
  | { kind: 'refused'; message: string }
  | { kind: 'failed'; error: CodedError };

/**
 * Deletes recordings at the provider once every file of them is stored, and only after each stored copy
 * was read back from where it is and its SHA-256 matched. A recording that is held for a case stays there until its release.
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
   * @returns a failure with `retryable` when it can be tried again. Rejects only with `signal.reason`
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
      if (error.code === 'DELETION_REFUSED') return await this.#deferred({ reference, files });
      return { kind: 'failed', error };
    }
  }

  /** It is held. */
  async #deferred(recording: StoredWhole): Promise<DeletionResult> {
    try {
      await this.#deps.keepForRelease(recording);
      return { kind: 'held', message: HELD };
    } catch (cause) {
      return { kind: 'failed', error: holdsUnknown(cause) };
    }
  }

  async #ask({ reference, files }: StoredWhole, signal: AbortSignal): Promise<SourceAnswer> {
    const before = await this.#deletedBefore(files);
    if (before !== null) return { ok: true, at: before };
    for (const file of files) await this.#check(file);
    const stored = files.map(({ recording }) => recording);
    const { holds, actor, deleteRecording } = this.#deps;
    const deleted = await holds.permitted(forbiddenFor({ reference, files }, actor), () =>
      deleteRecording(reference, signal, stored)
    );
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

  /** The sidecar records how the file was stored, whichever of several messages requests the deletion. */
  async #describe(file: StoredFile): Promise<void> {
    const { recording, payload } = file;
    if (recording.sidecar === null) return;
    const said = await this.#sidecar(file);
    if (said?.['deleted_at_source'] === recording.deleted_at_source) return;
    await this.#deps.store.sidecars.write(String(payload), { ...recording, already_stored: false });
  }

  /** @returns null if there is none, or it belongs to another file */
  async #sidecar({ recording, payload }: StoredFile): Promise<Readonly<Record<string, unknown>> | null> {
    if (recording.sidecar === null) return null;
    const record = await this.#deps.store.sidecars.read(String(payload));
    return record?.['sha256'] === recording.sha256 ? record : null;
  }
}

const HELD =
  'it is held for a case. It is deleted there by itself when its last case is released, while this node has that setting.';

/** The identities under which somebody may hold a recording: tracks and side files have their own. */
export function heldNames({ reference: { identity }, files }: StoredWhole): string[] {
  return [...new Set([identity, ...files.map(({ recording }) => recording.identity ?? identity)])];
}

function forbiddenFor(whole: StoredWhole, actor: string): ForbiddenByHold {
  const { identity, details } = whole.reference;
  const recording = recordingName(details.recording_id, identity);
  return { ids: heldNames(whole).map(keyDigest), recording, reason: 'at-source', actor };
}

/** Deletions remembered until the index has them. */
const MOST_RECENT = 1000;

/**
 * What is deleted at the providers, shared by all download nodes of a process: two messages may announce the same
 * recording, and no provider is asked twice.
 */
export class DeletedRecordings {
  readonly #stored: Pick<ArchiveFacts, 'find'>;
  readonly #underWay = new Map<string, Promise<unknown>>();
  /** Times by recording, oldest first. */
  readonly #recent = new Map<string, string>();

  constructor(stored: Pick<ArchiveFacts, 'find'>) {
    this.#stored = stored;
  }

  /**
   * Deletes a recording unless that is already done. A caller that arrives during a deletion waits for it, and
   * deletes itself only if that fails.
   *
   * @param ask asks the provider
   * @throws whatever `ask` throws; `signal.reason` when aborted while waiting
   */
  async once(
    reference: RecordingReference,
    signal: AbortSignal,
    ask: () => Promise<SourceAnswer>
  ): Promise<SourceAnswer> {
    const key = deletionKey(reference);
    if (key === null) return await ask();
    for (;;) {
      const indexed = this.#recent.has(key) ? undefined : await this.#indexed(reference);
      const at = this.#recent.get(key) ?? indexed;
      if (at !== undefined) return { ok: true, at };
      const running = this.#underWay.get(key);
      if (running === undefined) break;
      await unlessAborted(running, signal);
    }
    const run = ask();
    this.#underWay.set(
      key,
      run.catch(() => undefined)
    );
    try {
      const answer = await run;
      if (answer.ok) this.#remember(key, answer.at);
      return answer;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #indexed({ identity }: RecordingReference): Promise<string | undefined> {
    for (const { recording } of await this.#stored.find(identity))
      if (recording.deleted_at_source !== null) return recording.deleted_at_source;
    return undefined;
  }

  #remember(key: string, at: string): void {
    this.#recent.set(key, at);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MOST_RECENT && oldest !== undefined) this.#recent.delete(oldest);
  }
}

/** @param running never rejects */
function unlessAborted(running: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    void running.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
