import type { RecordingReference } from '../../recording/recording-reference';
import type { IndexedFile } from '../index/stored-index';

/** What the provider said, or said before. */
export type SourceAnswer = { ok: true; /** ISO 8601 UTC. */ at: string } | { ok: false; message: string };

/** Deletions remembered until the index has them. */
const MOST_RECENT = 1000;

/**
 * What is deleted at the providers, shared by all download nodes of a process: two messages may announce the same
 * recording, and no provider is asked twice.
 */
export class DeletedRecordings {
  readonly #stored: { find(identity: string): readonly IndexedFile[] };
  readonly #underWay = new Map<string, Promise<unknown>>();
  /** Times by recording, oldest first. */
  readonly #recent = new Map<string, string>();

  /** @param stored the files of a recording in all destinations, by identity */
  constructor(stored: { find(identity: string): readonly IndexedFile[] }) {
    this.#stored = stored;
  }

  /**
   * Deletes a recording unless that is done already. A caller that comes while it is under way waits for it, and
   * asks by itself only when it failed.
   *
   * @param ask asks the provider
   * @throws whatever `ask` throws; `signal.reason` when aborted while waiting
   */
  async once(
    reference: RecordingReference,
    signal: AbortSignal,
    ask: () => Promise<SourceAnswer>
  ): Promise<SourceAnswer> {
    const key = keyOf(reference);
    if (key === null) return await ask();
    for (;;) {
      const at = this.#recent.get(key) ?? this.#indexed(reference);
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

  #indexed({ identity }: RecordingReference): string | undefined {
    for (const { recording } of this.#stored.find(identity))
      if (recording.deleted_at_source !== null) return recording.deleted_at_source;
    return undefined;
  }

  #remember(key: string, at: string): void {
    this.#recent.set(key, at);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MOST_RECENT && oldest !== undefined) this.#recent.delete(oldest);
  }
}

/** @returns null for an address that a flow set itself: tomorrow it may lead to another recording */
function keyOf({ identity, details }: RecordingReference): string | null {
  const { provider, recording_id, event_type } = details;
  if (recording_id !== null) return `${provider}\n${recording_id}`;
  return event_type === null ? null : `${provider}\n${identity}`;
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
