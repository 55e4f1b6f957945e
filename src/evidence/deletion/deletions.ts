import { KeyedMutex } from '../../concurrency/keyed-runs';
import { CodedError } from '../../errors/coded-error';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import type { ClockGuard } from '../custody/clock-guard';
import { type CustodyEntry, sha256Hex } from '../custody/custody-line';
import type { CustodySink } from '../custody/custody-recorder';
import type { Permit } from '../../store/destination';
import { type Hold, type HoldCase, Holds, LONGEST_CASE_TEXT, held, holdsUnknown } from './holds';
import { type DeletedKey, type DeletionReason, type Tombstone, Tombstones } from './tombstones';

/** Where a file is that is to be deleted. */
export interface DeletedCopy {
  /** As `Destination.place`. */
  place: string;
  /** As `PublishedFile.location`. */
  location: string;
  /** Where its text is; null: it has none. */
  text: string | null;
}

/** A file that is to be deleted. */
export interface DeletionRequest {
  key: DeletedKey;
  /** As `recordingName` gives it. */
  recording: string;
  copy: DeletedCopy;
  sha256: string;
  versionId: string | null;
  bytes: number;
  /** ISO 8601 UTC. */
  storedAt: string;
  /** Before this moment nothing may delete it; ISO 8601 UTC, null: there is none. */
  retainUntil: string | null;
  reason: DeletionReason;
  policy: string | null;
  /** Who deletes: `sweep`, `node:<id>`. */
  actor: string;
}

/** Why a file was not deleted. */
export type Refusal =
  | { kind: 'held'; cases: readonly Hold[] }
  | { kind: 'retained'; until: string }
  /** The clock is not trustworthy; `doubt` says why. */
  | { kind: 'clock'; doubt: string }
  /** The store has it locked. */
  | { kind: 'locked'; error: CodedError };

export type DeletionOutcome = { deleted: true; tombstone: Tombstone } | { deleted: false; refusal: Refusal };

/** A decision on disk: what was begun is finished at the next start, what waits for a release is asked again. */
interface Decision {
  state: 'begun' | 'deferred';
  request: DeletionRequest;
  /** ISO 8601 UTC. */
  at: string;
  /** Whether something may be gone. */
  isPart: boolean;
}

/** How files are removed. */
export interface Removal {
  /**
   * Removes a file and everything beside it, in every version. Repeatable: what is gone already is no error.
   *
   * @param permit asked before each file and version
   * @throws when something is left; it is tried again
   */
  remove: (request: DeletionRequest, permit: Permit) => Promise<void>;
  /** The changes that take it out of the index; made together with its tombstone. */
  forgetting: (request: DeletionRequest, tombstone: Tombstone) => readonly StateChange[];
}

/** What a hold forbids beside the deletion of a stored file. */
export interface ForbiddenByHold {
  /** Hashes of the identities under which the recording may be held. */
  ids: readonly string[];
  /** As `recordingName` gives it. */
  recording: string;
  /** For the line of a refusal: it was to be deleted at the source, or a damaged copy to get another name. */
  reason: 'at-source' | 'damaged';
  /** Who wanted it: `node:<id>`. */
  actor: string;
}

const DECISIONS = 'deletion-decisions';

export interface DeletionsDeps {
  database: Pick<StateDatabase, 'collection' | 'commit'>;
  custody: Pick<CustodySink, 'append'> & { clock: Pick<ClockGuard, 'doubt'> };
  removal: Removal;
  /** Milliseconds since 1970. */
  now: () => number;
}

/**
 * The one way by which a file of the archive is deleted, on every path. Whether it may be is asked under the same lock
 * under which holds are placed; the decision is in the custody log and on disk before anything is removed. Without an
 * answer nothing is deleted.
 */
export class Deletions {
  readonly holds: Holds;
  readonly tombstones: Tombstones;
  readonly #deps: DeletionsDeps;
  readonly #decisions: StateCollection<Decision>;
  /** By recording. */
  readonly #locks = new KeyedMutex();
  readonly #onFree = new Set<() => void>();

  constructor(deps: DeletionsDeps) {
    this.#deps = deps;
    this.holds = new Holds(deps.database);
    this.tombstones = new Tombstones(deps.database);
    this.#decisions = deps.database.collection(DECISIONS);
  }

  /**
   * Places a hold. From then on no file of the recording is deleted until all of its cases are released.
   *
   * @param key of a file of the recording
   * @param recording as `recordingName` gives it
   * @returns `being-deleted` when the decision to delete came first and is not carried out yet; there is then no hold
   * @throws CodedError `BAD_SETTING` for a case without id, reason or person; as the state and the log do: there is then
   *   no promise that it is held
   */
  async hold(
    [id]: DeletedKey,
    recording: string,
    given: HoldCase
  ): Promise<'placed' | 'known' | 'being-deleted'> {
    const checked = checkedCase(given);
    return this.#locks.run(id, async () => {
      if (this.#begunOf(id).length > 0) return 'being-deleted';
      const known = this.holds.find(id, checked.id);
      if (known !== undefined) return 'known';
      const at = new Date(this.#deps.now()).toISOString();
      const hold: Hold = { ...checked, at, releasedBy: null, releasedAt: null };
      // First the hold, then its line: a crash in between keeps too much, not too little.
      await this.#deps.database.commit([this.holds.putting(id, hold)]);
      await this.#deps.custody.append(caseEntry('hold-placed', recording, checked.id));
      return 'placed';
    });
  }

  /**
   * Releases a case. What is deferred because of it is deleted by `runDeferred`; who deletes at the source is told.
   *
   * @returns `unknown` when the recording is not held for that case
   */
  release(
    [id]: DeletedKey,
    recording: string,
    given: { id: string; by: string }
  ): Promise<'released' | 'unknown'> {
    return this.#locks.run(id, async () => {
      const known = this.holds.find(id, given.id);
      if (known === undefined) return 'unknown';
      const released = {
        ...known,
        releasedBy: given.by,
        releasedAt: new Date(this.#deps.now()).toISOString()
      };
      // First the line: no release without one.
      await this.#deps.custody.append(caseEntry('hold-released', recording, given.id));
      await this.#deps.database.commit([this.holds.putting(id, released)]);
      if (this.holds.active(id).length === 0) for (const free of this.#onFree) free();
      return 'released';
    });
  }

  /**
   * Deletes a file if it may be deleted. A refusal is in the custody log; somebody's wish that is refused because of a hold, or
   * half-way, is kept and carried out after the release. What the store has locked, and what is left of it, may be held, and
   * asked for again.
   *
   * @throws when the state, the log or the disk fails. Nothing is deleted then, or what was begun is finished by `resume`.
   */
  delete(request: DeletionRequest): Promise<DeletionOutcome> {
    return this.#locks.run(request.key[0], async () => {
      const refusal = this.#refusalOf(request);
      if (refusal !== null) {
        await this.#refuse(request, refusal);
        return { deleted: false, refusal };
      }
      await this.#deps.custody.append(entryOf('deletion-intended', request));
      const decision = this.#decision('begun', request);
      await this.#deps.database.commit([this.#decisions.putting(request.key, decision)]);
      return await this.#carryOut(decision);
    });
  }

  /**
   * Does to a recording what a hold forbids, unless it is held. Nobody can place a hold meanwhile; a refusal is in the custody
   * log.
   *
   * @param work must not hold, release or delete anything by this object
   * @returns what `work` returns
   * @throws CodedError `DELETION_REFUSED` while a case is open; `STORE_FAILED`, to be tried again, when nobody can tell: `work`
   *   was not called then. Whatever `work` throws
   */
  permitted<T>(asked: ForbiddenByHold, work: () => Promise<T>): Promise<T> {
    // In one order, so that no two callers wait for each other.
    const ids = [...new Set(asked.ids)].sort();
    return ids.reduceRight(
      (inner, id) => () => this.#locks.run(id, inner),
      async (): Promise<T> => {
        await this.#allow(asked);
        return await work();
      }
    )();
  }

  /**
   * @param free called whenever the last case of a recording is released. Must not throw
   * @returns ends that
   */
  onFree(free: () => void): () => void {
    this.#onFree.add(free);
    return () => void this.#onFree.delete(free);
  }

  /** Why a file may not be deleted now; null: it may. For a dry run; `delete` asks again. */
  wouldRefuse(request: DeletionRequest): Refusal | null {
    return this.#refusalOf(request);
  }

  /**
   * Finishes what a crash or a fault has interrupted, in its own time: until then nothing of it can be held. Holds that another
   * Node-RED told are asked again, and what is refused is no longer begun. Call it at the start.
   *
   * @returns how many files were deleted, and what failed; a failed one stays begun
   */
  async resume(): Promise<{ finished: number; failed: unknown[] }> {
    const failed: unknown[] = [];
    let finished = 0;
    for (const { request } of this.#all('begun')) {
      try {
        await this.#locks.run(request.key[0], async () => {
          const decision = this.#decisions.get(request.key);
          if (decision?.state === 'begun' && (await this.#carryOut(decision)).deleted) finished += 1;
        });
      } catch (error) {
        failed.push(error);
      }
    }
    return { finished, failed };
  }

  /** Whether anything was begun, or waits for a release. */
  static isAnyLeft(database: Pick<StateDatabase, 'collection'>): boolean {
    return [...database.collection<Decision>(DECISIONS).keys({ limit: 1 })].length > 0;
  }

  /**
   * Asks again for what waits for the release of a hold. One that fails keeps no other one waiting.
   *
   * @returns how many files were deleted
   * @throws the first fault, at the end
   */
  async runDeferred(): Promise<number> {
    let deleted = 0;
    const faults: unknown[] = [];
    for (const { request } of this.#all('deferred')) {
      try {
        if (this.#refusalOf(request) !== null) continue;
        if ((await this.delete(request)).deleted) deleted += 1;
      } catch (error) {
        faults.push(error);
      }
    }
    if (faults.length > 0) throw faults[0];
    return deleted;
  }

  #refusalOf({ key: [id], retainUntil, reason }: DeletionRequest): Refusal | null {
    const cases = this.holds.active(id);
    if (cases.length > 0) return { kind: 'held', cases };
    if (retainUntil === null && reason === 'erased') return null;
    // Whether a time is over is a question to the clock.
    const doubt = this.#deps.custody.clock.doubt();
    if (doubt !== null) return { kind: 'clock', doubt };
    // A date that cannot be read is one that has not come.
    if (retainUntil !== null && !(this.#deps.now() >= Date.parse(retainUntil)))
      return { kind: 'retained', until: retainUntil };
    return null;
  }

  /** @param isPart whether something may be gone already */
  async #refuse(request: DeletionRequest, { kind }: Refusal, isPart = false): Promise<void> {
    const details = { kind, ...(isPart && { part: true }) };
    await this.#deps.custody.append(entryOf('deletion-refused', request, details));
    const isKept = request.reason === 'erased' && (kind === 'held' || isPart);
    const isBegun = this.#decisions.get(request.key)?.state === 'begun';
    if (isKept)
      await this.#deps.database.commit([
        this.#decisions.putting(request.key, this.#decision('deferred', request))
      ]);
    else if (isBegun) await this.#deps.database.commit([this.#decisions.removing(request.key)]);
  }

  async #carryOut(decision: Decision): Promise<DeletionOutcome> {
    const { database, custody, removal, now } = this.#deps;
    const { request } = decision;
    const { key, reason, policy, bytes, storedAt } = request;
    let { isPart } = decision;
    try {
      await removal.remove(request, async () => {
        await this.#permit(request);
        if (isPart) return;
        await database.commit([this.#decisions.putting(key, { ...decision, isPart: true })]);
        isPart = true;
      });
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'DELETION_REFUSED') throw error;
      const cases = this.holds.active(key[0]);
      const refusal: Refusal = cases.length > 0 ? { kind: 'held', cases } : { kind: 'locked', error };
      await this.#refuse(request, refusal, isPart);
      return { deleted: false, refusal };
    }
    const { seq } = await custody.append(entryOf(reason, request));
    const deleted_at = new Date(now()).toISOString();
    const tombstone: Tombstone = { stored_at: storedAt, deleted_at, reason, policy, bytes, seq };
    await database.commit([
      ...removal.forgetting(request, tombstone),
      this.tombstones.putting(key, tombstone),
      this.#decisions.removing(key)
    ]);
    return { deleted: true, tombstone };
  }

  /** While a deletion is carried out nobody can place a hold, but one may have been told by another Node-RED. */
  #permit({ key: [id] }: DeletionRequest): Promise<void> {
    return this.holds.active(id).length === 0 ? Promise.resolve() : Promise.reject(held());
  }

  /** @throws as `permitted` */
  async #allow({ ids, recording, reason, actor }: ForbiddenByHold): Promise<void> {
    try {
      if (ids.every((id) => this.holds.active(id).length === 0)) return;
      const details = { reason, kind: 'held' };
      await this.#deps.custody.append({ event: 'deletion-refused', recording, actor, details });
    } catch (cause) {
      throw holdsUnknown(cause);
    }
    throw held();
  }

  #decision(state: Decision['state'], request: DeletionRequest): Decision {
    return { state, request, at: new Date(this.#deps.now()).toISOString(), isPart: false };
  }

  #begunOf(id: string): Decision[] {
    const found = [...this.#decisions.range({ start: [id], end: [id, AFTER_ALL] })];
    return found.map(({ value }) => value).filter(({ state }) => state === 'begun');
  }

  #all(state: Decision['state']): Decision[] {
    return [...this.#decisions.range({})].map(({ value }) => value).filter((each) => each.state === state);
  }
}

/** Sorts after every hash. */
const AFTER_ALL = '\u{10ffff}';

function checkedCase({ id, reason, by }: HoldCase): HoldCase {
  const texts = { id: id.trim(), reason: reason.trim(), by: by.trim() };
  for (const [name, text] of Object.entries(texts))
    if (text === '' || text.length > LONGEST_CASE_TEXT)
      throw new CodedError(
        'BAD_SETTING',
        `A hold needs a case with "id", "reason" and "by", texts of at most ${LONGEST_CASE_TEXT} characters; "${name}" is not ` +
          'one. Set msg.case.'
      );
  return texts;
}

function caseEntry(event: 'hold-placed' | 'hold-released', recording: string, id: string): CustodyEntry {
  return { event, recording, actor: 'archive', details: { case_sha256: sha256Hex(id) } };
}

function entryOf(
  event: CustodyEntry['event'],
  { recording, sha256, versionId, bytes, reason, policy, actor }: DeletionRequest,
  more: CustodyEntry['details'] = {}
): CustodyEntry {
  const details = { reason, bytes, policy, ...more };
  return { event, recording, sha256, versionId, actor, details };
}
