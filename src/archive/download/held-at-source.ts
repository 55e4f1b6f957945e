import type { CodedError } from '../../errors/coded-error';
import type { Deletions } from '../../evidence/deletion/deletions';
import { plainUrl } from '../../providers/webhook-health';
import { mediaLink } from '../../recording/recording-reference';
import type { StateCollection, StateDatabase } from '../../state/state-database';
import { keyDigest } from '../../values/fields';
import { type Effects, entering } from '../effects';
import type { StoredIndex } from '../index/stored-index';
import { withDeletion } from '../queue/stored-outcomes';
import { type SourceDeletion, type StoredWhole, heldNames } from './source-deletion';

export interface HeldAtSourceDeps {
  database: Pick<StateDatabase, 'collection'>;
  /** Id of the download node. */
  node: string;
  index: StoredIndex;
  /** @throws when nobody can tell what is held */
  deletions: () => Promise<Pick<Deletions, 'holds' | 'tombstones'>>;
  /** As `ArchiveFacts.commit`. */
  commit: (effects: Effects) => Promise<void>;
  /**
   * A recording stays at the source for good. Must not throw.
   *
   * @param error null when nothing failed
   */
  onNotDeleted: (message: string, error: CodedError | null) => void;
}

/**
 * Recordings that a node was to delete at the source and that were held: remembered on disk, without signatures of their links,
 * until they are released.
 */
export class HeldAtSource {
  readonly #deps: HeldAtSourceDeps;
  readonly #kept: StateCollection<StoredWhole>;
  #running: Promise<void> | null = null;
  #isWanted = false;

  constructor(deps: HeldAtSourceDeps) {
    this.#deps = deps;
    this.#kept = deps.database.collection('held-at-source');
  }

  /** Remembers a recording. Durable when resolved. */
  async keep({ reference, files }: StoredWhole): Promise<void> {
    // They still say where the recording was.
    const links = reference.links.map(({ url, format }) => mediaLink(plainUrl(url), format));
    await this.#kept.put(this.#keyOf(reference), { reference: { ...reference, links }, files });
  }

  /**
   * Deletes at the source what is no longer held. What is, or cannot be deleted now, stays for the next time. A call during a
   * run has it begin again.
   *
   * @param signal ends it
   * @returns never rejects
   */
  run(deletion: Pick<SourceDeletion, 'delete'>, signal: AbortSignal): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#runAll(deletion, signal).finally(() => (this.#running = null));
    return this.#running;
  }

  async #runAll(deletion: Pick<SourceDeletion, 'delete'>, signal: AbortSignal): Promise<void> {
    while (this.#isWanted && !signal.aborted) {
      this.#isWanted = false;
      // The state, the log or the source is away: it is asked again the next time.
      await this.#runOnce(deletion, signal).catch(() => undefined);
    }
  }

  async #runOnce(deletion: Pick<SourceDeletion, 'delete'>, signal: AbortSignal): Promise<void> {
    const { node, deletions } = this.#deps;
    const kept = [...this.#kept.range({ start: [node], end: [node, AFTER_ALL] })];
    if (kept.length === 0) return;
    const { holds, tombstones } = await deletions();
    for (const { value: recording } of kept) {
      if (signal.aborted) return;
      const ids = heldNames(recording).map(keyDigest);
      if (ids.some((id) => holds.active(id).length > 0)) continue;
      if (ids.some((id) => tombstones.has(id))) await this.#leave(recording, COPY_GONE, null);
      else await this.#delete(recording, deletion, signal);
    }
  }

  async #delete(
    recording: StoredWhole,
    deletion: Pick<SourceDeletion, 'delete'>,
    signal: AbortSignal
  ): Promise<void> {
    const { index, commit } = this.#deps;
    const result = await deletion.delete(recording, signal);
    if (result.kind === 'deleted') {
      await commit(entering(index, await withDeletion(recording, index)));
      await this.#kept.remove(this.#keyOf(recording.reference));
    } else if (result.kind === 'refused') await this.#leave(recording, result.message, null);
    else if (result.kind === 'failed' && !result.error.retryable)
      await this.#leave(recording, result.error.message, result.error);
  }

  async #leave({ reference }: StoredWhole, message: string, error: CodedError | null): Promise<void> {
    await this.#kept.remove(this.#keyOf(reference));
    this.#deps.onNotDeleted(message, error);
  }

  #keyOf({ identity }: StoredWhole['reference']): [node: string, recording: string] {
    return [this.#deps.node, keyDigest(identity)];
  }
}

const COPY_GONE =
  'it was held for a case, and since its release the copy in the archive was deleted. Delete it in the portal of the provider.';

/** Sorts after every hash. */
const AFTER_ALL = '\u{10ffff}';
