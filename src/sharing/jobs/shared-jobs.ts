import { setTimeout as pause } from 'node:timers/promises';
import type { CrashGuard, HeldJob } from '../../archive/crashes/crash-guard';
import { unexpected } from '../../archive/download/archive-faults';
import { type Effects, NO_EFFECTS } from '../../archive/effects';
import type { LocalFacts } from '../../archive/index/local-facts';
import type { Job, JobItem, JobRun, MessageSnapshot } from '../../archive/queue/job';
import { type JobOutcome, JobQueue } from '../../archive/queue/job-queue';
import type { JobList, JobRepository } from '../../archive/queue/job-repository';
import type { JobLoad, Jobs, Retrying } from '../../archive/queue/jobs';
import { steadyNow } from '../../clock/clocks';
import { KeyedMutex } from '../../concurrency/keyed-runs';
import { CodedError } from '../../errors/coded-error';
import type { StateDatabase } from '../../state/state-database';
import type { RedisConnection } from '../redis-connection';
import type { BullWorker } from './bull/bull-worker';
import type { LendingBudget } from './lending/lending-ledger';
import { SharedList, isAwayError } from './shared-list';
import { WaitingJobs } from './waiting-jobs';
import type { JobFormat } from './wire/job-format';

export interface SharedJobsOptions {
  /** Id of the download node. */
  node: string;
  /** Names this instance; the same after each start. */
  instance: string;
  /** The maximum number of concurrent jobs here, and of follow-ups beside them. */
  concurrency: number;
  followUpsAtOnce: number;
  /** `refuse`: accept nothing while Redis is away. */
  whenAway: 'hold' | 'refuse';
  times?: Partial<SharedTimes>;
}

/** All in milliseconds. */
export interface SharedTimes {
  /** How long Redis may be away before this instance works on its own jobs. */
  alone: number;
  /** Between two looks for what has ended elsewhere. */
  tend: number;
  /** Between two looks after everything that is lent. */
  review: number;
  /** Between two looks at what waits. */
  look: number;
  /** How long others have, once Redis is back, to take from it what they did meanwhile. */
  grace: number;
}

export interface SharedJobsDeps {
  connection: RedisConnection;
  format: JobFormat;
  database: StateDatabase;
  repository: JobRepository;
  facts: Pick<LocalFacts, 'changes'>;
  /** As `ArchiveFacts.commit`: durable before a job is acknowledged. */
  commit: (effects: Effects) => Promise<void>;
  /** Of all nodes of this instance. */
  budget: LendingBudget;
  /** How many jobs of the node the other instances hold without having lent them. Default: none. */
  heldElsewhere?: (() => number) | undefined;
  work: (job: Job, run: JobRun) => Promise<JobOutcome>;
  giveUp: (job: Job, held: HeldJob) => Promise<JobOutcome>;
  /** For what runs while Redis is away. */
  guard?: CrashGuard;
  /**
   * An accepted job has ended, here or elsewhere, and the flow of the instance that ran it has its messages: the pending message is done.
   * Called at most once for each. `isGivenUp`: the error was raised where it ran.
   */
  onFinished: (ended: { id: string; isGivenUp: boolean }) => void;
  onWaiting: (count: number) => void;
  onFault: (error: CodedError) => void;
  /** The clock of the jobs. Default: `steadyNow`. */
  now?: () => number;
}

const TIMES: SharedTimes = { alone: 60_000, tend: 200, review: 60_000, look: 3000, grace: 2000 };
/** A message is not held up longer by a slow Redis: its job is on disk, and is lent later. */
const SENT_MS = 1000;
const STATE_PAUSE_MS = 15_000;

/**
 * The jobs of one download node, shared by all instances that have it. Each keeps those that it accepted on its disk and lends
 * them to Redis, where an instance with room works on them. While Redis is away for long, it works on its own ones itself.
 */
export class SharedJobs implements Jobs {
  readonly #options: SharedJobsOptions;
  readonly #deps: SharedJobsDeps;
  readonly #times: SharedTimes;
  readonly #now: () => number;
  readonly #main: SharedList;
  readonly #followUps: SharedList;
  readonly #waiting: WaitingJobs;
  readonly #modes = new KeyedMutex();
  readonly #stops: (() => void)[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  /** What ran here since Redis was away, until all of it is on disk. */
  readonly #alone = new Set<string>();
  /** Works on own jobs while Redis is away. */
  #own: JobQueue | undefined;
  #draining: Promise<void> = Promise.resolve();
  /** Of before Redis was away: they may still be at work. */
  #left: BullWorker[] = [];
  #tending = false;
  #awayTimer: NodeJS.Timeout | undefined;
  /** Redis has been away for so long that this instance works on its own jobs. */
  #isAlone = false;
  #isPaused = false;
  #isStarted = false;
  #isClosed = false;
  #silentUntil = -Infinity;

  constructor(options: SharedJobsOptions, deps: SharedJobsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#times = { ...TIMES, ...options.times };
    this.#now = deps.now ?? steadyNow;
    const { node, instance } = options;
    const common = {
      ...deps,
      ...{ now: this.#now, runsHere: (id: string) => this.#alone.has(id) },
      onEnded: () => undefined
    };
    const followUpsOptions = { list: { followUpsOf: node }, instance, concurrency: options.followUpsAtOnce };
    this.#followUps = new SharedList(followUpsOptions, { ...common, followUps: null });
    this.#main = new SharedList(
      { list: node, instance, concurrency: options.concurrency },
      {
        ...common,
        followUps: this.#followUps,
        onEnded: (id, isGivenUp) => deps.onFinished({ id, isGivenUp })
      }
    );
    for (const list of this.#lists) list.onChange = () => this.#soon();
    this.#waiting = new WaitingJobs({
      ...{ node, main: this.#main, followUps: this.#followUps, repository: deps.repository },
      ...{ onWaiting: deps.onWaiting, lookMs: this.#times.look, now: this.#now }
    });
  }

  get #lists(): readonly SharedList[] {
    return [this.#main, this.#followUps];
  }

  start(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    const { connection } = this.#deps;
    try {
      for (const { lender } of this.#lists) lender.open();
    } catch (error) {
      this.#report(error);
    }
    this.#stops.push(
      connection.on('back', () => this.#back()),
      connection.on('away', () => this.#gone()),
      connection.on('emptied', () => this.#do(() => this.#review()))
    );
    this.#every(this.#times.tend, () => this.#tend());
    this.#every(this.#times.review, () => this.#modes.run('', () => this.#join()));
    this.#every(this.#times.look, () => this.#look());
    connection.start();
    if (connection.isAway) this.#gone();
    else this.#back();
  }

  async add(message: MessageSnapshot, items: JobItem[], known: (id: string) => void): Promise<void> {
    const { connection, repository } = this.#deps;
    const { isAway } = connection;
    const isRefused = this.#options.whenAway === 'refuse';
    if (isRefused && isAway) throw connection.away();
    if (this.#own !== undefined) {
      await this.#own.add(message, items, known);
      return;
    }
    const job = repository.job(message, items);
    known(job.id);
    const { lender } = this.#main;
    await lender.add(job, isAway);
    const sent = lender.send(job);
    try {
      await (isRefused ? sent : Promise.race([sent, pause(SENT_MS, null, { ref: false })]));
    } catch (error) {
      if (!isRefused) return;
      await lender.withdraw(job);
      throw error;
    } finally {
      sent.catch(() => undefined);
    }
  }

  retrying(): Retrying {
    if (this.#own !== undefined) return this.#own.retrying();
    this.#do(() => this.#look());
    return this.#isClosed || !this.#isStarted ? { count: 0, next: null } : this.#waiting.retrying();
  }

  pausing(most: number): { job: Job; dueInMs: number }[] {
    if (this.#own !== undefined) return this.#own.pausing(most);
    this.#do(() => this.#look());
    return this.#isClosed || !this.#isStarted ? [] : this.#waiting.pausing(most);
  }

  /** As `WaitingJobs.tally`. */
  tally(): ReturnType<WaitingJobs['tally']> {
    return this.#waiting.tally();
  }

  /** Begins no job until `resume`, wherever it waits; what runs goes on to its end. Jobs are accepted and lent as before. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    for (const list of this.#lists) list.pause();
    this.#leaveOwn();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    for (const list of this.#lists) list.resume();
    this.#do(() => this.#modes.run('', () => (this.#isAlone ? this.#workAlone() : this.#join())));
  }

  async load(limit: number): Promise<JobLoad> {
    const own = this.#deps.repository.load([this.#options.node], limit);
    if (this.#own !== undefined || this.#deps.connection.isAway) return own;
    try {
      const { due, delayed } = await this.#main.counts();
      const held = Math.max(0, own.all - this.#main.lender.lent) + (this.#deps.heldElsewhere?.() ?? 0);
      return { due: Math.min(limit, due + held), all: Math.min(limit, due + delayed + held) };
    } catch {
      return own;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#awayTimer);
    for (const timer of this.#timers) clearInterval(timer);
    for (const stop of this.#stops) stop();
    // What is changing the mode sees that this is closed, and ends soon.
    await Promise.all([...this.#lists.map((list) => list.leave()), this.#own?.close(), this.#draining]);
    await this.#modes.run('', () => Promise.resolve());
    await Promise.all([...this.#lists.map((list) => list.close()), this.#own?.close()]);
  }

  /** Redis answers, at first or again. */
  #back(): void {
    clearTimeout(this.#awayTimer);
    this.#isAlone = false;
    this.#do(() => this.#modes.run('', () => this.#join()));
  }

  async #join(): Promise<void> {
    if (!this.#isStarted || this.#closedOrAway()) return;
    const own = this.#leaveOwn();
    // To look after all that is lent, and to lend what can be, takes seconds: the first jobs begin meanwhile.
    for (const { lender } of this.#lists) {
      await lender.removeVoid();
      if (!this.#closedOrAway()) await lender.lend();
    }
    if (own !== undefined) await pause(this.#times.grace, null, { ref: false });
    for (const list of this.#lists) if (!this.#closedOrAway()) await list.join();
    if (this.#hasClosed()) await Promise.all(this.#lists.map((list) => list.leave()));
    this.#do(() => this.#review());
    this.#soon();
  }

  #leaveOwn(): JobQueue | undefined {
    const own = this.#own;
    this.#own = undefined;
    if (own !== undefined) this.#drain(own);
    return own;
  }

  #hasClosed(): boolean {
    return this.#isClosed;
  }

  #hasPaused(): boolean {
    return this.#isPaused;
  }

  #closedOrAway(): boolean {
    return this.#isClosed || this.#deps.connection.isAway;
  }

  /** What runs goes on to its end; what is left of the jobs can then be lent again. */
  #drain(own: JobQueue): void {
    const drained = own.close().then(() => {
      this.#alone.clear();
      for (const { lender } of this.#lists) lender.searchAgain();
    });
    this.#draining = Promise.allSettled([this.#draining, drained]).then(() => undefined);
  }

  #gone(): void {
    clearTimeout(this.#awayTimer);
    this.#awayTimer = setTimeout(() => {
      this.#do(() => this.#modes.run('', () => this.#workAlone()));
    }, this.#times.alone).unref();
  }

  /** Redis has been away for long: this instance works on the jobs that it accepted, held and lent. */
  async #workAlone(): Promise<void> {
    if (this.#isClosed || !this.#deps.connection.isAway || this.#own !== undefined) return;
    this.#isAlone = true;
    this.#left = this.#left.filter(({ running }) => running > 0);
    for (const list of this.#lists) {
      const worker = await list.leave();
      if (worker !== undefined) this.#left.push(worker);
      await list.lender.settled();
    }
    await this.#draining;
    // Redis may have come back, or the node may have been closed or paused, meanwhile.
    if (this.#hasClosed() || this.#hasPaused()) return;
    if (!this.#closedOrAway()) {
      await this.#join();
      return;
    }
    const { node, concurrency, followUpsAtOnce } = this.#options;
    const followUps = this.#queue({ followUpsOf: node }, followUpsAtOnce);
    this.#own = this.#queue(node, concurrency, followUps);
    this.#own.start();
  }

  #queue(list: JobList, concurrency: number, followUps?: JobQueue): JobQueue {
    const { repository, facts, work, giveUp, guard, onWaiting, onFault } = this.#deps;
    const isMain = followUps !== undefined;
    const { lender } = isMain ? this.#main : this.#followUps;
    const alone = async (job: Job, run: () => Promise<JobOutcome>): Promise<JobOutcome> => {
      const { id } = job;
      this.#alone.add(id);
      try {
        for (const worker of this.#left) await worker.settled(id);
        await lender.takeBack(id);
      } catch (error) {
        onFault(unexpected(error));
        return { kind: 'again', pauseMs: STATE_PAUSE_MS, effects: NO_EFFECTS };
      }
      const outcome = await run();
      const isEnd = outcome.kind === 'done' || (outcome.kind === 'again' && outcome.isFollowUp === true);
      if (isMain && isEnd) this.#deps.onFinished({ id, isGivenUp: outcome.effects.givenUp.length > 0 });
      return outcome;
    };
    return new JobQueue(repository, {
      ...{ list, concurrency, facts, onFault, now: this.#now },
      ...(guard !== undefined && { guard }),
      ...(followUps !== undefined && { followUps }),
      onWaiting: isMain ? onWaiting : (): void => undefined,
      work: (job, run) => alone(job, () => work(job, run)),
      giveUp: (job, held) => alone(job, () => giveUp(job, held))
    });
  }

  async #tend(): Promise<void> {
    if (this.#tending) return;
    this.#tending = true;
    try {
      let hasMore = true;
      while (hasMore && this.#own === undefined && !this.#closedOrAway()) {
        hasMore = false;
        for (const list of this.#lists) if (await list.tend()) hasMore = true;
      }
    } finally {
      this.#tending = false;
    }
  }

  async #review(): Promise<void> {
    if (this.#own !== undefined || this.#closedOrAway()) return;
    for (const { lender } of this.#lists) await lender.review();
  }

  async #look(): Promise<void> {
    if (this.#own === undefined && !this.#closedOrAway()) await this.#waiting.look();
  }

  #soon(): void {
    // What has just begun to wait is shown soon.
    this.#waiting.forget();
    this.#do(() => this.#tend());
  }

  #every(ms: number, action: () => Promise<void>): void {
    this.#timers.add(setInterval(() => this.#do(action), ms).unref());
  }

  /** Everything here is tried again by itself. */
  #do(action: () => Promise<void>): void {
    action().catch((error: unknown) => this.#report(error));
  }

  #report(error: unknown): void {
    if (isAwayError(error) || this.#isClosed || this.#now() < this.#silentUntil) return;
    this.#silentUntil = this.#now() + STATE_PAUSE_MS;
    this.#deps.onFault(error instanceof CodedError ? error : unexpected(error));
  }
}
