import fc from 'fast-check';
import should from 'should';
import { ClockGuard } from '../../../../src/evidence/custody/clock-guard';
import type { CustodyEntry } from '../../../../src/evidence/custody/custody-line';
import { type DeletionRequest, Deletions } from '../../../../src/evidence/deletion/deletions';
import type { DeletedKey, DeletionReason } from '../../../../src/evidence/deletion/tombstones';
import { MemoryState } from './memory-state';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const BEGIN = Date.UTC(2026, 10, 30);

/** After so long the sweep deletes. */
const DELETE_AFTER_MS = 10 * DAY_MS;

/** By so much the clock may jump without being doubted. */
const UNDOUBTED_MS = 2 * DAY_MS;

export type Step =
  | { do: 'store' | 'erase' | 'restore'; file: number }
  | { do: 'hold' | 'release'; file: number; case: number }
  | { do: 'sweep' | 'rebuild' | 'backup' | 'restart' | 'confirm-clock' }
  | { do: 'pass'; hours: number }
  | { do: 'jump'; hours: number }
  /** The process ends after so many writes from now. */
  | { do: 'crash-soon'; writes: number }
  /** The next removals fail. */
  | { do: 'disk-fails'; times: number };

const file = fc.integer({ min: 0, max: 1 });
const others = ['sweep', 'rebuild', 'backup', 'restart', 'confirm-clock'] as const;

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('store' as const, 'restore' as const), file }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('erase' as const), file }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('hold' as const, 'release' as const),
        file,
        case: fc.integer({ min: 0, max: 1 })
      })
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom(...others) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('pass' as const), hours: fc.integer({ min: 1, max: 400 }) })
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('jump' as const), hours: fc.integer({ min: -3000, max: 3000 }) })
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('crash-soon' as const), writes: fc.integer({ min: 1, max: 5 }) })
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('disk-fails' as const), times: fc.integer({ min: 1, max: 3 }) })
    }
  ),
  { minLength: 10, maxLength: 60, size: 'max' }
);

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
  /** Files that were deleted. */
  readonly #removed = new Set<number>();
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
    this.#faultsLeft = 0;
    await this.#start();
    for (const file of this.#index.keys())
      should(this.#disk.has(file)).equal(true, 'a file is gone, and nobody remembers that');
    await this.#rebuild();
    this.#checkNothingCameBack();
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
    const { collection, commit } = this.#state.database;
    this.#deletions = new Deletions({
      database: {
        collection,
        commit: (changes) => {
          this.#write(() => void commit(changes));
          return Promise.resolve();
        }
      },
      custody: { append, clock: this.#clock },
      removal: {
        remove: ({ key }) => {
          if (this.#faultsLeft > 0) {
            this.#faultsLeft -= 1;
            return Promise.reject(new DiskFault());
          }
          this.#removed.add(Number(key[0]));
          this.#write(() => this.#disk.delete(Number(key[0])));
          return Promise.resolve();
        },
        forgetting: ({ key }) => [{ apply: () => void this.#index.delete(Number(key[0])) }]
      },
      now: () => this.#wall
    });
    await append({ event: 'start', actor: 'node-red' });
    await this.#deletions.resume();
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
        if (this.#deletions.tombstones.has(String(step.file))) return;
        if (!this.#disk.has(step.file))
          this.#disk.set(step.file, { at: this.#true, storedAt: new Date(this.#wall).toISOString() });
        this.#index.set(step.file, this.#disk.get(step.file)!);
        return;
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

  #checkNothingCameBack(): void {
    for (const file of this.#disk.keys())
      if (this.#removed.has(file)) should(this.#deletions.holds.active(String(file))).not.be.empty();
  }
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
