import { randomBytes } from 'node:crypto';
import { steadyNow } from '../../clock/clocks';
import { CodedError } from '../../errors/coded-error';
import type { Key, StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import type { Job, JobItem, MessageSnapshot } from './job';

/** A job and its due time. */
export interface DueJob {
  job: Job;
  /** Milliseconds since 1970. */
  dueAt: number;
}

/** Where a job is in its list. */
export interface JobPlace {
  /** Milliseconds since 1970. */
  dueAt: number;
  id: string;
}

/** The jobs of a download node, or their follow-ups once the flow has the files. */
export type JobList = string | { readonly followUpsOf: string };

export function isSameList(one: JobList, other: JobList): boolean {
  return typeof one === 'string' || typeof other === 'string'
    ? one === other
    : one.followUpsOf === other.followUpsOf;
}

const FOLLOW_UPS = 'follow-ups';

type JobKey =
  | [node: string, dueAt: number, id: string]
  | [node: string, list: typeof FOLLOW_UPS, dueAt: number, id: string];

/** A job as it is on disk, where its items keep the name that they had in earlier versions. */
type PersistedJob = Omit<Job, 'items'> & { jobs: JobItem[] };

/** How long the jobs of a node that was deleted or disabled wait for it to come back. */
export const ORPHANS_KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Jobs removed in one go. */
const STEP = 200;

/**
 * The jobs of all download nodes, on disk from before they are accepted until they are done. Sorted by due
 * time, so that the next one is found immediately, however many wait.
 */
export class JobRepository {
  readonly #database: StateDatabase;
  readonly #now: () => number;
  readonly #today: () => number;
  readonly #jobs: StateCollection<PersistedJob>;
  /** When a node was found to be gone, in milliseconds since 1970. */
  readonly #gone: StateCollection<number>;
  /** The end of the ids of jobs that this process accepts. */
  readonly #mark = randomBytes(4).toString('hex');
  #sequence = 0;

  /**
   * @param now milliseconds since 1970; it must not jump when the clock is set, or jobs would wait that long
   * @param today milliseconds since 1970 by the current clock, for spans of days
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
    const id = `${base36(acceptedAt, 9)}${base36(this.#sequence, 6)}${this.#mark}`;
    return { id, acceptedAt, message, items, files: {} };
  }

  /**
   * Whether this process accepted a job. Any other one may have been under way when its process ended; which process
   * began first does not matter.
   */
  isOfThisProcess({ id }: Pick<Job, 'id'>): boolean {
    return id.endsWith(this.#mark);
  }

  /**
   * Persists a job, in one commit with other changes. Durable when resolved.
   *
   * @throws CodedError `STORE_FAILED`; `STATE_IN_USE` when another process has taken the state over
   */
  async add(list: JobList, job: Job, changes: readonly StateChange[] = []): Promise<void> {
    try {
      await this.#database.commit([this.putting(list, { job, dueAt: job.acceptedAt }), ...changes]);
    } catch (cause) {
      if (cause instanceof CodedError) throw cause;
      throw new CodedError(
        'STORE_FAILED',
        'The job could not be written to disk, so it was not started. Look at the free space and the permissions of ' +
          '"telnyx" in the user directory of Node-RED, and send the message again.',
        { cause, retryable: true }
      );
    }
  }

  /**
   * The job of a list that is due first, whether it is due already or not.
   *
   * @param busy ids of jobs to leave out
   */
  next(list: JobList, busy: Pick<ReadonlySet<string>, 'has'>): DueJob | undefined {
    for (const key of this.#jobs.keys(spanOf(list))) {
      const { dueAt, id } = placeOf(key);
      if (busy.has(id)) continue;
      const job = this.#jobs.get(key);
      if (job !== undefined) return { job: restored(job), dueAt };
    }
    return undefined;
  }

  /** The job that is due at a time, in milliseconds since 1970; undefined if there is none. */
  at(list: JobList, dueAt: number, id: string): Job | undefined {
    const job =
      this.#jobs.get(keyOf(list, dueAt, id)) ??
      (typeof list === 'string' ? undefined : this.#jobs.get([earlierName(list.followUpsOf), dueAt, id]));
    return job && restored(job);
  }

  /** When jobs of a list are due, by id. Looks through all of its jobs, without reading them. */
  dueTimes(list: JobList, ids: ReadonlySet<string>): Map<string, number> {
    const times = new Map<string, number>();
    for (const key of this.#jobs.keys(spanOf(list))) {
      const { dueAt, id } = placeOf(key);
      if (ids.has(id)) times.set(id, dueAt);
      if (times.size === ids.size) break;
    }
    return times;
  }

  /**
   * The jobs of a list that are due in a span of time, in milliseconds since 1970.
   *
   * @param limit where counting ends
   * @returns how many, and the first of them
   */
  dueBetween(
    list: JobList,
    { from, to, limit }: { from: number; to: number; limit: number }
  ): { count: number; first: DueJob | undefined } {
    let count = 0;
    let first: DueJob | undefined;
    const prefix = prefixOf(list);
    for (const key of this.#jobs.keys({ start: [...prefix, from], end: [...prefix, to], limit })) {
      count += 1;
      if (first !== undefined) continue;
      const job = this.#jobs.get(key);
      if (job !== undefined) first = { job: restored(job), dueAt: placeOf(key).dueAt };
    }
    return { count, first };
  }

  /** The jobs of a list that are due after a time, in milliseconds since 1970, the first one at the beginning. */
  dueAfter(list: JobList, time: number, most: number): DueJob[] {
    const prefix = prefixOf(list);
    const span = { start: [...prefix, time], end: [...prefix, Number.MAX_VALUE], limit: most };
    return [...this.#jobs.range(span)].map(({ key, value }) => ({
      job: restored(value),
      dueAt: placeOf(key).dueAt
    }));
  }

  /** When some jobs of a list are due, after a place in it, in order. Reads no job. */
  placesAfter(list: JobList, after: JobPlace | null, most: number): JobPlace[] {
    const { start, end } = spanOf(list);
    const from = after === null ? start : keyOf(list, after.dueAt, after.id);
    const places = [...this.#jobs.keys({ start: from, end, limit: most + 1 })].map(placeOf);
    return places.filter(({ id }) => id !== after?.id).slice(0, most);
  }

  /** Whether a new job is on disk; it may be before `add` resolves. */
  has(list: JobList, { id, acceptedAt }: Job): boolean {
    return this.at(list, acceptedAt, id) !== undefined;
  }

  /** How many jobs of a list there are. Takes a moment when there are very many. */
  count(list: JobList): number {
    return this.#jobs.count(spanOf(list));
  }

  /**
   * The number of due jobs of some nodes, and of all their jobs, each counted up to a limit. Takes
   * microseconds, however many there are.
   */
  load(nodes: Iterable<string>, limit: number): { due: number; all: number } {
    const load = { due: 0, all: 0 };
    const now = this.#now();
    for (const node of nodes) {
      for (const key of this.#jobs.keys({ ...spanOf(node), limit: limit - load.all })) {
        load.all += 1;
        if (placeOf(key).dueAt <= now) load.due += 1;
      }
      if (load.all >= limit) break;
    }
    return load;
  }

  /** Persists what became of a job so far, and when to resume it. Durable when resolved. */
  postpone(list: JobList, due: DueJob, until: number, changes: StateChange[]): Promise<void> {
    return this.handOver(list, due, { list, dueAt: until }, changes);
  }

  /** Like `postpone`, but moves the job to another list. */
  handOver(
    list: JobList,
    { job, dueAt }: DueJob,
    to: { list: JobList; dueAt: number },
    changes: StateChange[]
  ): Promise<void> {
    return this.#database.commit([
      ...changes,
      this.#jobs.removing(keyOf(list, dueAt, job.id)),
      this.#jobs.putting(keyOf(to.list, to.dueAt, job.id), persisted(job))
    ]);
  }

  /**
   * Removes a finished job. Durable when resolved, but callers do not wait: after a crash its files are found
   * stored.
   */
  finish(list: JobList, { job, dueAt }: DueJob, changes: StateChange[]): Promise<void> {
    return this.#database.commitSoon([...changes, this.#jobs.removing(keyOf(list, dueAt, job.id))]);
  }

  /** What brings a job to a place, as a part of a commit. */
  putting(list: JobList, { job, dueAt }: DueJob): StateChange {
    return this.#jobs.putting(keyOf(list, dueAt, job.id), persisted(job));
  }

  /** What `finish` changes, as a part of a commit. */
  removing(list: JobList, { dueAt, id }: JobPlace): StateChange {
    return this.#jobs.removing(keyOf(list, dueAt, id));
  }

  /** The node was deleted or disabled; its jobs wait for it. Durable when resolved. */
  nodeGone(node: string): Promise<void> {
    return this.#gone.put(node, this.#today());
  }

  /** For how many milliseconds a node is known to be gone; undefined when that is not known. */
  goneFor(node: string): number | undefined {
    const since = this.#gone.get(node);
    return since === undefined ? undefined : this.#today() - since;
  }

  /** The node is present (again). Resolves once its jobs of an earlier version are migrated. */
  async nodeHere(node: string): Promise<void> {
    const earlier = earlierName(node);
    for (const name of [node, earlier]) if (this.#gone.get(name) !== undefined) await this.#gone.remove(name);
    for (;;) {
      const step = [...this.#jobs.range({ ...spanOf(earlier), limit: STEP })];
      if (step.length === 0) return;
      await Promise.all(
        step.map(({ key, value }) => {
          const { dueAt, id } = placeOf(key);
          const moved = this.#jobs.putting(keyOf({ followUpsOf: node }, dueAt, id), value);
          return this.#database.commit([moved, this.#jobs.removing(key)]);
        })
      );
    }
  }

  /**
   * Removes the jobs of nodes that have been gone for a week, in small steps.
   *
   * @param isHere whether a node runs in this process
   * @param lost called for each of these jobs; returns the changes to apply along with its removal
   */
  async sweep(
    isHere: (node: string) => boolean,
    lost: (node: string, job: Job) => StateChange[]
  ): Promise<void> {
    for (const node of this.#nodes()) {
      if (isHere(nodeOfName(node))) continue;
      const goneFor = this.goneFor(node);
      if (goneFor === undefined) await this.nodeGone(node);
      else if (goneFor >= ORPHANS_KEPT_MS) await this.#strikeOff(node, lost);
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
      const step = [...this.#jobs.range({ start: [node], end: [node, AFTER_ALL_TEXT], limit: STEP })];
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

function keyOf(list: JobList, dueAt: number, id: string): JobKey {
  return typeof list === 'string' ? [list, dueAt, id] : [list.followUpsOf, FOLLOW_UPS, dueAt, id];
}

/** The fields of a job that its key contains. */
function placeOf(key: Key): JobPlace {
  const [dueAt, id] = (key as JobKey).slice(-2) as [number, string];
  return { dueAt, id };
}

/** How the keys of a list begin. */
function prefixOf(list: JobList): string[] {
  return typeof list === 'string' ? [list] : [list.followUpsOf, FOLLOW_UPS];
}

/** The jobs of a list: numbers sort before texts, so follow-ups come after all other jobs of their node. */
function spanOf(list: JobList): { start: Key; end: Key } {
  return { start: prefixOf(list), end: [...prefixOf(list), Number.MAX_VALUE] };
}

/** Sorts after every text that can be part of a key. */
const AFTER_ALL_TEXT = '\u{10ffff}';

/** The name under which versions up to 0.1 kept the follow-ups of a node. */
function earlierName(node: string): string {
  return `${node}${EARLIER_MARK}`;
}

function nodeOfName(name: string): string {
  return name.endsWith(EARLIER_MARK) ? name.slice(0, -EARLIER_MARK.length) : name;
}

/** The list that a name of such a version means. */
export function listOfName(name: string): JobList {
  return name.endsWith(EARLIER_MARK) ? { followUpsOf: nodeOfName(name) } : name;
}

const EARLIER_MARK = '\nfollow-ups';

function base36(number: number, length: number): string {
  return number.toString(36).padStart(length, '0');
}
