import type { Job } from '../../archive/queue/job';
import type { JobRepository } from '../../archive/queue/job-repository';
import type { Retrying } from '../../archive/queue/jobs';
import type { SharedList, Waiting } from './shared-list';

export interface WaitingJobsOptions {
  /** Id of the download node. */
  node: string;
  main: Pick<SharedList, 'running' | 'lender' | 'waiting'>;
  followUps: Pick<SharedList, 'waiting'>;
  repository: Pick<JobRepository, 'load'>;
  onWaiting: (count: number) => void;
  /** Milliseconds between two looks at what waits. */
  lookMs: number;
  /** The clock of the jobs. */
  now: () => number;
}

/** Jobs that are counted beyond those that are lent. */
const MOST_HELD = 10_000;
const NOTHING: Waiting = { due: 0, delayed: 0, next: [] };

/** The shared jobs of one node that wait, for what is asked of them at once: as they were some seconds ago. */
export class WaitingJobs {
  readonly #options: WaitingJobsOptions;
  #seen = { main: NOTHING, followUps: NOTHING, held: 0, at: -Infinity };
  #looking = false;

  constructor(options: WaitingJobsOptions) {
    this.#options = options;
  }

  /** The next look finds out again, however recent the last one is. */
  forget(): void {
    this.#seen = { ...this.#seen, at: -Infinity };
  }

  /** @throws CodedError `QUEUE_AWAY`; as the state does when it cannot be read */
  async look(): Promise<void> {
    const { main, followUps, onWaiting, lookMs, now } = this.#options;
    if (this.#looking || now() - this.#seen.at < lookMs) return;
    this.#looking = true;
    try {
      const [files, rest] = [await main.waiting(), await followUps.waiting()];
      this.#seen = { main: files, followUps: rest, held: this.#held(), at: now() };
      onWaiting(Math.max(0, files.due + files.delayed - main.running));
    } finally {
      this.#looking = false;
    }
  }

  /** As `Jobs.retrying`. */
  retrying(): Retrying {
    const { main, followUps } = this.#seen;
    const { delayed, next } = main.delayed > 0 ? main : followUps;
    const first = next.find(({ job }) => job.retry !== undefined);
    if (first?.job.retry === undefined) return { count: delayed, next: null };
    return { count: delayed, next: { retry: first.job.retry, dueInMs: first.dueAt - Date.now() } };
  }

  /** As `Jobs.pausing`. */
  pausing(most: number): { job: Job; dueInMs: number }[] {
    const all = [...this.#seen.main.next, ...this.#seen.followUps.next];
    return all
      .map(({ job, dueAt }) => ({ job, dueInMs: dueAt - Date.now() }))
      .sort((a, b) => a.dueInMs - b.dueInMs)
      .slice(0, most);
  }

  /** Jobs that run here; that wait on this disk and are not lent; and that are in Redis, at work or not, from every instance. */
  tally(): { running: number; held: number; pooled: number } {
    const { main, held } = this.#seen;
    return { running: this.#options.main.running, held, pooled: main.due + main.delayed };
  }

  #held(): number {
    const { node, main, repository } = this.#options;
    const { lent } = main.lender;
    const { all } = repository.load([node], lent + MOST_HELD);
    return Math.max(0, all - lent);
  }
}
