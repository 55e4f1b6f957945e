import type { ConnectionOptions, Job as BullJob, Worker } from 'bullmq';
import { setTimeout as pause } from 'node:timers/promises';
import { LONGEST_PAUSE_MS, sleep } from '../../../clock/backoff';
import { monotonicNow } from '../../../clock/clocks';
import { CodedError } from '../../../errors/coded-error';
import { rootCause } from '../../../errors/root-cause';
import { areNone, type Effects, NO_EFFECTS } from '../../../archive/effects';
import { unexpected } from '../../../archive/download/archive-faults';
import type { Job, JobRun } from '../../../archive/queue/job';
import type { JobOutcome } from '../../../archive/queue/job-queue';
import type { RedisConnection } from '../../redis-connection';
import { MOST_STALLS } from '../lending/job-lender';
import type { Ending, JobFormat, LentJob } from '../wire/job-format';
import { type Bull, type BullPool, DAMAGED } from './bull-pool';

/** A job belongs to a process that is silent for this long to another one, which looks every five seconds. */
const LOCK_MS = 15_000;
const LOOK_MS = 5000;
/** How long a worker that found nothing waits, in seconds, when a new job wakes another one. */
const IDLE_S = 1;
/** A job that cannot be read here may be readable elsewhere. */
const UNREADABLE_PAUSE_MS = 60_000;
/** How long a run waits for Redis before it tells the flow: longer than a restart of Redis, not longer than its lock lives. */
const REPORT_MS = 20_000;
const STATE_PAUSE_MS = 15_000;
const STOPPED_PAUSE_MS = 1000;
/** By then, the job itself has ended. */
const FOLLOWED_MS = 100;
/** How long a worker may take to end when nothing holds it up, and its connections after it: a deploy waits for both. */
const END_MS = 1000;
const DISCONNECT_MS = 300;
/** How a run ends for BullMQ, beside its result. */
const KNOWN: ReadonlySet<string> = new Set(['DelayedError', 'WaitingError', 'UnrecoverableError']);
/** What to do about jobs that others have to do, or that nobody can. */
const UNREADABLE = {
  'other-key':
    'Jobs in Redis cannot be read: set the same "Encryption" in the queue of all instances. They wait until then.',
  'other-version':
    'Jobs in Redis are from another version of this package: install the same one in all instances. They wait until ' +
    'then, and other instances may do them.',
  'other-place':
    'Jobs in Redis are about files that are not in this folder or bucket: set the same "Store in" in all instances. They ' +
    'wait until then, and other instances may do them.'
} as const;
type Unreadable = keyof typeof UNREADABLE;
/** One warning for all jobs that cannot be read. */
const WARNED_MS = 60_000;

export interface BullWorkerOptions {
  /** As `queueName`. */
  name: string;
  concurrency: number;
}

export interface BullWorkerDeps {
  bull: Bull;
  connection: RedisConnection;
  format: JobFormat;
  pool: BullPool;
  /** Takes jobs whose flow has its files; null for the worker of those. */
  followUps: BullPool | null;
  /** As `JobQueueOptions.work`. */
  work: (job: Job, run: JobRun) => Promise<JobOutcome>;
  /** As `ArchiveFacts.commit`. */
  commit: (effects: Effects) => Promise<void>;
  /** A job has ended and left the worker, or waits again. Must not throw. */
  onChange: (ended: { id: string; origin: string } | null) => void;
  onFault: (error: CodedError) => void;
}

/** Works on the jobs of one queue, from all instances, until it is closed. */
export class BullWorker {
  readonly #deps: BullWorkerDeps;
  readonly #worker: Worker;
  readonly #closing = new AbortController();
  readonly #runs = new Map<string, Promise<unknown>>();
  /** Ends waiting for Redis. */
  readonly #asking = new Set<() => void>();
  /** Ends waiting for a connection that is closed. */
  readonly #answers = new Set<() => void>();
  #isEnded = false;
  #isPaused = false;
  #warnedAt = -Infinity;

  constructor({ name, concurrency }: BullWorkerOptions, deps: BullWorkerDeps) {
    this.#deps = deps;
    const { bull, connection } = deps;
    this.#worker = new bull.Worker(name, (job, token) => this.#tracked(job, token ?? ''), {
      connection: connection.options('worker') as ConnectionOptions,
      prefix: connection.address.prefix,
      skipVersionCheck: true,
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: LOOK_MS,
      drainDelay: IDLE_S,
      maxStalledCount: MOST_STALLS
    });
    // Redis that is away is told by the connection; a lost lock by the run that notices.
    this.#worker.on('error', () => undefined);
    this.#worker.on('completed', (job) => {
      const origin = String((job.data as Record<string, unknown>)['origin']);
      deps.onChange({ id: job.id ?? '', origin });
    });
  }

  /** How many jobs run here. */
  get running(): number {
    return this.#runs.size;
  }

  /** Begins no job from now on; what runs goes on to its end. */
  pause(): void {
    this.#isPaused = true;
    // It tells of errors by its event.
    this.#worker.pause(true).catch(() => undefined);
  }

  resume(): void {
    this.#isPaused = false;
    this.#worker.resume().catch(() => undefined);
  }

  /** Resolves when a job is not running here, also after `close`. */
  async settled(id: string): Promise<void> {
    await this.#runs.get(id)?.catch(() => undefined);
  }

  /** Jobs go back to the queue, for others. Stop what works on them first. Waits for nothing that is away. */
  async close(): Promise<void> {
    this.#closing.abort(new CodedError('GAVE_UP', 'The node was stopped.'));
    for (const stop of this.#asking) stop();
    const { connection } = this.#deps;
    if (!connection.isAway) {
      const limit = new AbortController();
      const stop = connection.on('away', () => limit.abort());
      const end = this.#worker.close();
      while (this.#runs.size > 0 && !limit.signal.aborted)
        await Promise.race([Promise.allSettled(this.#runs.values()), pause(END_MS, null, { ref: false })]);
      await Promise.race([end, pause(END_MS, null, limit).catch(() => undefined)]);
      limit.abort();
      stop();
    }
    // Ends what still waits for Redis.
    await Promise.race([this.#worker.close(true), pause(0)]).catch(() => undefined);
    // One that is about to connect again never says that it has ended.
    await Promise.race([this.#worker.disconnect(), pause(DISCONNECT_MS)]).catch(() => undefined);
    this.#isEnded = true;
    for (const end of this.#answers) end();
  }

  /**
   * What Redis answers to a command of a run. ioredis keeps a command whose answer was lost for its next connection, and never
   * settles it when it is closed before that: a run must not wait for it.
   */
  async #answer<Result>(command: Promise<Result>): Promise<Result> {
    const { connection } = this.#deps;
    let end: () => void = () => undefined;
    const closed = new Promise<never>((_resolve, reject) => {
      end = (): void => reject(connection.away());
    });
    if (this.#isEnded) end();
    this.#answers.add(end);
    try {
      return await Promise.race([command, closed]);
    } finally {
      this.#answers.delete(end);
    }
  }

  async #tracked(job: BullJob, token: string): Promise<unknown> {
    const run = this.#run(job, token);
    const id = job.id ?? '';
    this.#runs.set(id, run);
    try {
      return await run;
    } catch (error) {
      if (error instanceof Error && KNOWN.has(error.name)) throw error;
      // BullMQ would count the job as failed. Left alone, it goes to the next worker when its lock ends.
      throw new this.#deps.bull.WaitingError();
    } finally {
      this.#runs.delete(id);
    }
  }

  async #run(bullJob: BullJob, token: string): Promise<unknown> {
    const { bull, format, work } = this.#deps;
    const read = format.read(bullJob.data, bullJob.id ?? '');
    if (read.kind === 'damaged') throw new bull.UnrecoverableError(DAMAGED);
    if (read.kind !== 'job') {
      this.#warn(read.kind);
      return await this.#delayed(bullJob, token, UNREADABLE_PAUSE_MS);
    }
    const { lent } = read;
    const isResumed = lent.isResumed || bullJob.attemptsStarted - 1 > lent.reports;
    // It was being fetched when the worker was paused.
    if (this.#isPaused)
      return await this.#handedOver(bullJob, token, { ...lent, isResumed, reports: bullJob.attemptsStarted });
    const run = { isResumed, mayReport: () => this.#holds(bullJob, token) };
    const outcome = await this.#worked(() => work(lent.job, run));
    const isStopped = !(await this.#committed(outcome.effects)) || outcome.kind === 'stopped';
    if (isStopped) return await this.#handedOver(bullJob, token, lent);
    if (outcome.kind === 'done')
      return this.#ending(lent.job.id, { kind: 'done', pauseMs: 0 }, outcome.effects);
    // Notes of a run that has lost its job must not replace those of its successor.
    if (!(await this.#holds(bullJob, token))) throw new this.#deps.bull.WaitingError();
    const { pauseMs, isFollowUp } = outcome;
    const { followUps } = this.#deps;
    if (isFollowUp === true && followUps !== null) {
      const following = { ...lent, reports: 0, isResumed: false };
      await this.#answer(bullJob.updateData(format.write(following)));
      // What Redis does not take now is added by the origin.
      const delayMs = Math.max(pauseMs, FOLLOWED_MS);
      await followUps.add([{ lent: following, delayMs }]).catch(() => undefined);
      return this.#ending(lent.job.id, { kind: 'follow-up', pauseMs }, outcome.effects);
    }
    const reported = { ...lent, isResumed: false, reports: bullJob.attemptsStarted };
    await this.#answer(bullJob.updateData(format.write(reported)));
    return await this.#delayed(bullJob, token, pauseMs);
  }

  /** An unforeseen error must not lose a job: it is tried again and reported. */
  async #worked(work: () => Promise<JobOutcome>): Promise<JobOutcome> {
    try {
      return await work();
    } catch (error) {
      this.#deps.onFault(unexpected(error));
      return { kind: 'again', pauseMs: LONGEST_PAUSE_MS, effects: NO_EFFECTS };
    }
  }

  /** Whether the job is still with this process. Waits for Redis for a while. */
  async #holds(bullJob: BullJob, token: string): Promise<boolean> {
    // What is closed after it has asked reports nothing.
    if (this.#closing.signal.aborted) return false;
    const extended = bullJob.extendLock(token, LOCK_MS).catch(() => 0);
    let timer: NodeJS.Timeout | undefined;
    let stop: () => void = () => undefined;
    const limit = new Promise<0>((resolve) => {
      stop = (): void => resolve(0);
      timer = setTimeout(stop, REPORT_MS).unref();
    });
    this.#asking.add(stop);
    // A lock of somebody else is no error: the answer is 0.
    const answer = await Promise.race([extended, limit]);
    clearTimeout(timer);
    this.#asking.delete(stop);
    return answer === 1;
  }

  /** @returns false when the worker was closed before the effects were durable */
  async #committed(effects: Effects): Promise<boolean> {
    if (areNone(effects)) return true;
    for (;;) {
      try {
        await this.#deps.commit(effects);
        return true;
      } catch (cause) {
        this.#deps.onFault(
          new CodedError(
            'STORE_FAILED',
            `What was stored could not be noted: ${rootCause(cause)}. It is tried again.`,
            {
              cause,
              retryable: true,
              trouble: 'state'
            }
          )
        );
        try {
          await sleep(STATE_PAUSE_MS, this.#closing.signal);
        } catch {
          return false;
        }
      }
    }
  }

  #ending(id: string, ending: Omit<Ending, 'isGivenUp'>, { givenUp }: Effects): unknown {
    const isGivenUp = givenUp.length > 0;
    return this.#deps.format.writeEnding({ ...ending, isGivenUp }, { id, list: this.#worker.name });
  }

  async #delayed(bullJob: BullJob, token: string, ms: number): Promise<never> {
    await this.#answer(bullJob.moveToDelayed(Date.now() + ms, token));
    this.#deps.onChange(null);
    throw new this.#deps.bull.DelayedError();
  }

  async #handedOver(bullJob: BullJob, token: string, lent: LentJob): Promise<never> {
    const { bull, format } = this.#deps;
    if ((await this.#answer(bullJob.extendLock(token, LOCK_MS))) === 1) {
      await this.#answer(bullJob.updateData(format.write(lent)));
      // A run that stopped by itself would only stop again.
      if (!this.#closing.signal.aborted) return await this.#delayed(bullJob, token, STOPPED_PAUSE_MS);
      await this.#answer(bullJob.moveToWait(token));
    }
    throw new bull.WaitingError();
  }

  #warn(kind: Unreadable): void {
    if (monotonicNow() - this.#warnedAt < WARNED_MS) return;
    this.#warnedAt = monotonicNow();
    this.#deps.onFault(new CodedError('BAD_SETTING', UNREADABLE[kind]));
  }
}
