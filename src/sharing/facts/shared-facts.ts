import { setTimeout as pause } from 'node:timers/promises';
import { type ArchiveFacts } from '../../archive/archive-facts';
import { areNone, type Effects, NO_EFFECTS } from '../../archive/effects';
import type { LocalFacts } from '../../archive/index/local-facts';
import type { IndexedFile, StoredIndex } from '../../archive/index/stored-index';
import type { GivenUpList } from '../../archive/queue/failed-recordings';
import { monotonicNow } from '../../clock/clocks';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import type { RedisConnection } from '../redis-connection';
import type { Sealer } from '../sealer';
import { Tombstones } from '../../evidence/deletion/tombstones';
import { keyDigest } from '../../values/fields';
import { BEGINNING, FactStream, type FoundEntry, timeOf } from './fact-stream';
import { KEPT_MS, Outbox, type Untold } from './outbox';
import { Refill, REFILL_TIMES, type RefillTimes } from './refill';
import { RefillExchange } from './refill-exchange';
import { Retelling } from './retelling';
import { readTold, spellTold, type Told } from './told-effects';

export interface SharedFactsDeps {
  local: LocalFacts;
  /** That of `local`. */
  database: StateDatabase;
  connection: RedisConnection;
  /** Id of this instance. */
  instance: string;
  /** Null: what is told can be read in Redis, and made up by anyone who can write there. */
  sealer: Sealer | null;
  /**
   * Entries were gone before this instance could read them, and no other one tells them again: what others stored may be missing
   * from its index until one does, or until it is rebuilt.
   */
  onGap?: (() => void) | undefined;
  /** Milliseconds since 1970. */
  now?: (() => number) | undefined;
  /** Milliseconds between two looks at what others told. Default 2000. */
  tickMs?: number | undefined;
  /** Entries that Redis keeps. Default 10,000. */
  kept?: number | undefined;
  refill?: Partial<RefillTimes> | undefined;
}

/** How far this instance has read. */
interface Position {
  epoch: string;
  id: string;
  /** The latest sequence of each instance: after Redis was emptied, they are told again. */
  seen: Record<string, number>;
}

const POSITION = 'facts';
/** Instances that may have told something; far more than there are. */
const MOST_INSTANCES = 200;
const SWEEP_TICKS = 300;
/** What was told so long before Redis was emptied is told again by the instance that told it; less than its outbox keeps it. */
const TOLD_AGAIN_MS = KEPT_MS - 600_000;
/** After an answer the next request comes soon. Milliseconds. */
const ASKED_AGAIN_MS = 5000;

/**
 * What all instances know of the archive. Each has all of it in its own database, which stays the truth: a commit is durable
 * there, and a look-up reads from there after it has read in Redis what others told meanwhile. Redis holds only a stream of the
 * latest commits. While it is away, each instance knows what it knew; the others are told later.
 */
export class SharedFacts implements ArchiveFacts {
  readonly givenUp: GivenUpList;
  readonly #deps: SharedFactsDeps;
  readonly #stream: FactStream;
  readonly #outbox: Outbox;
  readonly #notes: StateCollection<Position>;
  readonly #timer: NodeJS.Timeout;
  readonly #refill: Refill;
  readonly #retelling: Retelling;
  /** The places that this instance has, by the hash that the index has of them. */
  readonly #places = new Map<string, string>();
  readonly #stops: (() => void)[];
  #position: Position;
  /** The sequence up to which everything is in the Redis of `#toldTo`. */
  #toldUpTo = 0;
  #toldTo: string | undefined;
  #reading: Promise<void> = Promise.resolve();
  #nextReading: Promise<void> | undefined;
  #telling: Promise<void> = Promise.resolve();
  #nextTelling: Promise<void> | undefined;
  #ticks = 0;
  #retelt: Promise<void> | undefined;
  #isClosed = false;

  /** @throws as the state does when it cannot be read */
  constructor(deps: SharedFactsDeps) {
    const { local, database, connection, sealer, kept, now = Date.now, tickMs = 2000 } = deps;
    this.#deps = deps;
    this.#stream = new FactStream(connection, { sealer, kept });
    this.#outbox = new Outbox(database, now);
    this.#notes = database.collection('sharing-notes');
    this.#position = this.#notes.get(POSITION) ?? { epoch: '', id: BEGINNING, seen: {} };
    const times = { ...REFILL_TIMES, ...deps.refill };
    const exchange = new RefillExchange(connection, sealer);
    const common = { exchange, instance: deps.instance };
    this.#refill = new Refill({
      ...{ ...common, connection, database, times },
      places: () => [...this.#places.keys()],
      changesOf: (text) => this.#changesOf(text),
      onUnanswered: () => deps.onGap?.()
    });
    this.#retelling = new Retelling({
      ...{ ...common, recordings: local.recordings, tombstones: new Tombstones(database) },
      places: this.#places,
      hasMissed: () => this.#refill.isNeeded,
      now: monotonicNow,
      yieldMs: times.yield
    });
    this.givenUp = {
      at: async (node, id) => (await this.#read(), local.givenUp.at(node, id)),
      newest: async (span) => (await this.#read(), local.givenUp.newest(span)),
      remove: async (node, id) => {
        await local.givenUp.remove(node, id);
        await this.#share({ effects: NO_EFFECTS, removed: [{ node, id }] }, []);
      }
    };
    const both = (): void => void this.#tell().then(() => this.#read());
    this.#stops = [connection.on('back', both), connection.on('emptied', both)];
    this.#timer = setInterval(() => this.#tick(both), tickMs).unref();
    both();
  }

  async find(identity: string): Promise<readonly IndexedFile[]> {
    await this.#read();
    return await this.#deps.local.find(identity);
  }

  at(place: string): StoredIndex {
    const local = this.#deps.local.at(place);
    this.#places.set(keyDigest(place), place);
    return {
      place,
      find: async (identity) => (await this.#read(), await local.find(identity)),
      deleted: async (identity) => (await this.#read(), await local.deleted(identity))
    };
  }

  async *steps(size?: number): AsyncGenerator<readonly IndexedFile[]> {
    await this.#read();
    yield* this.#deps.local.steps(size);
  }

  async commit(effects: Effects): Promise<void> {
    if (areNone(effects)) return;
    await this.#share({ effects, removed: [] }, this.#deps.local.changes(effects));
  }

  changes(effects: Effects): StateChange[] {
    if (areNone(effects)) return [];
    return [...this.#deps.local.changes(effects), ...this.#entering({ effects, removed: [] })];
  }

  /** Also tells the others what is not told yet, and learns what they told. */
  async settled(): Promise<void> {
    await this.#deps.local.settled();
    await this.#tell();
    await this.#read();
  }

  /** Stops listening and reading. What is not told is told by the next process. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const stop of this.#stops) stop();
    this.#isClosed = true;
    await Promise.all([this.#reading, this.#telling, this.#nextReading, this.#nextTelling, this.#retelt]);
    await this.#refill.close();
  }

  async #share(told: Told, changes: readonly StateChange[]): Promise<void> {
    await this.#deps.database.commit([...changes, ...this.#entering(told)]);
    await this.#tell();
  }

  #entering(told: Told): StateChange[] {
    return spellTold(told).map((text) => this.#outbox.entering(text));
  }

  #tick(both: () => void): void {
    both();
    void this.#refill.look();
    this.#retelt ??= this.#retell()
      .catch(() => undefined)
      .finally(() => (this.#retelt = undefined));
    this.#ticks += 1;
    if (this.#ticks % SWEEP_TICKS === 1) this.#outbox.sweep().catch(() => undefined);
  }

  /** Tells another instance what it has missed. @throws CodedError `QUEUE_AWAY` */
  async #retell(): Promise<void> {
    const { connection, refill } = this.#deps;
    const { poll } = { ...REFILL_TIMES, ...refill };
    let answered = -Infinity;
    do {
      if (connection.isAway || this.#isClosed) return;
      if (await this.#retelling.look()) answered = monotonicNow();
      await pause(poll, null, { ref: false });
    } while (monotonicNow() - answered < ASKED_AGAIN_MS);
  }

  #changesOf(text: string): StateChange[] {
    const told = readTold(text);
    return told === null ? [] : this.#deps.local.toldChanges(told.effects);
  }

  /** Resolves when what was told before this call is known here, or Redis cannot be asked. Never rejects. */
  #read(): Promise<void> {
    // One that has begun may have missed what was told since.
    this.#nextReading ??= this.#reading.then(() => {
      this.#nextReading = undefined;
      this.#reading = this.#readAll().catch(() => undefined);
      return this.#reading;
    });
    return this.#nextReading;
  }

  /** Resolves when what was committed before this call is in Redis, or that is away. Never rejects. */
  #tell(): Promise<void> {
    this.#nextTelling ??= this.#telling.then(() => {
      this.#nextTelling = undefined;
      this.#telling = this.#tellAll().catch(() => undefined);
      return this.#telling;
    });
    return this.#nextTelling;
  }

  async #tellAll(): Promise<void> {
    const { connection, instance, database } = this.#deps;
    const epoch = connection.epoch;
    if (connection.isAway || epoch === undefined) return;
    if (this.#toldTo !== epoch) [this.#toldTo, this.#toldUpTo] = [epoch, 0];
    for (;;) {
      const { untold, last } = this.#outbox.untold(epoch, this.#toldUpTo);
      if (untold.length > 0) {
        await this.#stream.append(untold.map((each) => ({ instance, ...each })));
        // A crash before that leads to entries that are told twice and taken once.
        database.commitSoon(this.#outbox.telling(epoch, untold)).catch(() => undefined);
      }
      this.#toldUpTo = last ?? latest(untold, this.#toldUpTo);
      if (last === null) return;
    }
  }

  async #readAll(): Promise<void> {
    const { connection } = this.#deps;
    const epoch = connection.epoch;
    if (connection.isAway || epoch === undefined) return;
    if (this.#position.epoch !== epoch) await this.#beginAnew(epoch);
    for (;;) {
      const from = this.#position.id;
      const entries = await this.#stream.after(from);
      if (entries.length === 0) return;
      if (await this.#stream.hasGapAfter(from)) await this.#refill.begin(timeOf(from));
      await this.#learn(entries);
    }
  }

  /** Redis was emptied, or is another one: what has been told there is read from its beginning. */
  async #beginAnew(epoch: string): Promise<void> {
    const { now = Date.now } = this.#deps;
    const { id } = this.#position;
    if (id !== BEGINNING && now() - timeOf(id) > TOLD_AGAIN_MS) await this.#refill.begin(timeOf(id));
    this.#position = { ...this.#position, epoch, id: BEGINNING };
  }

  async #learn(entries: readonly FoundEntry[]): Promise<void> {
    const { database, instance, local } = this.#deps;
    const seen = { ...this.#position.seen };
    let changes: StateChange[] = [];
    for (const { instance: from, sequence, text } of entries) {
      // One that cannot be trusted does not keep others of that instance out, either.
      if (text === null || from === instance || sequence <= (seen[from] ?? 0)) continue;
      seen[from] = sequence;
      const told = readTold(text);
      if (told === null) continue;
      if (told.effects.removed.length > 0) {
        // It reads what came before it, which can be read once it is on disk.
        await database.commit(changes);
        changes = [];
      }
      changes.push(...local.toldChanges(told.effects));
      changes.push(...told.removed.map(({ node, id }) => local.givenUp.removing(node, id)));
    }
    const position = { ...this.#position, id: entries.at(-1)?.id ?? BEGINNING, seen: latestOf(seen) };
    const note = this.#notes.putting(POSITION, position);
    // Own entries only: if the note is lost, they are passed over again.
    if (changes.length === 0) database.commitSoon([note]).catch(() => undefined);
    else await database.commit([...changes, note]);
    this.#position = position;
  }
}

function latest(untold: readonly Untold[], otherwise: number): number {
  return untold.at(-1)?.sequence ?? otherwise;
}

function latestOf(seen: Record<string, number>): Record<string, number> {
  const all = Object.entries(seen).sort(([, one], [, other]) => other - one);
  return Object.fromEntries(all.slice(0, MOST_INSTANCES));
}
