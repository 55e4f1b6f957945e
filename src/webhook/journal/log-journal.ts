import { readdirSync } from 'node:fs';
import path from 'node:path';
import { CodedError } from '../../errors/coded-error';
import { type RememberedId, rememberedId } from '../../events/build-event';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import type { FlowAnswer } from '../endpoint/flow-reply';
import { DeliveryLog, type LogEnd, type Place, type Span } from '../log/delivery-log';
import type { LoggedDelivery } from '../log/record';
import { DeliveryIdentities, REMEMBERED_MS } from './delivery-identities';
import type {
  AcceptedDelivery,
  DeliveryJournal,
  HandOver,
  PendingDelivery,
  Remembered
} from './delivery-journal';
import { FormerDeliveries } from './former-deliveries';
import { LogRetention } from './log-retention';
import { mergedByTime } from './merged-logs';

/** Milliseconds after which the database is updated from the logs. */
const FOLLOW_MS = 500;

/** Changes of one commit: more would block the event loop. */
const CHANGES_AT_ONCE = 250;

/** How long an accepted delivery waits for its node, which may be disabled or deleted meanwhile. */
const WAITING_MS = 7 * 24 * 60 * 60 * 1000;

/** Days for which deliveries are kept when no webhook node sets them. */
const USUAL_DAYS = 7;

const LOG_NAME = 'keep-';

export interface LogJournalOptions {
  database: StateDatabase;
  /** Of the logs; created with the first delivery. */
  directory: string;
  /** Throws when the state belongs to another process. */
  guard: () => void;
  /** Receives what the owner of the machine should know, in whole sentences. */
  log: (text: string) => void;
  /** How many days deliveries are kept, by the id of their node. It may change. */
  days: ReadonlyMap<string, number>;
  /** Bytes that all logs together may take. */
  mostBytes: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** A delivery that was accepted and not yet handed over. */
interface Waiting {
  days: number;
  scope: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  place: Place;
  /** Whether the database lists it. */
  isSaved: boolean;
}

type WaitingKey = [days: number, sequence: number];
type SavedWaiting = [scope: string, receivedAt: number, segment: number, at: number, length: number];

/**
 * The journal on disk. An accepted delivery is in a log before it is answered; there is one log for each number of
 * days that deliveries are kept. Shortly after, the database gets what has to be found by key, and the position that it
 * has reached; the rest is read from the logs at the next start.
 */
export class LogJournal implements DeliveryJournal {
  readonly #options: LogJournalOptions;
  readonly #now: () => number;
  readonly #identities: DeliveryIdentities;
  readonly #former: FormerDeliveries;
  readonly #ends: StateCollection<LogEnd>;
  readonly #saved: StateCollection<SavedWaiting>;
  readonly #logs = new Map<number, DeliveryLog>();
  readonly #retention: LogRetention;
  readonly #days: ReadonlyMap<string, number>;
  readonly #waiting = new Map<string, Waiting>();
  /** Those of `#waiting` that this process is about to hand over. */
  readonly #underWay = new Set<Waiting>();
  /** What the database does not list yet, and what it still has to remove. */
  #unsaved = new Set<Waiting>();
  #gone: WaitingKey[] = [];
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> | null = null;
  #isDisposed = false;

  /** @throws an error of the file system or of LMDB when the logs cannot be read */
  constructor(options: LogJournalOptions) {
    const { database, now = Date.now } = options;
    this.#options = options;
    this.#now = now;
    this.#days = options.days;
    this.#identities = new DeliveryIdentities(database, now);
    this.#former = new FormerDeliveries(database, now);
    this.#ends = database.collection('delivery-log-ends');
    this.#saved = database.collection('deliveries-waiting');
    this.#retention = new LogRetention({
      ...options,
      now,
      logs: this.#logs,
      daysOf: (days) => this.#retainedDays(days),
      isWanted: (days, first, end) => this.#isWanted(days, first, end)
    });
    for (const days of daysIn(options.directory)) this.#open(days);
    this.#follow();
  }

  /** Whether the files are no longer this journal's: then it has to be opened again. */
  get isLost(): boolean {
    for (const { writer } of this.#logs.values()) if (writer.isLost) return true;
    return false;
  }

  find(scope: string, id: RememberedId): Remembered | undefined {
    return this.#identities.find(scope, id);
  }

  async accept(delivery: AcceptedDelivery): Promise<HandOver> {
    const { scope, receivedAt } = delivery;
    const days = this.#daysFor(scope);
    const log = this.#logs.get(days) ?? this.#open(days);
    const place = await log.writer.append({ ...delivery, answer: null });
    if (delivery.duplicate === undefined) this.#identities.add(scope, rememberedId(delivery), null);
    const waiting: Waiting = { days, scope, receivedAt, place, isSaved: false };
    this.#waiting.set(nameOf(days, place.sequence), waiting);
    this.#unsaved.add(waiting);
    this.#follow();
    return this.#take(waiting);
  }

  async answered(delivery: AcceptedDelivery, answer: FlowAnswer): Promise<void> {
    const { scope } = delivery;
    const days = this.#daysFor(scope);
    if (days === 0) {
      await this.remember(scope, rememberedId(delivery), answer);
      return;
    }
    const log = this.#logs.get(days) ?? this.#open(days);
    await log.writer.append({ ...delivery, answer });
    this.#identities.add(scope, rememberedId(delivery), answer);
    this.#follow();
  }

  async remember(scope: string, id: RememberedId, answer: FlowAnswer | null): Promise<void> {
    try {
      await this.#options.database.commit([this.#identities.putting(scope, id, answer)]);
    } catch (cause) {
      if (cause instanceof CodedError) throw cause;
      throw new CodedError('NOT_RECORDED', 'The state database did not take a delivery.', {
        cause,
        retryable: true
      });
    }
  }

  *pending(scope: string): Iterable<PendingDelivery> {
    yield* this.#former.pending(scope);
    const mine = [...this.#waiting.values()].filter(
      (each) => each.scope === scope && !this.#underWay.has(each)
    );
    mine.sort((a, b) => a.receivedAt - b.receivedAt || a.place.sequence - b.place.sequence);
    for (const waiting of mine) {
      if (this.#underWay.has(waiting)) continue;
      const handOver = this.#take(waiting);
      const delivery = this.#logs.get(waiting.days)?.at(waiting.place);
      if (delivery) yield { delivery, ...handOver };
      else {
        this.#options.log(
          `A delivery that waited for the node ${scope} cannot be read from the delivery log any more.`
        );
        handOver.done();
      }
    }
  }

  async written(): Promise<void> {
    await Promise.all([...this.#logs.values()].map(({ writer }) => writer.written()));
    await this.#save();
    await this.#options.database.written();
  }

  /** The kept deliveries of a span, oldest first, in batches. */
  read(span: Span): AsyncIterable<readonly LoggedDelivery[]> {
    return mergedByTime([...this.#logs.values()].map((log) => log.read(span)));
  }

  /** Removes what no longer has to be kept. To be called every minute, and with `isHourly` every hour. */
  async tidy({ isHourly }: { isHourly: boolean }): Promise<void> {
    await this.#retention.removeHandedOver();
    if (!isHourly) return;
    await this.forgetIdentities();
    await this.forgetPending();
    await this.#retention.removeOld();
  }

  /** Forgets the identities that are too old, in small steps. Resolves when done. */
  async forgetIdentities(): Promise<void> {
    await this.#save();
    await this.#identities.forget();
  }

  /**
   * As `forgetIdentities`, for deliveries whose node does not come back. To be called only after the existing
   * nodes had time to take theirs: a machine may have been off for longer than a delivery waits.
   */
  async forgetPending(): Promise<void> {
    await this.#former.forget();
    for (const waiting of [...this.#waiting.values()])
      if (this.#now() - waiting.receivedAt >= WAITING_MS && !this.#underWay.has(waiting))
        this.#take(waiting).done();
  }

  /** Stops the timer and closes the logs. The next journal reads from them what was not saved. */
  async dispose(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isDisposed = true;
    await Promise.all([...this.#logs.values()].map((log) => log.close()));
  }

  #daysFor(scope: string): number {
    return this.#days.get(scope) ?? (this.#days.size === 0 ? USUAL_DAYS : Math.max(...this.#days.values()));
  }

  /** Days for which a log is really kept: perhaps no node asks for that many any more. */
  #retainedDays(days: number): number {
    return this.#days.size === 0 ? days : Math.min(days, Math.max(...this.#days.values()));
  }

  #isWanted(days: number, first: number, end: number): boolean {
    for (const waiting of this.#waiting.values()) {
      const { sequence } = waiting.place;
      if (waiting.days === days && first <= sequence && sequence < end) return true;
    }
    return false;
  }

  #open(days: number): DeliveryLog {
    const { directory, log, database } = this.#options;
    const known = this.#load(days);
    const told = new Set<string>();
    const since = this.#ends.get(days);
    const opened = new DeliveryLog({
      directory: path.join(directory, `${LOG_NAME}${days}`),
      guard: () => this.#guard(),
      log,
      now: this.#now,
      since: since === undefined ? null : { ...since, hash: Buffer.from(since.hash) },
      onVanished: () => database.written(),
      onEntry: (entry) => {
        if (entry.kind === 'handed-over')
          for (const sequence of entry.sequences) this.#forget(nameOf(days, sequence));
        else {
          const { receivedAt, place, isHandedOver, read } = entry;
          const isRecent = this.#now() - receivedAt < REMEMBERED_MS;
          const delivery = isRecent || !isHandedOver ? read() : null;
          if (delivery === null) return;
          const { scope, duplicate } = delivery;
          if (isRecent && duplicate === undefined)
            this.#identities.add(scope, rememberedId(delivery), delivery.answer, receivedAt);
          if (isHandedOver) return;
          const name = nameOf(days, place.sequence);
          told.add(name);
          const waiting = { days, scope, receivedAt, place, isSaved: known.has(name) };
          this.#waiting.set(name, waiting);
          if (!waiting.isSaved) this.#unsaved.add(waiting);
        }
      }
    });
    // What the database lists is in the part that was not reported, or in files that are gone.
    if (opened.wasReadWholly) for (const name of known) if (!told.has(name)) this.#forget(name);
    this.#logs.set(days, opened);
    return opened;
  }

  /** Restores a database that somebody removed before a delivery is accepted: the answer depends on its memory. */
  #guard(): Promise<void> | undefined {
    const { guard, database } = this.#options;
    guard();
    return database.isInPlace() ? undefined : database.written();
  }

  #load(days: number): Set<string> {
    const names = new Set<string>();
    for (const { key, value } of this.#saved.range({ start: [days], end: [days, Number.MAX_VALUE] })) {
      const [, sequence] = key as WaitingKey;
      const [scope, receivedAt, segment, at, length] = value;
      const name = nameOf(days, sequence);
      names.add(name);
      this.#waiting.set(name, {
        days,
        scope,
        receivedAt,
        place: { segment, at, length, sequence },
        isSaved: true
      });
    }
    return names;
  }

  #take(waiting: Waiting): HandOver {
    this.#underWay.add(waiting);
    const { days, place } = waiting;
    const name = nameOf(days, place.sequence);
    return {
      name,
      done: () => {
        this.#underWay.delete(waiting);
        this.#forget(name);
        // If this cannot be written, the delivery is repeated after the next start: better twice than never.
        this.#logs.get(days)?.writer.handedOver(place.sequence);
        this.#follow();
      },
      leave: () => {
        this.#underWay.delete(waiting);
      }
    };
  }

  #forget(name: string): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return;
    this.#waiting.delete(name);
    this.#unsaved.delete(waiting);
    if (waiting.isSaved) this.#gone.push([waiting.days, waiting.place.sequence]);
  }

  #follow(): void {
    if (this.#isDisposed) return;
    this.#timer ??= setTimeout(() => void this.#save(), FOLLOW_MS).unref();
  }

  /** Saves to the database what the logs already hold. Never rejects. */
  async #save(): Promise<void> {
    await this.#saving;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saving ??= this.#saveNow().finally(() => (this.#saving = null));
    await this.#saving;
  }

  async #saveNow(): Promise<void> {
    if (this.#isDisposed) return;
    // Read first: the database may then know more than the logs up to these ends, but never less.
    const ends = [...this.#logs].map(([days, { writer }]) => this.#ends.putting(days, writer.durable));
    const recent = this.#identities.recent();
    const [unsaved, gone] = [this.#unsaved, this.#gone];
    this.#unsaved = new Set();
    this.#gone = [];
    const changes: StateChange[] = recent.map(({ change }) => change);
    for (const waiting of unsaved) {
      waiting.isSaved = true;
      const { days, scope, receivedAt, place } = waiting;
      const { segment, at, length, sequence } = place;
      changes.push(this.#saved.putting([days, sequence], [scope, receivedAt, segment, at, length]));
    }
    for (const key of gone) changes.push(this.#saved.removing(key));
    try {
      await this.#commit([...changes, ...ends]);
      this.#identities.saved(recent);
      this.#retention.keepToSize();
    } catch {
      // A full disk, or another owner. The logs have it all, and the database is updated again later.
      for (const waiting of unsaved)
        if (this.#waiting.has(nameOf(waiting.days, waiting.place.sequence))) this.#unsaved.add(waiting);
      this.#gone.push(...gone);
      this.#follow();
    }
  }

  async #commit(changes: readonly StateChange[]): Promise<void> {
    for (let at = 0; at < changes.length; at += CHANGES_AT_ONCE) {
      await this.#options.database.commitSoon(changes.slice(at, at + CHANGES_AT_ONCE));
    }
  }
}

function nameOf(days: number, sequence: number): string {
  return `${days}/${sequence}`;
}

/** The numbers of days for which a log exists. */
function daysIn(directory: string): number[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => name.startsWith(LOG_NAME))
    .map((name) => Number(name.slice(LOG_NAME.length)))
    .filter((days) => Number.isSafeInteger(days) && days >= 0);
}
