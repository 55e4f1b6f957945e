import type { Job, JobItem, MessageSnapshot, RetryNote } from './job';

/** Jobs that wait for another attempt. */
export interface Retrying {
  /** Counted up to a thousand. */
  count: number;
  /** The one that is due first; else one that is being tried, which is due in 0 ms and not counted. */
  next: { retry: RetryNote; dueInMs: number } | null;
}

/** How much there is to do. */
export interface JobLoad {
  /** Jobs whose time has come, including those that run. */
  due: number;
  all: number;
}

/**
 * The jobs of one download node. Nothing here says which process works on them; whichever does calls the same functions of
 * its node. docs/adr/seams.md lists the promises, test/unit/archive/queue/jobs-contract.ts tests them.
 */
export interface Jobs {
  /** Starts with the jobs of an earlier process or an earlier version of the node. */
  start(): void;
  /**
   * Accepts a job: it is durable when this resolves, and will run whatever happens. May be called before `start`.
   *
   * @param known called with the job's id before it can start
   * @throws CodedError `STORE_FAILED`, `STATE_IN_USE`
   */
  add(message: MessageSnapshot, items: JobItem[], known: (id: string) => void): Promise<void>;
  /** What waits for another attempt: downloads, or if none do, follow-ups. An empty count when nothing does. */
  retrying(): Retrying;
  /** The jobs that wait for their time, the first one at the beginning. None when they cannot be read. */
  pausing(most: number): { job: Job; dueInMs: number }[];
  /** How many jobs whose files the flow does not have there are, counted up to a limit. */
  load(limit: number): Promise<JobLoad>;
  /** Stops taking jobs. Stop what works on them first. Resolves when all writes are done. */
  close(): Promise<void>;
}

/** The load of several nodes together, counted up to a limit. */
export async function loadOf(all: Iterable<Pick<Jobs, 'load'>>, limit: number): Promise<JobLoad> {
  const sum: JobLoad = { due: 0, all: 0 };
  for (const jobs of all) {
    const load = await jobs.load(limit - sum.all);
    sum.due += load.due;
    sum.all += load.all;
    if (sum.all >= limit) break;
  }
  return sum;
}
