import { CautiousClock } from '../../clock/cautious-clock';
import { monotonicNow } from '../../clock/clocks';
import { CodedError } from '../../errors/coded-error';
import { rootCause } from '../../errors/root-cause';
import { type RememberedId, rememberedId } from '../../events/build-event';
import type { StateCollection } from '../../state/state-database';
import type { FlowAnswer } from '../endpoint/flow-reply';
import { DeliveryLog, type LogEnd, type Place, type Span } from '../log/delivery-log';
import type { LoggedDelivery } from '../log/record';
import {
  DeliveryIdentities,
  type IdentityMemory,
  REMEMBERED_MS,
  type Remembered
} from './delivery-identities';
import type { AcceptedDelivery, DeliveryJournal, HandOver, PendingDelivery } from './delivery-journal';
import { FormerDeliveries } from './former-deliveries';
import { daysIn, directoryOf } from './log-directories';
import type { LogJournalOptions } from './log-journal-options';
import { LogRetention } from './log-retention';
import { mergedByTime } from './merged-logs';
import {
  isAnyWithin,
  savedWaiting,
  savingWaiting,
  type SavedWaiting,
  type Waiting,
  type WaitingKey,
  WAITING_MS
} from './waiting-delivery';

/** Milliseconds after which the database is updated from the logs: the more at once, the fewer pages for each. */
const FOLLOW_MS = 2000;

/** Identities after which it is updated at once. */
const MOST_UNSAVED = 20_000;

/** Attempts to restore the database; somebody may remove it again meanwhile. */
const MOST_ATTEMPTS = 3;

/** Changes of one commit: more would block the event loop. */
const CHANGES_AT_ONCE = 250;

/** Days for which deliveries are kept when no webhook node sets them. */
const USUAL_DAYS = 7;

/**
 * The journal on disk. An accepted delivery is in a log before it is answered; there is one log for each number of
 * days that deliveries are kept. Shortly after, the database gets what has to be found by key, and the position that it
 * has reached; the rest is read from the logs at the next start.
 */
export class LogJournal implements DeliveryJournal, IdentityMemory {
  readonly #options: LogJournalOptions;
  readonly #now: () => number;
  readonly #clock: CautiousClock;
  readonly identities: DeliveryIdentities;
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
  /** When the last signed delivery was accepted. */
  #provenAt = NaN;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<boolean> | null = null;
  #isDisposed = false;

  /** @throws an error of the file system or of LMDB when the logs cannot be read */
  constructor(options: LogJournalOptions) {
    const { database, now = Date.now, elapsed = monotonicNow } = options;
    this.#options = options;
    this.#now = now;
    this.#clock = new CautiousClock(now, elapsed);
    this.#days = options.days;
    this.identities = new DeliveryIdentities(database, now);
    this.#former = new FormerDeliveries(database);
    this.#ends = database.collection('delivery-log-ends');
    this.#saved = database.collection('deliveries-waiting');
    this.#retention = new LogRetention({
      ...options,
      now,
      clock: this.#clock,
      logs: this.#logs,
      // Perhaps no node asks for that many any more.
      daysOf: (days) => (this.#days.size === 0 ? days : Math.min(days, Math.max(...this.#days.values()))),
      isWanted: (days, first, end) => isAnyWithin(this.#waiting.values(), { days, first, end })
    });
    for (const days of daysIn(options.directory)) this.#open(days);
    const times = [...this.#logs.values()].map(({ writer }) => writer.durable.latest);
    this.#clock.begin(Math.max(...times.filter((time) => !Number.isNaN(time))));
    this.#follow();
  }

  /** Whether the files are no longer this journal's: then it has to be opened again. */
  get isLost(): boolean {
    for (const { writer } of this.#logs.values()) if (writer.isLost) return true;
    return false;
  }

  find(scope: string, id: RememberedId): Remembered | undefined {
    return this.identities.find(scope, id);
  }

  accept(delivery: AcceptedDelivery): Promise<HandOver> {
    const days = this.#daysFor(delivery.scope);
    const log = this.#logs.get(days) ?? this.#open(days);
    return log.writer.append(delivery, (place) => this.#accepted(delivery, days, place));
  }

  #accepted(delivery: AcceptedDelivery, days: number, place: Place): HandOver {
    const { scope, receivedAt } = delivery;
    if (delivery.duplicate === undefined) this.identities.add(scope, rememberedId(delivery), null);
    const waiting: Waiting = { days, scope, receivedAt, place, isSaved: false };
    const name = nameOf(days, place.sequence);
    this.#waiting.set(name, waiting);
    this.#unsaved.add(waiting);
    if (delivery.proof !== null) this.#provenAt = receivedAt;
    this.#follow();
    return this.#take(waiting, name);
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
    this.identities.add(scope, rememberedId(delivery), answer);
    this.#follow();
  }

  async remember(scope: string, id: RememberedId, answer: FlowAnswer | null): Promise<void> {
    try {
      await this.#options.database.commit([this.identities.putting(scope, id, answer)]);
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
      const delivery = this.#readAgain(waiting, handOver);
      if (delivery !== null) yield { delivery, ...handOver };
    }
  }

  /** Ends the hand-over of what is gone. What cannot be read at this moment waits for the next attempt. */
  #readAgain({ days, scope, place }: Waiting, handOver: HandOver): LoggedDelivery | null {
    const what = `A delivery that waited for the node ${scope} cannot be read from the delivery log`;
    try {
      const delivery = this.#logs.get(days)?.at(place) ?? null;
      if (delivery !== null) return delivery;
      this.#options.log(`${what} any more.`);
      handOver.done();
    } catch (error) {
      this.#options.log(
        `${what} now (${rootCause(error)}). It is tried again after the next deploy or start.`
      );
      handOver.leave();
    }
    return null;
  }

  async written(): Promise<void> {
    await Promise.all([...this.#logs.values()].map(({ writer }) => writer.written()));
    await this.#save();
    await this.#options.database.written();
  }

  /**
   * The kept deliveries of a span, oldest first, in batches.
   *
   * @param onGap called when deliveries that should be kept may be missing
   */
  read(span: Span, onGap?: () => void): AsyncIterable<readonly LoggedDelivery[]> {
    // What is kept only until it is handed over is not missing after that.
    return mergedByTime([...this.#logs].map(([days, log]) => log.read(span, days === 0 ? undefined : onGap)));
  }

  /** The logs by the days that they keep, for those who look into them. */
  get logs(): ReadonlyMap<number, DeliveryLog> {
    return this.#logs;
  }

  /** Whether a delivery of a log has not been handed over yet. */
  isWaiting(days: number, sequence: number): boolean {
    return this.#waiting.has(nameOf(days, sequence));
  }

  /** Removes what no longer has to be kept. To be called every minute, and with `isHourly` every hour. */
  async tidy({ isHourly }: { isHourly: boolean }): Promise<void> {
    this.#clock.prove(this.#provenAt);
    await Promise.all([...this.#logs.values()].map(({ writer }) => writer.inPlace()));
    // The database must know what it would no longer find in the logs.
    await this.#save();
    await this.#retention.removeHandedOver();
    if (!isHourly) return;
    await this.forgetIdentities();
    await this.forgetPending();
    await this.#retention.removeOld();
  }

  /** Forgets the identities that are too old, in small steps. Resolves when done. */
  async forgetIdentities(): Promise<void> {
    await this.#save();
    await this.identities.forget();
  }

  /**
   * As `forgetIdentities`, for deliveries whose node does not come back. To be called only after the existing
   * nodes had time to take theirs: a machine may have been off for longer than a delivery waits.
   */
  async forgetPending(): Promise<void> {
    const before = this.#clock.now() - WAITING_MS;
    await this.#former.forget(before);
    const old = [...this.#waiting.values()].filter(
      (waiting) => waiting.receivedAt <= before && !this.#underWay.has(waiting)
    );
    for (const waiting of old) this.#take(waiting).done();
    if (old.length > 0)
      this.#options.log(
        `Nodes that are disabled or deleted did not take ${old.length} accepted deliveries within 7 days. They are given up; ` +
          'a delivery list node can still send those that are in the delivery log.'
      );
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

  #open(days: number): DeliveryLog {
    const { directory, log } = this.#options;
    const known = new Set<string>();
    for (const waiting of savedWaiting(this.#saved, days)) {
      const name = nameOf(days, waiting.place.sequence);
      known.add(name);
      this.#waiting.set(name, waiting);
    }
    const told = new Set<string>();
    const since = this.#ends.get(days);
    const opened = new DeliveryLog({
      directory: directoryOf(directory, days),
      guard: (when) => this.#guard(when),
      log,
      now: this.#now,
      since: since === undefined ? null : { ...since, hash: Buffer.from(since.hash) },
      onVanished: () => this.#restoreDatabase(),
      onOutlived: (first, end) => {
        for (let sequence = first; sequence < end; sequence += 1)
          if (!this.#waiting.has(nameOf(days, sequence))) opened.writer.handedOver(sequence);
      },
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
            this.identities.add(scope, rememberedId(delivery), delivery.answer, receivedAt);
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

  /** Before a delivery is accepted, a database that somebody has removed is restored: the answer depends on its memory. */
  #guard(when: 'before' | 'after' | 'restoring'): Promise<void> | undefined {
    const { guard, database } = this.#options;
    guard(when === 'after' ? 'after' : 'before');
    return when !== 'before' || database.isInPlace() ? undefined : this.#restoreDatabase();
  }

  /**
   * Saves to the database what only this journal and the end of the logs know: older parts of a log cannot be restored.
   *
   * @throws when the database is not in its place then
   */
  async #restoreDatabase(): Promise<void> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1)
      if ((await this.#save()) && this.#options.database.isInPlace()) return;
    throw new Error('The state database was removed and cannot be restored now.');
  }

  #take(waiting: Waiting, name = nameOf(waiting.days, waiting.place.sequence)): HandOver {
    this.#underWay.add(waiting);
    const { days, place } = waiting;
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
    if (this.identities.unsaved >= MOST_UNSAVED && this.#saving === null) void this.#save();
    this.#timer ??= setTimeout(() => void this.#save(), FOLLOW_MS).unref();
  }

  /** Saves to the database what the logs already hold. Never rejects. @returns false when it cannot be saved now */
  async #save(): Promise<boolean> {
    await this.#saving;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saving ??= this.#saveNow().finally(() => (this.#saving = null));
    return this.#saving;
  }

  async #saveNow(): Promise<boolean> {
    if (this.#isDisposed) return true;
    // Read first: the database may then know more than the logs up to these ends, but never less.
    const ends = [...this.#logs].map(([days, { writer }]) => this.#ends.putting(days, writer.durable));
    const recent = this.identities.recent();
    const [unsaved, gone] = [this.#unsaved, this.#gone];
    this.#unsaved = new Set();
    this.#gone = [];
    const changes = recent.map(({ change }) => change);
    for (const waiting of unsaved) {
      waiting.isSaved = true;
      changes.push(savingWaiting(this.#saved, waiting));
    }
    for (const key of gone) changes.push(this.#saved.removing(key));
    try {
      changes.push(...ends);
      for (let at = 0; at < changes.length; at += CHANGES_AT_ONCE)
        await this.#options.database.commitSoon(changes.slice(at, at + CHANGES_AT_ONCE));
      this.identities.saved(recent);
      this.#retention.keepToSize();
      return true;
    } catch {
      // A full disk, or another owner. The logs have it all, and the database is updated again later.
      for (const waiting of unsaved)
        if (this.#waiting.has(nameOf(waiting.days, waiting.place.sequence))) this.#unsaved.add(waiting);
      this.#gone.push(...gone);
      this.#follow();
      return false;
    }
  }
}

function nameOf(days: number, sequence: number): string {
  return `${days}/${sequence}`;
}
