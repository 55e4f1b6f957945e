import { LONGEST_PAUSE_MS } from '../../clock/backoff';
import { monotonicNow, steadyNow } from '../../clock/clocks';
import { isSameList, type DueJob, type JobList, type JobRepository } from '../queue/job-repository';
import type { JobMark, UnderWayFile } from './under-way-file';

/** A job that was under way at this many deaths of its process runs alone. */
const DEATHS_BEFORE_ALONE = 2;
/** A job is given up after this many deaths that no other job can have caused. */
export const DEATHS_ALONE_BEFORE_END = 5;

/** A job that may have ended the process. */
export interface HeldJob {
  id: string;
  dueAt: number;
  deaths: number;
  alone: number;
  /** Whether to give it up. */
  isGivenUp: boolean;
}

/** A list of jobs, as the guard sees it. */
export interface Seat {
  list: JobList;
  /** Jobs may begin again. */
  wake: () => void;
  /** Starts a held job. @returns `gone` when it is not on disk, `later` when that is unknown now */
  run: (job: HeldJob) => 'begun' | 'gone' | 'later';
}

interface SeatReport {
  /** No job is running, and none is due except those held back. */
  isIdle: boolean;
  /** There is room for one more job. */
  hasPlace: boolean;
}

interface CrashGuardOptions {
  file: UnderWayFile;
  jobs: Pick<JobRepository, 'at' | 'dueTimes'>;
  /** Milliseconds since 1970 by the clock of the jobs. Default: `steadyNow`. */
  now?: () => number;
  /** Milliseconds of a monotonic clock. */
  monotonic?: () => number;
  times?: Partial<GuardTimes>;
}

/** All in milliseconds. */
export interface GuardTimes {
  /** From the arrival of a node to the first held job, so that the other nodes can arrive. */
  settle: number;
  /** The longest that a held job waits for other jobs. */
  patience: number;
  /** How long held jobs then run one after another. */
  round: number;
  /** Until a state that could not be read is read again. */
  retry: number;
  proof: (deaths: number) => number;
  pause: (alone: number) => number;
}

const TIMES: GuardTimes = {
  settle: 1000,
  patience: 20_000,
  round: 30_000,
  retry: 15_000,
  proof: proofMs,
  pause: crashPauseMs
};

interface Running {
  isProven: boolean;
  timer: NodeJS.Timeout;
}

/**
 * Prevents a job that crashes the process, for whatever reason, from crashing it again and again: it marks
 * running jobs, and a job that was running during two crashes runs alone, after all others of all nodes. Its
 * callers give it up after five crashes alone. A finished job has no history.
 */
export class CrashGuard {
  /** Jobs that were under way at a death, by id. */
  readonly #deaths = new Map<string, JobMark>();
  readonly #running = new Map<string, Running>();
  readonly #seats = new Map<Seat, SeatReport>();
  readonly #begunAt: number;
  readonly #file: UnderWayFile;
  readonly #now: () => number;
  readonly #monotonic: () => number;
  readonly #times: GuardTimes;
  /** The held job that runs and is not proven yet. */
  #alone: string | undefined;
  #isClosed = false;
  #isDraining = false;
  #settledAt = 0;
  #waitingSince: number | undefined;
  #roundEnds = 0;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;

  /** Counts the crashes of earlier processes. Never throws: without its file it just does not know them. */
  constructor(options: CrashGuardOptions) {
    this.#file = options.file;
    this.#now = options.now ?? steadyNow;
    this.#monotonic = options.monotonic ?? monotonicNow;
    this.#times = { ...TIMES, ...options.times };
    this.#begunAt = this.#monotonic();
    const found = stillThere(countDeaths(this.#file.read()), options.jobs);
    if (!this.#file.begin(found)) return;
    for (const mark of found) this.#deaths.set(mark.id, mark);
  }

  /** Whether only the guard may start jobs. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether only the guard may start a job. */
  holds(id: string): boolean {
    return (this.#deaths.get(id)?.deaths ?? 0) >= DEATHS_BEFORE_ALONE;
  }

  /** The jobs of a list that are held back. */
  heldOf(list: JobList): HeldJob[] {
    return [...this.#deaths.values()]
      .filter((mark) => isSameList(mark.list, list) && this.holds(mark.id) && !this.#running.has(mark.id))
      .map(heldJob);
  }

  /** The job of a list whose pause after crashes ends first; null if there is none. */
  pausing(list: JobList): { alone: number; waitMs: number } | null {
    const elapsed = this.#monotonic() - this.#begunAt;
    const waits = this.heldOf(list)
      .map(({ alone }) => ({ alone, waitMs: this.#times.pause(alone) - elapsed }))
      .filter(({ waitMs }) => waitMs > 0);
    return waits.sort((one, other) => one.waitMs - other.waitMs)[0] ?? null;
  }

  /** A download node starts. */
  join(seat: Seat): void {
    this.#seats.set(seat, { isIdle: false, hasPlace: false });
    this.#settledAt = this.#monotonic() + this.#times.settle;
  }

  /** Call it whenever the report may have changed. */
  report(seat: Seat, report: SeatReport): void {
    if (!this.#seats.has(seat)) return;
    this.#seats.set(seat, report);
    this.#lookSoon();
  }

  leave(seat: Seat): void {
    this.#seats.delete(seat);
    this.#lookSoon();
  }

  /** A job is about to run. Once this resolves, its mark outlives this process; never rejects. */
  begin(list: JobList, { job: { id }, dueAt }: DueJob): Promise<void> {
    const known = this.#deaths.get(id);
    const mark: JobMark = {
      id,
      list,
      dueAt,
      deaths: known?.deaths ?? 0,
      alone: known?.alone ?? 0,
      state: 'begun'
    };
    const timer = setTimeout(() => this.#proven(mark), this.#times.proof(mark.deaths));
    timer.unref();
    this.#running.set(id, { isProven: false, timer });
    if (this.holds(id)) this.#alone = id;
    return this.#file.set(mark);
  }

  /**
   * A job has stopped running, and its outcome is on disk.
   *
   * @param dueAt when it resumes; null when it is done
   */
  end(id: string, dueAt: number | null): void {
    clearTimeout(this.#running.get(id)?.timer);
    this.#running.delete(id);
    const known = this.#deaths.get(id);
    if (dueAt === null || known === undefined) {
      this.#deaths.delete(id);
      void this.#file.remove(id);
    } else {
      known.dueAt = dueAt;
      void this.#file.set(known);
    }
    this.#passed(id);
  }

  /** Resolves when the marks are written. */
  close(): Promise<void> {
    clearTimeout(this.#timer);
    clearImmediate(this.#look);
    for (const { timer } of this.#running.values()) clearTimeout(timer);
    return this.#file.close();
  }

  #proven(mark: JobMark): void {
    const running = this.#running.get(mark.id);
    if (running === undefined) return;
    running.isProven = true;
    void this.#file.set({ ...mark, state: 'proven' });
    this.#passed(mark.id);
  }

  /** The job no longer keeps others from beginning. */
  #passed(id: string): void {
    if (this.#alone === id) {
      this.#alone = undefined;
      this.#waitingSince = this.#monotonic();
    }
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#deaths.size === 0 && !this.#isClosed) return;
    this.#look ??= setImmediate(() => {
      this.#look = undefined;
      this.#decide();
    });
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#decide(), Math.max(0, ms));
    this.#timer.unref();
  }

  /** Decides whose turn it is: the held jobs, or all others. */
  #decide(): void {
    clearTimeout(this.#timer);
    if (this.#alone !== undefined) return;
    const next = this.#next();
    if (next === undefined) {
      this.#waitingSince = undefined;
      this.#isDraining = false;
      return this.#open();
    }
    const now = this.#monotonic();
    this.#waitingSince ??= now;
    if (now < this.#settledAt) return this.#wakeIn(this.#settledAt - now);
    if (!this.#areOthersIdle() && now >= this.#roundEnds) {
      const patienceEnds = this.#waitingSince + this.#times.patience;
      if (now < patienceEnds && !this.#isDraining) {
        this.#wakeIn(patienceEnds - now);
        return this.#open();
      }
      this.#isClosed = true;
      this.#isDraining = true;
      if ([...this.#running.values()].some(({ isProven }) => !isProven)) return;
      this.#roundEnds = now + this.#times.round;
    }
    this.#isDraining = false;
    this.#isClosed = true;
    const [seat, mark] = next;
    const outcome = seat.run(heldJob(mark));
    if (outcome === 'begun') return;
    if (outcome === 'later') return this.#wakeIn(this.#times.retry);
    this.#deaths.delete(mark.id);
    void this.#file.remove(mark.id);
    this.#lookSoon();
  }

  #open(): void {
    if (!this.#isClosed) return;
    this.#isClosed = false;
    for (const { wake } of [...this.#seats.keys()]) wake();
  }

  #areOthersIdle(): boolean {
    return this.#running.size === 0 && [...this.#seats.values()].every(({ isIdle }) => isIdle);
  }

  /** The next held job: the one with the fewest deaths, so that plain kills spread, then the oldest. */
  #next(): [Seat, JobMark] | undefined {
    const elapsed = this.#monotonic() - this.#begunAt;
    let best: [Seat, JobMark] | undefined;
    let soonest = Infinity;
    for (const [seat, { hasPlace }] of this.#seats) {
      if (!hasPlace) continue;
      for (const mark of this.#deaths.values()) {
        if (!isSameList(mark.list, seat.list) || !this.holds(mark.id) || this.#running.has(mark.id)) continue;
        const wait = Math.max(this.#dueIn(mark), this.#times.pause(mark.alone) - elapsed);
        if (wait > 0) soonest = Math.min(soonest, wait);
        else if (best === undefined || comesBefore(mark, best[1])) best = [seat, mark];
      }
    }
    if (best === undefined && soonest < Infinity) this.#wakeIn(soonest);
    return best;
  }

  #dueIn({ dueAt }: JobMark): number {
    const wait = dueAt - this.#now();
    // A time that no pause explains was written while the clock was wrong.
    return wait > LONGEST_PAUSE_MS ? 0 : wait;
  }
}

function heldJob({ id, dueAt, deaths, alone }: JobMark): HeldJob {
  return { id, dueAt, deaths, alone, isGivenUp: alone >= DEATHS_ALONE_BEFORE_END };
}

function comesBefore(one: JobMark, other: JobMark): boolean {
  return one.deaths === other.deaths ? one.id < other.id : one.deaths < other.deaths;
}

/** The marks whose jobs are on disk, each with its current due time. */
function stillThere(marks: JobMark[], jobs: Pick<JobRepository, 'at' | 'dueTimes'>): JobMark[] {
  const lost: { list: JobList; ids: Set<string> }[] = [];
  for (const { list, dueAt, id } of marks) {
    if (jobs.at(list, dueAt, id) !== undefined) continue;
    const known = lost.find((one) => isSameList(one.list, list));
    if (known === undefined) lost.push({ list, ids: new Set([id]) });
    else known.ids.add(id);
  }
  const found = new Map<string, number>();
  for (const { list, ids } of lost) for (const [id, dueAt] of jobs.dueTimes(list, ids)) found.set(id, dueAt);
  return marks.flatMap((mark) => {
    if (!lost.some(({ ids }) => ids.has(mark.id))) return [mark];
    const dueAt = found.get(mark.id);
    return dueAt === undefined ? [] : [{ ...mark, dueAt }];
  });
}

/** Milliseconds from the start that a job waits, by how often it died alone. */
const PAUSES = new Map([
  [3, 10_000],
  [4, 30_000]
]);

const LONGEST_PROOF_MS = 30_000;
/** Plain kills do not explain more deaths than this. */
const BEYOND_CHANCE = 10;
const LONGEST_DOUBT_MS = 3_600_000;

/**
 * Counts the deaths that a process finds at its start: each job that was under way when the previous process
 * died has one more. It died alone if all others had been running for long.
 */
export function countDeaths(found: readonly JobMark[]): JobMark[] {
  const suspects = found.filter(({ state }) => state === 'begun').length;
  return found.map((mark) => {
    if (mark.state === 'resting') return mark;
    const isAlone = mark.state === 'begun' && suspects === 1;
    return { ...mark, deaths: mark.deaths + 1, alone: mark.alone + (isAlone ? 1 : 0), state: 'resting' };
  });
}

/**
 * How long a job must run before it is no longer suspected; when it runs alone, the others wait this long.
 * Short at first: two power cuts must not make many long downloads wait for each other. An hour once chance is
 * ruled out, which catches late crashes.
 *
 * @returns milliseconds
 */
export function proofMs(deaths: number): number {
  if (deaths < DEATHS_BEFORE_ALONE) return LONGEST_PROOF_MS;
  if (deaths > BEYOND_CHANCE)
    return Math.min(LONGEST_PROOF_MS * 2 ** (deaths - BEYOND_CHANCE), LONGEST_DOUBT_MS);
  return Math.min(2000 * 2 ** (deaths - DEATHS_BEFORE_ALONE), LONGEST_PROOF_MS);
}

/** @returns milliseconds from the start of the process that a job waits after this many deaths alone */
export function crashPauseMs(alone: number): number {
  return PAUSES.get(alone) ?? 0;
}
