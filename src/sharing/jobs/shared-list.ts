import type { JobList } from '../../archive/queue/job-repository';
import type { Job } from '../../archive/queue/job';
import { CodedError } from '../../errors/coded-error';
import type { RedisConnection } from '../redis-connection';
import { BullPool, loadBull, queueName } from './bull/bull-pool';
import { BullWorker, type BullWorkerDeps } from './bull/bull-worker';
import { JobLender, type JobLenderDeps } from './lending/job-lender';
import { LendingLedger } from './lending/lending-ledger';
import type { JobFormat } from './wire/job-format';
import type { StateDatabase } from '../../state/state-database';

export interface SharedListOptions {
  list: JobList;
  /** Names this instance. */
  instance: string;
  concurrency: number;
}

export interface SharedListDeps
  extends
    Pick<BullWorkerDeps, 'work'>,
    Omit<JobLenderDeps, 'ledger' | 'pool' | 'commit' | 'followUps' | 'changes'> {
  database: StateDatabase;
  connection: RedisConnection;
  format: JobFormat;
  /** Takes the jobs whose flow has its files; null for the list of those. */
  followUps: SharedList | null;
  /** As `LocalFacts`. */
  facts: { changes: JobLenderDeps['changes'] };
  /** As `ArchiveFacts.commit`. */
  commit: BullWorkerDeps['commit'];
}

/** What waits in Redis, as it was a moment ago. */
export interface Waiting {
  due: number;
  delayed: number;
  /** The first ones. `dueAt` by the clock of this machine. */
  next: { job: Job; dueAt: number }[];
}

const MOST_NEXT = 50;

/** One list of jobs that is shared: what this instance lends of it, and what it works on. */
export class SharedList {
  readonly lender: JobLender;
  readonly #pool: BullPool;
  readonly #options: SharedListOptions;
  readonly #deps: SharedListDeps;
  readonly #name: string;
  #worker: BullWorker | undefined;
  #isPaused = false;
  /** Jobs that ended here and are this instance's own. */
  #ended: string[] = [];

  /** Told when something changed that `tend` should look at. */
  onChange: () => void = () => undefined;

  constructor(options: SharedListOptions, deps: SharedListDeps) {
    const { list, instance } = options;
    const { database, connection, format } = deps;
    this.#options = options;
    this.#deps = deps;
    this.#name = typeof list === 'string' ? queueName(list, false) : queueName(list.followUpsOf, true);
    this.#pool = new BullPool({ name: this.#name, bull: loadBull, connection, format });
    this.lender = new JobLender(
      { list, origin: instance },
      {
        ...deps,
        pool: this.#pool,
        ledger: new LendingLedger(database, list, deps.budget),
        commit: (changes) => database.commit(changes),
        changes: (effects) => deps.facts.changes(effects),
        followUps: deps.followUps?.lender ?? null
      }
    );
  }

  /** How many jobs run here. */
  get running(): number {
    return this.#worker?.running ?? 0;
  }

  /** Begins no job until `resume`; what runs goes on to its end. */
  pause(): void {
    this.#isPaused = true;
    this.#worker?.pause();
  }

  /** May need a `join` afterwards. */
  resume(): void {
    this.#isPaused = false;
    this.#worker?.resume();
  }

  /** Starts to work on what is in the pool, unless it is paused. */
  async join(): Promise<void> {
    if (this.#worker !== undefined) return;
    const { connection, format, work, commit, onFault, followUps } = this.#deps;
    const { concurrency, instance } = this.#options;
    const bull = await loadBull();
    if (this.#isPaused) return;
    this.#worker ??= new BullWorker(
      { name: this.#name, concurrency },
      {
        ...{ bull, connection, format, pool: this.#pool, work, commit, onFault },
        followUps: followUps === null ? null : followUps.#pool,
        onChange: (ended) => {
          if (ended?.origin === instance) this.#ended.push(ended.id);
          // Where that is lost, the origin finds out by itself.
          else if (ended !== null) this.#pool.tell(ended.origin, ended.id).catch(() => undefined);
          this.onChange();
        }
      }
    );
  }

  /** Gives back what is under way. */
  async leave(): Promise<BullWorker | undefined> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.close();
    return worker;
  }

  /** Looks after jobs that have ended, and lends some more. @returns whether there may be more to lend @throws CodedError */
  async tend(): Promise<boolean> {
    const { lender } = this;
    if (lender.lent > 0) {
      const own = this.#ended.splice(0);
      const told = await this.#pool.told(this.#options.instance).catch((error: unknown) => {
        this.#ended.push(...own);
        throw error;
      });
      if (own.length + told.length > 0) await lender.take([...own, ...told]);
    }
    return lender.hasMore && (await lender.lend());
  }

  /** @throws CodedError `QUEUE_AWAY` */
  async waiting(): Promise<Waiting> {
    const counts = await this.#pool.counts();
    const delayed = counts.delayed === 0 ? [] : await this.#pool.delayed(MOST_NEXT);
    return { ...counts, next: delayed.map(({ lent, dueAt }) => ({ job: lent.job, dueAt })) };
  }

  /** @throws CodedError `QUEUE_AWAY` */
  async counts(): Promise<{ due: number; delayed: number }> {
    return await this.#pool.counts();
  }

  async close(): Promise<void> {
    await this.leave();
    await this.lender.close();
    await this.#pool.close();
  }
}

/** Whether it was only Redis that failed: it comes back. */
export function isAwayError(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'QUEUE_AWAY';
}
