import should from 'should';
import { ClockGuard } from '../../../../src/evidence/custody/clock-guard';
import type { CustodyEntry } from '../../../../src/evidence/custody/custody-line';
import { type DeletionRequest, Deletions } from '../../../../src/evidence/deletion/deletions';
import type { DeletedKey, DeletionReason } from '../../../../src/evidence/deletion/tombstones';
import {
  type IndexedFile,
  type StoredIndex,
  deletedBefore
} from '../../../../src/archive/index/stored-index';
import { CodedError } from '../../../../src/errors/coded-error';
import type { RecordingReference } from '../../../../src/recording/recording-reference';
import type { StateChange } from '../../../../src/state/state-database';
import type { Permit } from '../../../../src/store/destination';
import type { Step } from './deletion-steps';
import { MemoryState } from './memory-state';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const BEGIN = Date.UTC(2026, 10, 30);

/** After so long the sweep deletes. */
const DELETE_AFTER_MS = 10 * DAY_MS;

/** By so much the clock may jump without being doubted. */
const UNDOUBTED_MS = 2 * DAY_MS;

class DiskFault extends Error {}

class Crash extends Error {}

interface Stored {
  /** By the true time and by the clock of the machine. */
  at: number;
  storedAt: string;
}

/** An archive of two files, a machine whose clock and process fail, and what has to stay true all the while. */
export class DeletionModel {
  /** The folder, its index and its backup. */
  readonly #disk = new Map<number, Stored>();
  readonly #index = new Map<number, Stored>();
  readonly #backup = new Map<number, Stored>();
  readonly #lines: CustodyEntry[] = [];
  readonly #state = new MemoryState();
  /** Holds that somebody was promised, by file. */
  readonly #promised = new Map<number, Set<number>>();
  #true = BEGIN;
  #offset = 0;
  #jumps = 0;
  #trusted = NaN;
  #writesLeft = Infinity;
  #faultsLeft = 0;
  #locksLeft = 0;
  #isLockedHalfWay = false;
  /** Files that were deleted. */
  readonly #removed = new Set<number>();
  /** Files that the provider still has, those that it was asked to delete and are held, and how often it was refused. */
  readonly #atSource = new Set<number>([0, 1]);
  readonly #keptForRelease = new Set<number>();
  #refusals = 0;
  #clock!: ClockGuard;
  #deletions!: Deletions;

  async run(all: readonly Step[]): Promise<void> {
    await this.#start();
    for (const step of all) {
      try {
        await this.#take(step);
      } catch (error) {
        if (error instanceof Crash) await this.#start();
        else if (!(error instanceof DiskFault)) throw error;
      }
      this.#check();
    }
    this.#faultsLeft = this.#locksLeft = 0;
    await this.#start();
    for (const file of this.#index.keys())
      should(this.#disk.has(file)).equal(true, 'a file is gone, and nobody remembers that');
    await this.#rebuild();
    this.#checkNothingCameBack();
    this.#checkRefusals();
  }

  get #wall(): number {
    return this.#true + this.#offset;
  }

  async #start(): Promise<void> {
    this.#writesLeft = Infinity;
    this.#clock = new ClockGuard(
      () => this.#wall,
      () => this.#true - BEGIN,
      this.#trusted
    );
    const append = (entry: CustodyEntry): Promise<{ seq: number; at: number }> => {
      this.#write(() => {
        this.#lines.push(entry);
        this.#clock.noteLine(this.#wall);
        this.#trusted = this.#clock.trusted;
      });
      return Promise.resolve({ seq: this.#lines.length, at: this.#wall });
    };
    const { collection } = this.#state.database;
    this.#deletions = new Deletions({
      database: { collection, commit: (changes) => this.#commit(changes) },
      custody: { append, clock: this.#clock },
      removal: {
        remove: (request, permit) => this.#remove(Number(request.key[0]), permit),
        forgetting: ({ key }) => [{ apply: () => void this.#index.delete(Number(key[0])) }]
      },
      now: () => this.#wall
    });
    await append({ event: 'start', actor: 'node-red' });
    await this.#deletions.resume();
    await this.#deletions.runDeferred().catch((error: unknown) => {
      // As `finishDeletions`, which tries again later.
      if (!(error instanceof DiskFault)) throw error;
    });
    await this.#afterRelease();
  }

  /** A text beside the file goes first, as in a folder. */
  async #remove(file: number, permit: Permit): Promise<void> {
    if (this.#faultsLeft > 0) {
      this.#faultsLeft -= 1;
      throw new DiskFault();
    }
    const isLocked = this.#locksLeft > 0;
    if (isLocked) this.#locksLeft -= 1;
    if (isLocked && !this.#isLockedHalfWay) throw new CodedError('DELETION_REFUSED', 'locked');
    await permit();
    this.#write(() => undefined);
    if (isLocked) throw new CodedError('DELETION_REFUSED', 'locked');
    await permit();
    this.#removed.add(file);
    this.#write(() => this.#disk.delete(file));
  }

  #commit(changes: readonly StateChange[]): Promise<void> {
    this.#write(() => void this.#state.database.commit([...changes]));
    return Promise.resolve();
  }

  /** One write, after which the process may end before anybody is told. */
  #write(make: () => void): void {
    make();
    this.#writesLeft -= 1;
    if (this.#writesLeft === 0) throw new Crash();
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'store':
      case 'replay':
        return this.#store(step.file);
      case 'delete-at-source':
        return this.#deleteAtSource(step.file);
      case 'hold-is-told': {
        const { file } = step;
        const given = { id: `case ${step.case}`, reason: 'told', by: 'somebody' };
        const hold = { ...given, at: new Date(this.#wall).toISOString(), releasedBy: null, releasedAt: null };
        const isThere = this.#disk.has(file);
        await this.#commit([this.#deletions.holds.putting(String(file), hold)]);
        if (isThere) this.#promised.set(file, (this.#promised.get(file) ?? new Set()).add(step.case));
        return;
      }
      case 'store-locks':
        this.#locksLeft = step.times;
        this.#isLockedHalfWay = step.isHalfWay;
        return;
      case 'server-tells': {
        const doubted = this.#clock.doubt();
        const time = this.#wall + step.hours * HOUR_MS;
        this.#clock.noteDate(new Date(time).toUTCString(), { name: 'files', mayConfirm: false });
        // It may take back what it said itself, and nothing else.
        if (doubted !== null && doubted !== 'differs-from-provider')
          should(this.#clock.doubt()).equal(doubted);
        return;
      }
      case 'hold': {
        const { file } = step;
        const isThere = this.#disk.has(file);
        const given = { id: `case ${step.case}`, reason: 'asked', by: 'somebody' };
        const answer = await this.#deletions.hold(keyOf(file), `recording-${file}`, given);
        if (answer === 'being-deleted' || !isThere) return;
        const promised = this.#promised.get(file) ?? new Set();
        this.#promised.set(file, promised.add(step.case));
        return;
      }
      case 'release':
        // Whoever releases no longer relies on it, whatever comes of that.
        this.#promised.get(step.file)?.delete(step.case);
        await this.#deletions.release(keyOf(step.file), `recording-${step.file}`, {
          id: `case ${step.case}`,
          by: 'somebody'
        });
        await this.#deletions.runDeferred();
        await this.#afterRelease();
        return;
      case 'sweep':
        return this.#sweep();
      case 'erase': {
        const found = this.#index.get(step.file);
        if (found !== undefined) await this.#deletions.delete(request(step.file, found, 'erased'));
        return;
      }
      case 'backup':
        for (const [file, stored] of this.#disk) this.#backup.set(file, stored);
        return;
      case 'restore': {
        const stored = this.#backup.get(step.file);
        if (stored !== undefined && !this.#disk.has(step.file)) this.#disk.set(step.file, stored);
        return;
      }
      case 'rebuild':
        return this.#rebuild();
      case 'restart':
        return this.#start();
      case 'pass':
        this.#true += step.hours * HOUR_MS;
        return;
      case 'jump':
        this.#offset += step.hours * HOUR_MS;
        this.#jumps += 1;
        return;
      case 'confirm-clock':
        this.#clock.noteDate(new Date(this.#true).toUTCString());
        return;
      case 'crash-soon':
        this.#writesLeft = step.writes;
        return;
      case 'disk-fails':
        this.#faultsLeft = step.times;
    }
  }

  /** A job, accepted now, that stores what the index does not have, as the archiver decides. */
  async #store(file: number): Promise<void> {
    const reference = referenceOf(file);
    const index: StoredIndex = {
      place: 'folder',
      find: (name) => {
        const known = name === reference.identity && this.#index.has(file);
        return Promise.resolve(known ? [{ wantedFormat: null } as IndexedFile] : []);
      },
      deleted: (name) => {
        const tombstone =
          name === reference.identity ? this.#deletions.tombstones.get(keyOf(file)) : undefined;
        return Promise.resolve(tombstone === undefined ? [] : [{ isHere: true, tombstone }]);
      }
    };
    const about = { acceptedAt: this.#wall, wantedFormat: null };
    if ((await deletedBefore(index, reference, about)) !== undefined) return;
    should(this.#deletions.tombstones.has(String(file)) && !this.#index.has(file)).equal(false);
    if (!this.#disk.has(file)) {
      if (!this.#atSource.has(file)) return;
      this.#disk.set(file, { at: this.#true, storedAt: new Date(this.#wall).toISOString() });
      this.#removed.delete(file);
    }
    this.#index.set(file, this.#disk.get(file)!);
  }

  /** As `SourceDeletion`: a refusal is remembered, and done after the release. */
  async #deleteAtSource(file: number): Promise<void> {
    if (!this.#index.has(file) || !this.#disk.has(file)) return;
    const about = { recording: `recording-${file}`, reason: 'at-source', actor: 'node:1' } as const;
    try {
      await this.#deletions.permitted({ ids: [String(file)], ...about }, () => {
        should([...(this.#promised.get(file) ?? [])]).be.empty();
        this.#atSource.delete(file);
        return Promise.resolve();
      });
      this.#keptForRelease.delete(file);
    } catch (error) {
      if (error instanceof CodedError && error.cause instanceof Crash) throw error.cause;
      if (!(error instanceof CodedError) || error.code !== 'DELETION_REFUSED') throw error;
      this.#refusals += 1;
      this.#keptForRelease.add(file);
    }
  }

  async #afterRelease(): Promise<void> {
    for (const file of this.#keptForRelease)
      if (this.#deletions.holds.active(String(file)).length === 0) await this.#deleteAtSource(file);
  }

  async #sweep(): Promise<void> {
    for (const [file, stored] of [...this.#index]) {
      if (this.#wall - Date.parse(stored.storedAt) < DELETE_AFTER_MS) continue;
      const before = this.#disk.has(file);
      const { deleted } = await this.#deletions.delete(request(file, stored, 'expired'));
      if (!deleted || !before) continue;
      // A file that was stored while the clock was wrong has a wrong date itself.
      const error = Math.abs(Date.parse(stored.storedAt) - stored.at);
      const undoubted = UNDOUBTED_MS * this.#jumps;
      should(this.#true - stored.at).be.aboveOrEqual(DELETE_AFTER_MS - undoubted - error);
    }
  }

  /** As over a restored folder: what has a tombstone is deleted again, everything else enters the index. */
  async #rebuild(): Promise<void> {
    for (const [file, stored] of [...this.#disk]) {
      const tombstone = this.#deletions.tombstones.get(keyOf(file));
      if (tombstone !== undefined) {
        const again = { ...request(file, stored, 'erased'), retainUntil: null };
        if ((await this.#deletions.delete(again)).deleted) continue;
      }
      this.#index.set(file, stored);
    }
  }

  #check(): void {
    for (const [file, cases] of this.#promised)
      if (cases.size > 0) should(this.#disk.has(file)).equal(true, `the held file ${file} is gone`);
    for (let file = 0; file < 2; file += 1) {
      const tombstone = this.#deletions.tombstones.get(keyOf(file));
      if (tombstone === undefined) continue;
      const line = this.#lines[tombstone.seq - 1];
      should(line).have.properties({ event: tombstone.reason, recording: `recording-${file}` });
      const before = this.#lines.slice(0, tombstone.seq - 1);
      should(
        before.some(({ event, recording }) => event === 'deletion-intended' && recording === line?.recording)
      ).equal(true, 'a deletion without the line of its decision');
    }
  }

  /** Each refusal at the source has its line; a crash may come between the line and the answer. */
  #checkRefusals(): void {
    const told = this.#lines.filter(({ details }) => details?.['reason'] === 'at-source').length;
    should(told).be.aboveOrEqual(this.#refusals);
  }

  #checkNothingCameBack(): void {
    for (const file of this.#disk.keys())
      if (this.#removed.has(file)) should(this.#deletions.holds.active(String(file))).not.be.empty();
  }
}

/** The recording of which a file is; its names are the keys of the model. */
function referenceOf(number: number): Pick<RecordingReference, 'identity' | 'details' | 'links'> {
  const details = { provider: 'telnyx', recording_id: null, track: null } as RecordingReference['details'];
  return { identity: String(number), details, links: [] };
}

function keyOf(number: number): DeletedKey {
  return [String(number), 'folder', ''];
}

function request(number: number, { storedAt }: Stored, reason: DeletionReason): DeletionRequest {
  return {
    key: keyOf(number),
    recording: `recording-${number}`,
    copy: { place: '/archive', location: '/archive/call.mp3', text: null },
    sha256: String(number).repeat(64),
    versionId: null,
    bytes: 1000,
    storedAt,
    retainUntil: null,
    reason,
    policy: 'calls',
    actor: 'sweep'
  };
}
