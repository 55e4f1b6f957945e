import { randomBytes } from 'node:crypto';
import { steadyNow } from '../../clock/clocks';
import { CodedError } from '../../errors/coded-error';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import type { Job, JobItem, MessageSnapshot } from './job';

/** A job and when it is to be worked on. */
export interface DueJob {
  job: Job;
  /** Milliseconds since 1970. */
  dueAt: number;
}

type JobKey = [node: string, dueAt: number, id: string];

/** A job as it is on disk, where its items keep the name that they had in earlier versions. */
type PersistedJob = Omit<Job, 'items'> & { jobs: JobItem[] };

/** How long the jobs of a node that was deleted or disabled wait for it to come back. */
export const ORPHANS_KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Jobs removed in one go. */
const STEP = 200;

/**
 * The jobs of all download nodes, on disk from before they are accepted until they are carried out. Sorted by
 * when they are due, so that the next one is found at once however many wait.
 */
export class JobRepository {
  readonly #database: StateDatabase;
  readonly #now: () => number;
  readonly #today: () => number;
  readonly #jobs: StateCollection<PersistedJob>;
  /** When a node was seen to be gone, in milliseconds since 1970. */
  readonly #gone: StateCollection<number>;
  #sequence = 0;

  /**
   * @param now milliseconds since 1970; it must not jump when the clock is set, or jobs would wait for that long
   * @param today milliseconds since 1970 as the clock tells them now, for spans of days
   */
  constructor(database: StateDatabase, now: () => number = steadyNow, today: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
    this.#today = today;
    this.#jobs = database.collection('archive-jobs');
    this.#gone = database.collection('archive-nodes-gone');
  }

  /** A new job, not persisted yet. */
  job(message: MessageSnapshot, items: JobItem[]): Job {
    const acceptedAt = this.#now();
    this.#sequence += 1;
    const id = `${base36(acceptedAt, 9)}${base36(this.#sequence, 6)}${randomBytes(4).toString('hex')}`;
    return { id, acceptedAt, message, items, files: {} };
  }

  /**
   * Persists a job. Durable when resolved.
   *
   * @throws CodedError `STORE_FAILED`; `STATE_IN_USE` when another process has taken the state over
   */
  async add(node: string, job: Job): Promise<void> {
    try {
      await this.#jobs.put(keyOf(node, job.acceptedAt, job.id), persisted(job));
    } catch (cause) {
      if (cause instanceof CodedError) throw cause;
      throw new CodedError(
        'STORE_FAILED',
        'The job could not be written to disk, so it was not begun. Look at the free space and the permissions of ' +
          '"telnyx" in the user directory of Node-RED, and send the message again.',
        { cause, retryable: true }
      );
    }
  }

  /**
   * The job of a node that is due first, whether it is due already or not.
   *
   * @param busy ids of jobs that are left out
   */
  next(node: string, busy: Pick<ReadonlySet<string>, 'has'>): DueJob | undefined {
    for (const key of this.#jobs.keys(spanOf(node))) {
      const [, dueAt, id] = key as JobKey;
      if (busy.has(id)) continue;
      const job = this.#jobs.get(key);
      if (job !== undefined) return { job: restored(job), dueAt };
    }
    return undefined;
  }

  /** The job that is due at a time, in milliseconds since 1970; undefined when there is none. */
  at(node: string, dueAt: number, id: string): Job | undefined {
    const job = this.#jobs.get(keyOf(node, dueAt, id));
    return job && restored(job);
  }

  /** When jobs of a node are due, by id. Looks through all of its jobs, without reading them. */
  dueTimes(node: string, ids: ReadonlySet<string>): Map<string, number> {
    const times = new Map<string, number>();
    for (const key of this.#jobs.keys(spanOf(node))) {
      const [, dueAt, id] = key as JobKey;
      if (ids.has(id)) times.set(id, dueAt);
      if (times.size === ids.size) break;
    }
    return times;
  }

  /**
   * The jobs of a node that are due in a span of time, in milliseconds since 1970.
   *
   * @param limit where counting ends
   * @returns how many, and the first of them
   */
  dueBetween(
    node: string,
    { from, to, limit }: { from: number; to: number; limit: number }
  ): { count: number; first: DueJob | undefined } {
    let count = 0;
    let first: DueJob | undefined;
    for (const key of this.#jobs.keys({ start: [node, from], end: [node, to], limit })) {
      count += 1;
      if (first !== undefined) continue;
      const job = this.#jobs.get(key);
      if (job !== undefined) first = { job: restored(job), dueAt: (key as JobKey)[1] };
    }
    return { count, first };
  }

  /** Whether a new job is on disk; it may be before `add` resolves. */
  has(node: string, { id, acceptedAt }: Job): boolean {
    return this.at(node, acceptedAt, id) !== undefined;
  }

  /** How many jobs of a node there are. Takes a moment when there are very many. */
  count(node: string): number {
    return this.#jobs.count(spanOf(node));
  }

  /**
   * How many jobs of some nodes are to be worked on now, and how many there are at all, each counted no
   * further than to a limit. Takes microseconds, however many there are.
   */
  load(nodes: Iterable<string>, limit: number): { due: number; all: number } {
    const load = { due: 0, all: 0 };
    const now = this.#now();
    for (const node of nodes) {
      for (const key of this.#jobs.keys({ ...spanOf(node), limit: limit - load.all })) {
        load.all += 1;
        if ((key as JobKey)[1] <= now) load.due += 1;
      }
      if (load.all >= limit) break;
    }
    return load;
  }

  /** Persists what became of a job so far, and when to resume it. Durable when resolved. */
  postpone(node: string, due: DueJob, until: number, changes: StateChange[]): Promise<void> {
    return this.handOver(node, due, { node, dueAt: until }, changes);
  }

  /** As `postpone`, for another queue, which has a name like a node's id. */
  handOver(
    node: string,
    { job, dueAt }: DueJob,
    to: { node: string; dueAt: number },
    changes: StateChange[]
  ): Promise<void> {
    return this.#database.commit([
      ...changes,
      this.#jobs.removing(keyOf(node, dueAt, job.id)),
      this.#jobs.putting(keyOf(to.node, to.dueAt, job.id), persisted(job))
    ]);
  }

  /**
   * Removes a finished job. Durable when resolved, which nobody waits for: after a crash it is found stored.
   */
  finish(node: string, { job, dueAt }: DueJob, changes: StateChange[]): Promise<void> {
    return this.#database.commitSoon([...changes, this.#jobs.removing(keyOf(node, dueAt, job.id))]);
  }

  /** The node was deleted or disabled; its jobs wait for it. Durable when resolved. */
  nodeGone(node: string): Promise<void> {
    return this.#gone.put(node, this.#today());
  }

  /** The node is there (again). */
  async nodeHere(node: string): Promise<void> {
    if (this.#gone.get(node) !== undefined) await this.#gone.remove(node);
  }

  /**
   * Removes the jobs of nodes that have been gone for a week, in small steps.
   *
   * @param isHere whether a node runs in this process
   * @param lost told of each of these jobs; gives the changes to be made along with its removal
   */
  async sweep(
    isHere: (node: string) => boolean,
    lost: (node: string, job: Job) => StateChange[]
  ): Promise<void> {
    for (const node of this.#nodes()) {
      if (isHere(node)) continue;
      const since = this.#gone.get(node);
      if (since === undefined) await this.nodeGone(node);
      else if (this.#today() - since >= ORPHANS_KEPT_MS) await this.#strikeOff(node, lost);
    }
  }

  #nodes(): string[] {
    const nodes: string[] = [];
    let start: string[] = [];
    for (;;) {
      const [first] = this.#jobs.keys({ start, limit: 1 });
      if (first === undefined) return nodes;
      const [node] = first as JobKey;
      nodes.push(node);
      start = [`${node}\0`];
    }
  }

  async #strikeOff(node: string, lost: (node: string, job: Job) => StateChange[]): Promise<void> {
    for (;;) {
      const step = [...this.#jobs.range({ ...spanOf(node), limit: STEP })];
      // One commit for each: a job may have many items.
      await Promise.all(
        step.map(({ key, value }) =>
          this.#database.commit([...lost(node, restored(value)), this.#jobs.removing(key)])
        )
      );
      if (step.length < STEP) break;
    }
    await this.#gone.remove(node);
  }
}

function persisted({ items, ...job }: Job): PersistedJob {
  return { ...job, jobs: items };
}

function restored({ jobs, ...job }: PersistedJob): Job {
  return { ...job, items: jobs };
}

function keyOf(node: string, dueAt: number, id: string): JobKey {
  return [node, dueAt, id];
}

function spanOf(node: string): { start: [string]; end: [string, number] } {
  return { start: [node], end: [node, Number.MAX_VALUE] };
}

function base36(number: number, length: number): string {
  return number.toString(36).padStart(length, '0');
}
