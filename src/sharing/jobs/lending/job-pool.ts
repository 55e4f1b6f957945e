import type { Ending, LentJob } from '../wire/job-format';

/** What an instance lends. */
export interface JobToLend {
  lent: LentJob;
  /** Milliseconds until it may run. */
  delayMs: number;
}

/** What the pool says of a job. */
export type PooledJob =
  /** It waits or runs. */
  | { kind: 'open' }
  | { kind: 'ended'; ending: Ending; follow: LentJob | null }
  /** It kept ending the processes that ran it, or could not be read. */
  | { kind: 'failed'; isDamaged: boolean }
  | { kind: 'missing' };

/**
 * The jobs of one list that instances share. A job stays in it until its origin removes it: one that has ended is the
 * message to the origin. Everything rejects with `QUEUE_AWAY` while the pool is away; whether it was done is unknown then.
 */
export interface JobPool {
  /** Those whose id is in the pool already are left as they are. */
  add(jobs: readonly JobToLend[]): Promise<void>;
  /** In the order of the ids. */
  look(ids: readonly string[]): Promise<PooledJob[]>;
  /** @returns the ids of those that are gone; one that runs stays */
  remove(ids: readonly string[]): Promise<string[]>;
}
