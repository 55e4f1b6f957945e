import { LONGEST_PAUSE_MS, sleep } from '../../clock/backoff';
import { steadyNow } from '../../clock/clocks';
import { CodedError } from '../../errors/coded-error';
import { type CrashGuard, DEATHS_ALONE_BEFORE_END, type HeldJob, type Seat } from '../crashes/crash-guard';
import { unexpected } from '../download/archive-faults';
import { type Effects, NO_EFFECTS } from '../effects';
import type { LocalFacts } from '../index/local-facts';
import type { Job, JobItem, JobRun, MessageSnapshot, RetryNote } from './job';
import type { DueJob, JobList, JobRepository } from './job-repository';
import type { JobLoad, Jobs, Retrying } from './jobs';

/** What happens to a job after a run. */
export type JobOutcome = {
  /** Durable before the job counts as done; here, in the same commit. */
  effects: Effects;
} & (
  | { kind: 'done' }
  /** `isFollowUp`: the flow has its files; the rest must not delay others. */
  | { kind: 'again'; pauseMs: number; isFollowUp?: boolean }
  | { kind: 'stopped' }
);

export interface JobQueueOptions {
  /** Whose jobs they are. */
  list: JobList;
  /** The maximum number of concurrent jobs. */
  concurrency: number;
  /**
   * The clock of the jobs: milliseconds since 1970 that do not jump when the clock is set. Default:
   * `steadyNow`.
   */
  now?: () => number;
  /** Keeps the effects of jobs. */
  facts: Pick<LocalFacts, 'changes'>;
  /** Runs a job, and may update it. A job is tried again when this rejects. */
  work: (job: Job, run: JobRun) => Promise<JobOutcome>;
  /** Gives up a job that keeps crashing the process. Never rejects. */
  giveUp?: (job: Job, held: HeldJob) => Promise<JobOutcome>;
  /** Shared by the queues of a process. If absent, no job is marked or held back. */
  guard?: CrashGuard;
  /** Takes over the follow-ups of jobs whose files the flow has; starts and closes with this one. Default: they stay here. */
  followUps?: JobQueue;
  /** Called when the number of jobs that wait for a slot or their time changes. */
  onWaiting: (count: number) => void;
  /** The state could not be read or written; the queue retries by itself. */
  onFault: (error: CodedError) => void;
  /**
   * Milliseconds after which the state is tried again; each attempt adds a line to the log. Default 15,000.
   */
  statePauseMs?: number;
}

const MOST_COUNTED = 1000;
const STATE_PAUSE_MS = 15_000;
/**
 * Ended jobs whose outcome may be on its way to disk at a time. Without a limit, jobs that end immediately
 * would all run before anything else in the process gets its turn.
 */
const MOST_SETTLING = 100;
/** No timer sleeps longer than this, because the clock may be set meanwhile. */
const LONGEST_TIMER_MS = 60_000;

/**
 * Works through the jobs of one node, oldest first, a few at a time. Waiting jobs are only on disk, so memory
 * use does not depend on their number.
 */
export class JobQueue implements Jobs {
  readonly #jobs: JobRepository;
  readonly #options: JobQueueOptions;
  /** Ids of jobs that are running or being removed. */
  readonly #busy = new Set<string>();
  /** Why running jobs failed before. */
  readonly #again = new Map<string, RetryNote>();
  readonly #tasks = new Set<Promise<void>>();
  /** Jobs on their way to disk since before the start, which did not count them. */
  readonly #early = new Set<Job>();
  readonly #closing = new AbortController();
  #started = false;
  /** Whether jobs wait for others to be persisted. */
  #held = false;
  #working = 0;
  #total = 0;
  #timer: NodeJS.Timeout | undefined;

  readonly #statePauseMs: number;
  readonly #seat: Seat;

  constructor(jobs: JobRepository, options: JobQueueOptions) {
    this.#jobs = jobs;
    this.#options = options;
    this.#statePauseMs = options.statePauseMs ?? STATE_PAUSE_MS;
    this.#seat = {
      list: options.list,
      wake: () => this.#pump(),
      run: (held) => this.#runHeld(held)
    };
  }

  start(): void {
    if (this.#started) return;
    const { list, followUps } = this.#options;
    followUps?.start();
    this.#guard(() => {
      this.#total = this.#jobs.count(list);
      for (const job of this.#early) if (this.#jobs.has(list, job)) this.#early.delete(job);
    });
    this.#started = true;
    this.#options.guard?.join(this.#seat);
    this.#pump();
  }

  async add(message: MessageSnapshot, items: JobItem[], known: (id: string) => void): Promise<void> {
    const job = this.#jobs.job(message, items);
    known(job.id);
    const wasStarted = this.#started;
    if (!wasStarted) this.#early.add(job);
    let isUncounted = wasStarted;
    try {
      const added = this.#jobs.add(this.#options.list, job);
      this.#track(added);
      await added;
    } finally {
      isUncounted ||= this.#early.delete(job);
    }
    if (isUncounted) this.#total += 1;
    this.#pump();
  }

  retrying(): Retrying {
    const own = this.#retrying();
    return own.next === null ? (this.#options.followUps?.retrying() ?? own) : own;
  }

  #retrying(): Retrying {
    const { list, now = steadyNow, guard } = this.#options;
    if (!this.#started || this.#closing.signal.aborted) return { count: 0, next: null };
    try {
      const from = Math.floor(now()) + 1;
      const span = { from, to: from + LONGEST_PAUSE_MS, limit: MOST_COUNTED };
      const { count, first } = this.#jobs.dueBetween(list, span);
      const retry = first?.job.retry;
      const [again] = this.#again.values();
      const underWay = again === undefined ? null : { retry: again, dueInMs: 0 };
      const next =
        first === undefined || retry === undefined ? underWay : { retry, dueInMs: first.dueAt - now() };
      const pausing = guard?.pausing(list) ?? null;
      if (pausing === null) return { count, next };
      const crash = { trouble: 'crash', attempt: pausing.alone, of: DEATHS_ALONE_BEFORE_END } as const;
      const isFirst = next === null || pausing.waitMs < next.dueInMs;
      return { count: count + 1, next: isFirst ? { retry: crash, dueInMs: pausing.waitMs } : next };
    } catch {
      // Reported by the processor of the jobs.
      return { count: 0, next: null };
    }
  }

  pausing(most: number): { job: Job; dueInMs: number }[] {
    const both = [...this.#pausing(most), ...(this.#options.followUps?.pausing(most) ?? [])];
    return both.sort((a, b) => a.dueInMs - b.dueInMs).slice(0, most);
  }

  async load(limit: number): Promise<JobLoad> {
    const { list } = this.#options;
    return Promise.resolve(this.#jobs.load(typeof list === 'string' ? [list] : [], limit));
  }

  #pausing(most: number): { job: Job; dueInMs: number }[] {
    const { list, now = steadyNow } = this.#options;
    if (!this.#started || this.#closing.signal.aborted) return [];
    try {
      const from = Math.floor(now()) + 1;
      return this.#jobs.dueAfter(list, from, most).map(({ job, dueAt }) => ({ job, dueInMs: dueAt - now() }));
    } catch {
      // Reported by the processor of the jobs.
      return [];
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new CodedError('GAVE_UP', 'The node was stopped.'));
    clearTimeout(this.#timer);
    this.#options.guard?.leave(this.#seat);
    while (this.#tasks.size > 0) await Promise.allSettled(this.#tasks);
    await this.#options.followUps?.close();
  }

  #pump(): void {
    if (!this.#started || this.#closing.signal.aborted) return;
    clearTimeout(this.#timer);
    const { concurrency, onWaiting, guard } = this.#options;
    let isIdle = false;
    this.#guard(() => {
      while (this.#working < concurrency) {
        this.#held = this.#busy.size - this.#working >= MOST_SETTLING;
        if (this.#held) break;
        const next = this.#next();
        if (next === undefined) isIdle = this.#working === 0;
        if (next === undefined || guard?.isClosed === true) break;
        this.#track(this.#run(next, this.#options.work));
      }
    });
    onWaiting(Math.max(0, this.#total - this.#working));
    guard?.report(this.#seat, { isIdle, hasPlace: this.#working < concurrency });
  }

  /** @returns undefined when no job is due; a timer is set for the next one */
  #next(): DueJob | undefined {
    const { list, now = steadyNow, guard } = this.#options;
    const next = this.#jobs.next(list, { has: (id) => this.#busy.has(id) || guard?.holds(id) === true });
    if (next === undefined) {
      // The total is kept along the way; any error in it ends here.
      if (this.#busy.size === 0 && (guard?.heldOf(list).length ?? 0) === 0) this.#total = 0;
      return undefined;
    }
    const wait = next.dueAt - now();
    // A time that no pause explains was written while the clock was wrong.
    if (wait <= 0 || wait > LONGEST_PAUSE_MS) return next;
    this.#wakeIn(wait);
    return undefined;
  }

  #runHeld(held: HeldJob): ReturnType<Seat['run']> {
    const { list, work, giveUp } = this.#options;
    let job: Job | undefined;
    try {
      job = this.#jobs.at(list, held.dueAt, held.id);
    } catch (cause) {
      this.#options.onFault(stateFault(cause));
      return 'later';
    }
    if (job === undefined) return 'gone';
    const isGivenUp = held.isGivenUp && giveUp !== undefined;
    const due = { job: job, dueAt: held.dueAt };
    this.#track(this.#run(due, isGivenUp ? (given) => giveUp(given, held) : work));
    return 'begun';
  }

  async #run(due: DueJob, work: JobQueueOptions['work']): Promise<void> {
    const { id } = due.job;
    this.#busy.add(id);
    if (due.job.retry !== undefined) this.#again.set(id, due.job.retry);
    this.#working += 1;
    await this.#options.guard?.begin(this.#options.list, due);
    const run = { isResumed: !this.#jobs.isOfThisProcess(due.job) };
    const outcome = await this.#worked(() => work(due.job, run));
    this.#working -= 1;
    this.#again.delete(id);
    if (outcome.kind === 'done' || this.#successor(outcome) !== this) this.#total -= 1;
    // The slot is free, but the job is still on disk for a moment and must not start again.
    this.#track(this.#settle(due, outcome).finally(() => this.#settled(id)));
    // A stopped processor would return every other job immediately, one after another.
    if (outcome.kind !== 'stopped') this.#pump();
  }

  #settled(id: string): void {
    this.#busy.delete(id);
    if (!this.#held) return;
    this.#held = false;
    setImmediate(() => this.#pump());
  }

  /** An unforeseen error must not lose a job: it is tried again and reported. */
  async #worked(work: () => Promise<JobOutcome>): Promise<JobOutcome> {
    try {
      return await work();
    } catch (error) {
      this.#options.onFault(unexpected(error));
      return { kind: 'again', pauseMs: LONGEST_PAUSE_MS, effects: NO_EFFECTS };
    }
  }

  async #settle(due: DueJob, outcome: JobOutcome): Promise<void> {
    const { list, now = steadyNow, guard } = this.#options;
    const successor = this.#successor(outcome);
    const isMoved = successor !== this;
    let dueAt: number | null = due.dueAt;
    const written = await this.#write(() => {
      const changes = this.#options.facts.changes(outcome.effects);
      dueAt = outcome.kind === 'again' ? now() + outcome.pauseMs : due.dueAt;
      if (isMoved) return this.#jobs.handOver(list, due, { list: successor.#options.list, dueAt }, changes);
      if (outcome.kind !== 'done') return this.#jobs.postpone(list, due, dueAt, changes);
      dueAt = null;
      return this.#jobs.finish(list, due, changes);
    });
    // Not before it is on disk: what the flow does with the outcome may end the process as well.
    const goesOnAt = isMoved ? null : dueAt;
    guard?.end(due.job.id, written ? goesOnAt : due.dueAt);
    if (!written || outcome.kind !== 'again') return;
    if (isMoved) successor.#total += 1;
    setImmediate(() => successor.#pump());
  }

  #successor(outcome: JobOutcome): JobQueue {
    const isFollowUp = outcome.kind === 'again' && outcome.isFollowUp === true;
    return (isFollowUp && this.#options.followUps) || this;
  }

  /** @param write may throw. @returns false when the node was closed before the state took it */
  async #write(write: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await write();
        return true;
      } catch (cause) {
        this.#options.onFault(stateFault(cause));
        try {
          await sleep(this.#statePauseMs, this.#closing.signal);
        } catch {
          return false;
        }
      }
    }
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (cause) {
      this.#options.onFault(stateFault(cause));
      this.#wakeIn(this.#statePauseMs);
    }
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), Math.min(ms, LONGEST_TIMER_MS));
    this.#timer.unref();
  }

  #track(task: Promise<void>): void {
    const tracked = task
      .catch(() => undefined)
      .finally(() => {
        this.#tasks.delete(tracked);
      });
    this.#tasks.add(tracked);
  }
}

function stateFault(cause: unknown): CodedError {
  return new CodedError(
    'STORE_FAILED',
    'The list of jobs could not be read or written. Look at the free space and the permissions of "telnyx" in the ' +
      'user directory of Node-RED; jobs then resume by themselves.',
    { cause, retryable: true, trouble: 'state' }
  );
}
