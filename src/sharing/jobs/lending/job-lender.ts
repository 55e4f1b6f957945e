import type { HeldJob } from '../../../archive/crashes/crash-guard';
import { LONGEST_PAUSE_MS } from '../../../clock/backoff';
import { KeyedMutex } from '../../../concurrency/keyed-runs';
import { CodedError } from '../../../errors/coded-error';
import type { Effects } from '../../../archive/effects';
import type { Job } from '../../../archive/queue/job';
import type { DueJob, JobList, JobPlace, JobRepository } from '../../../archive/queue/job-repository';
import type { StateChange } from '../../../state/state-database';
import { sizeInRedis } from '../wire/job-format';
import type { JobPool, JobToLend, PooledJob } from './job-pool';
import type { LendingBudget, LendingLedger, Loan } from './lending-ledger';

export interface JobLenderOptions {
  list: JobList;
  /** Names this instance. */
  origin: string;
}

export interface JobLenderDeps {
  repository: JobRepository;
  ledger: LendingLedger;
  budget: LendingBudget;
  pool: JobPool;
  /** As `StateDatabase.commit`. */
  commit: (changes: readonly StateChange[]) => Promise<void>;
  changes: (effects: Effects) => StateChange[];
  /** The clock of the jobs. */
  now: () => number;
  /** Lends the follow-ups of these jobs; null for the follow-ups themselves. */
  followUps: JobLender | null;
  /** Whether a job is being run outside the pool: it must not be lent meanwhile. */
  runsHere: (id: string) => boolean;
  /** Gives up a job that kept ending processes. Never rejects. */
  giveUp: (job: Job, held: HeldJob) => Promise<{ effects: Effects }>;
  /** A job has ended elsewhere or here; called once for each, after that is on disk. Must not throw. */
  onEnded: (id: string, isGivenUp: boolean) => void;
  onFault: (error: CodedError) => void;
}

/** Jobs that are lent, or looked up, in one go. */
export const STEP = 500;

/**
 * Lends the jobs of one list to a pool. They stay on the disk of this instance until the pool says that they have ended: what
 * the pool forgets is lent again. Oldest first, and only as many as the budget allows; the others wait here.
 */
export class JobLender {
  readonly #list: JobList;
  readonly #origin: string;
  readonly #deps: JobLenderDeps;
  readonly #turns = new KeyedMutex();
  /** On their way to disk: not to be missed there yet. */
  readonly #adding = new Set<string>();
  /** Lent, but perhaps not in the pool. */
  readonly #unsent = new Set<string>();
  /** Were lost in the pool: they may have run. */
  readonly #lost = new Set<string>();
  /** Whether there may be jobs that are not lent, and where the search for them goes on. */
  #mayHold = true;
  #after: JobPlace | null = null;
  #isClosed = false;

  constructor({ list, origin }: JobLenderOptions, deps: JobLenderDeps) {
    this.#list = list;
    this.#origin = origin;
    this.#deps = deps;
  }

  /** Starts with what an earlier process lent. `review` tells what became of it. */
  open(): void {
    this.#deps.ledger.open();
    this.searchAgain();
  }

  /** Ends the work of this object. What is lent stays lent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.settled();
    this.#deps.ledger.close();
  }

  /** How many jobs are lent, including those that have ended without this instance knowing. */
  get lent(): number {
    return this.#deps.ledger.size;
  }

  /** Whether there are jobs to be lent. */
  get hasMore(): boolean {
    return this.#unsent.size > 0 || (this.#mayHold && this.#deps.budget.hasRoom);
  }

  /**
   * Accepts a job. It is durable when this resolves, and lent as soon as `send` or `lend` succeed.
   *
   * @param isAway whether it should wait here
   * @throws CodedError as `JobRepository.add`
   */
  async add(job: Job, isAway: boolean): Promise<void> {
    const { repository, ledger, budget } = this.#deps;
    const place = { dueAt: job.acceptedAt, id: job.id };
    if (isAway || !budget.hasRoom) {
      await repository.add(this.#list, job);
      if (!this.#mayHold) this.searchAgain();
      return;
    }
    const change = ledger.putting(job.id, { dueAt: place.dueAt, bytes: sizeInRedis(job) });
    this.#unsent.add(job.id);
    this.#adding.add(job.id);
    try {
      await repository.add(this.#list, job, [change]);
    } catch (error) {
      ledger.removing(job.id);
      this.#unsent.delete(job.id);
      throw error;
    } finally {
      this.#adding.delete(job.id);
    }
  }

  /** Brings an accepted job to the pool. @throws CodedError `QUEUE_AWAY`; it is then tried again with `lend` */
  async send(job: Job): Promise<void> {
    if (this.#unsent.has(job.id)) await this.#pool([{ job, dueAt: job.acceptedAt }]);
  }

  /** Withdraws a job whose acceptance failed. It must not run, even where the pool has it. Durable when resolved. */
  async withdraw({ id, acceptedAt }: Job): Promise<void> {
    const { repository, ledger, commit } = this.#deps;
    const loan = ledger.get(id);
    const voided = loan === undefined ? [] : [ledger.putting(id, { ...loan, isVoid: true })];
    this.#unsent.delete(id);
    await commit([...voided, repository.removing(this.#list, { id, dueAt: acceptedAt })]);
  }

  /**
   * Lends some of what can be lent, and does not hold up anything else for long.
   *
   * @returns whether there may be more
   * @throws CodedError `QUEUE_AWAY`; what is lent by then stays lent
   */
  async lend(): Promise<boolean> {
    return await this.#turns.run('', async () => {
      if (this.#isClosed) return false;
      if (await this.#resend()) return true;
      if (!this.#mayHold || !this.#deps.budget.hasRoom) return false;
      await this.#lendSome();
      return true;
    });
  }

  /** Looks after jobs that are said to have ended, in any number and order. @throws CodedError as `lend` */
  async take(ids: readonly string[]): Promise<void> {
    await this.#turns.run('', () =>
      this.#review(ids.filter((id) => this.#deps.ledger.get(id) !== undefined))
    );
  }

  /**
   * Looks after all lent jobs: what ended, what the pool has lost, what it must not keep. What it has lost is lent again by
   * `lend`.
   *
   * @throws CodedError as `lend`
   */
  async review(): Promise<void> {
    await this.#reviewAll(this.#deps.ledger.ids);
  }

  /** Takes out of the pool what ran here while that was away. `review` includes it. @throws CodedError as `lend` */
  async removeVoid(): Promise<void> {
    const { ledger } = this.#deps;
    await this.#reviewAll(ledger.ids.filter((id) => ledger.get(id)?.isVoid === true));
  }

  /** A job is about to run outside the pool: from now on, the one in the pool counts for nothing. Durable when resolved. */
  async takeBack(id: string): Promise<void> {
    const { ledger, commit } = this.#deps;
    const loan = ledger.get(id);
    if (loan === undefined || loan.isVoid === true) return;
    this.#unsent.delete(id);
    await commit([ledger.putting(id, { ...loan, isVoid: true })]);
  }

  /**
   * Takes back what only waits in the pool: it is on this disk alone then, and can be lent anew. What runs stays lent.
   *
   * @throws CodedError as `lend`
   */
  async reclaim(ids: readonly string[]): Promise<void> {
    const { ledger, pool } = this.#deps;
    await this.#turns.run('', async () => {
      const known = ids.filter((id) => ledger.get(id) !== undefined && !this.#adding.has(id));
      const states = await pool.look(known);
      const idle = known.filter((_id, at) => states[at]?.kind === 'open' || states[at]?.kind === 'missing');
      const gone = await pool.remove(idle);
      for (const id of gone) this.#unsent.delete(id);
      await this.#forget(gone);
    });
  }

  /** Jobs may have returned to the list. */
  searchAgain(): void {
    this.#mayHold = true;
    this.#after = null;
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#turns.run('', () => Promise.resolve());
  }

  async #lendSome(): Promise<void> {
    const { repository, ledger, budget, runsHere, commit } = this.#deps;
    const places = repository.placesAfter(this.#list, this.#after, STEP);
    const last = places.at(-1);
    const due: DueJob[] = [];
    const changes: StateChange[] = [];
    for (const place of places) {
      const { dueAt, id } = place;
      if (!budget.hasRoom) break;
      this.#after = place;
      const job = runsHere(id) || ledger.get(id) !== undefined ? undefined : this.#at(place);
      if (job === undefined) continue;
      due.push({ job, dueAt });
      changes.push(ledger.putting(id, { dueAt, bytes: sizeInRedis(job) }));
      this.#unsent.add(id);
    }
    if (last === undefined) this.#mayHold = false;
    if (due.length === 0) return;
    try {
      await commit(changes);
    } catch (error) {
      for (const { job } of due) {
        ledger.removing(job.id);
        this.#unsent.delete(job.id);
      }
      this.searchAgain();
      throw error;
    }
    await this.#pool(due);
  }

  /** @returns whether there was something to be sent again */
  async #resend(): Promise<boolean> {
    const { ledger } = this.#deps;
    const ids = [...this.#unsent].filter((id) => !this.#adding.has(id)).slice(0, STEP);
    const due = ids.flatMap((id): DueJob[] => {
      const loan = ledger.get(id);
      const job = loan === undefined || loan.isVoid === true ? undefined : this.#at({ ...loan, id });
      if (loan !== undefined && job !== undefined) return [{ job, dueAt: loan.dueAt }];
      this.#unsent.delete(id);
      return [];
    });
    await this.#pool(due);
    return ids.length > 0;
  }

  async #pool(due: readonly DueJob[]): Promise<void> {
    if (due.length === 0) return;
    await this.#deps.pool.add(due.map((one) => this.#toLend(one)));
    for (const { job } of due) {
      this.#unsent.delete(job.id);
      this.#lost.delete(job.id);
    }
  }

  #toLend({ job, dueAt }: DueJob): JobToLend {
    const { repository, now } = this.#deps;
    const isResumed = !repository.isOfThisProcess(job) || this.#lost.has(job.id);
    const wait = dueAt - now();
    // A time that no pause explains was written while the clock was wrong.
    const delayMs = wait > 0 && wait <= LONGEST_PAUSE_MS ? wait : 0;
    return { lent: { job, origin: this.#origin, reports: 0, isResumed }, delayMs };
  }

  #at({ dueAt, id }: JobPlace): Job | undefined {
    return this.#deps.repository.at(this.#list, dueAt, id);
  }

  async #reviewAll(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length && !this.#isClosed; at += STEP)
      await this.#turns.run('', () => this.#review(ids.slice(at, at + STEP)));
  }

  async #review(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { ledger, pool, onEnded, onFault } = this.#deps;
    const before = new Map(ids.map((id) => [id, ledger.get(id)]));
    const states = await pool.look(ids);
    const changes: StateChange[] = [];
    const removed: string[] = [];
    const ended: { id: string; isGivenUp: boolean }[] = [];
    for (const [at, id] of ids.entries()) {
      const loan = ledger.get(id);
      const state = states[at];
      // It may have been taken back meanwhile.
      if (loan === undefined || state === undefined || before.get(id) !== loan) continue;
      if (this.#adding.has(id)) continue;
      const job = this.#at({ ...loan, id });
      const isRunning = job !== undefined && this.#deps.runsHere(id);
      if (state.kind === 'ended' && job !== undefined && !isRunning) {
        const settling = this.#settling({ id, loan }, state);
        if (settling === null) {
          onFault(unreadable());
          continue;
        }
        changes.push(...settling);
        ended.push({ id, isGivenUp: state.ending.isGivenUp });
        removed.push(id);
      } else if (loan.isVoid === true || job === undefined) removed.push(id);
      else if (state.kind === 'missing') this.#resendLost(id);
      else if (state.kind === 'failed' && state.isDamaged) {
        removed.push(id);
        this.#resendLost(id);
      } else if (state.kind === 'failed') {
        await this.#giveUp({ job, dueAt: loan.dueAt });
        removed.push(id);
      }
    }
    try {
      if (changes.length > 0) await this.#written(changes);
    } finally {
      const { followUps } = this.#deps;
      if (followUps !== null) for (const { id } of ended) followUps.#adding.delete(id);
    }
    for (const { id, isGivenUp } of ended) onEnded(id, isGivenUp);
    if (removed.length > 0) await this.#forget(await pool.remove(removed));
  }

  /** What the end of a job changes; null when its follow-up cannot be read. */
  #settling(
    { id, loan }: { id: string; loan: Loan },
    { ending, follow }: Extract<PooledJob, { kind: 'ended' }>
  ): StateChange[] | null {
    const { repository, ledger, followUps, now } = this.#deps;
    const changes: StateChange[] = [];
    if (ending.kind === 'follow-up' && followUps !== null) {
      if (follow === null) return null;
      changes.push(...followUps.#adopting({ job: follow.job, dueAt: now() + ending.pauseMs }));
    }
    this.#unsent.delete(id);
    return [...changes, ledger.removing(id), repository.removing(this.#list, { ...loan, id })];
  }

  /** Takes over a job from the other list. It is in the pool already, unless that has lost it. */
  #adopting(due: DueJob): StateChange[] {
    const { repository, ledger } = this.#deps;
    const { job, dueAt } = due;
    this.#unsent.add(job.id);
    this.#adding.add(job.id);
    return [repository.putting(this.#list, due), ledger.putting(job.id, { dueAt, bytes: sizeInRedis(job) })];
  }

  /** @throws as `commit`; the ledger in memory is then ahead, and what is still on disk is lent again */
  async #written(changes: readonly StateChange[]): Promise<void> {
    try {
      await this.#deps.commit(changes);
    } catch (error) {
      this.searchAgain();
      throw error;
    }
  }

  #resendLost(id: string): void {
    this.#unsent.add(id);
    this.#lost.add(id);
  }

  async #giveUp({ job, dueAt }: DueJob): Promise<void> {
    const { repository, ledger, giveUp, changes } = this.#deps;
    const held = { id: job.id, dueAt, deaths: MOST_STALLS, alone: MOST_STALLS, isGivenUp: true };
    const { effects } = await giveUp(job, held);
    const removing = repository.removing(this.#list, { id: job.id, dueAt });
    await this.#written([...changes(effects), removing, ledger.removing(job.id)]);
  }

  /** The pool has removed jobs: what is still on disk can be lent anew. */
  async #forget(ids: readonly string[]): Promise<void> {
    const { ledger } = this.#deps;
    const changes: StateChange[] = [];
    for (const id of ids) {
      const loan = ledger.get(id);
      if (loan === undefined || this.#unsent.has(id)) continue;
      changes.push(ledger.removing(id));
      if (this.#at({ ...loan, id }) !== undefined || loan.isVoid === true) this.searchAgain();
    }
    if (changes.length > 0) await this.#written(changes);
  }
}

/** How often a job may end a process, or lose it for other reasons, before it is given up. */
export const MOST_STALLS = 20;

function unreadable(): CodedError {
  return new CodedError(
    'BAD_SETTING',
    'A job that has come back from Redis cannot be read: set the same key as "Encryption" in the queue of all instances, and ' +
      'use the same version of this package. The job waits until then.'
  );
}
