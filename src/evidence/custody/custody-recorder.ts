import { rootCause } from '../../errors/root-cause';
import type { ClockGuard, OtherClock } from './clock-guard';
import type { Custody } from './custody';
import type { CustodyEntry } from './custody-line';
import type { CustodyPlace } from './custody-log';

/** Takes what happened to recordings. All parts of the nodes share one. */
export interface CustodySink {
  /**
   * Notes something that is true whatever becomes of its line. The line follows within a second or so; while the log cannot
   * be written it waits in memory. Never throws.
   */
  record(entry: CustodyEntry): void;
  /**
   * As `record`, and resolves once the line is on disk, or waits because the log cannot be written. Never rejects.
   */
  recorded(entries: readonly CustodyEntry[]): Promise<void>;
  /**
   * Enters what may only be done once its line is on disk, as a deletion.
   *
   * @throws as `Custody.open` and `Custody.append`: it must not be done then
   */
  append(entry: CustodyEntry): Promise<CustodyPlace>;
}

export interface CustodyRecorderOptions {
  /** As `Custody.open`; called when the first line comes, again after a failure, and never twice at a time. */
  open: () => Promise<Custody>;
  /** Called when the first node has begun, and the log is open. Rejects when something could not be entered. */
  onBegun?: () => Promise<void>;
  /** Receives what the owner of the machine should know, in whole sentences. */
  log: (text: string) => void;
  /** Milliseconds that a line may wait for others, so that they share a sync. Default 1000. */
  lagMs?: number;
  /** Milliseconds after which a log that could not be written is tried again. Default 15,000. */
  retryMs?: number;
  /** Lines that may wait. Default 10,000. */
  most?: number;
  /** Milliseconds between two looks whether a day has ended. Default: an hour. */
  dailyMs?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

interface Waiting {
  entry: CustodyEntry;
  /** When it happened; milliseconds since 1970. */
  at: number;
}

/** Lines that are handed to the log at once: one group of it. */
const AT_ONCE = 500;

/** Waiting lines that are written without further delay. */
const MANY = 4 * AT_ONCE;

const HOUR_MS = 60 * 60 * 1000;

/** Milliseconds after which a line tells when it happened: its own time is a later one. */
const LATE_MS = 10_000;

/**
 * What stands between the nodes and the custody log: it collects lines that nothing waits for, and keeps a log that cannot be
 * written from stopping anything but deletions. What does not fit into memory meanwhile is counted, and the log tells how
 * much it was.
 */
export class CustodyRecorder implements CustodySink {
  readonly #options: CustodyRecorderOptions;
  readonly #now: () => number;
  #waiting: Waiting[] = [];
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #hourly: NodeJS.Timeout | undefined;
  /** What the last look at the days complained of. */
  #complaint = '';
  #writing: Promise<void> | null = null;
  #opening: Promise<Custody> | null = null;
  #clock: ClockGuard | undefined;
  #isFailing = false;
  #users = 0;
  #isRunning = false;
  /** Whether `onBegun` was called. */
  #isBegun = false;

  constructor(options: CustodyRecorderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Whether a node runs that stores or deletes. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  record(entry: CustodyEntry): void {
    if (this.#waiting.length >= (this.#options.most ?? 10_000)) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push({ entry, at: this.#now() });
    // A storm does not wait for the second to end.
    if (this.#waiting.length >= MANY && !this.#isFailing && this.#writing === null) void this.#write();
    else this.#writeSoon();
  }

  async recorded(entries: readonly CustodyEntry[]): Promise<void> {
    await Promise.all(entries.map((entry) => this.#recorded(entry)));
  }

  async append(entry: CustodyEntry): Promise<CustodyPlace> {
    return await (await this.opened()).append(entry);
  }

  /** As `ClockGuard.noteDate`, once the log is open: before that nothing is deleted. */
  noteDate(date: string, other: OtherClock): void {
    this.#clock?.noteDate(date, other);
  }

  /**
   * The log itself, for its clock.
   *
   * @throws as `Custody.open`
   */
  opened(): Promise<Custody> {
    this.#opening ??= this.#options.open().then(
      (custody) => {
        this.#clock = custody.clock;
        return custody;
      },
      (error: unknown) => {
        this.#opening = null;
        throw error;
      }
    );
    return this.#opening;
  }

  /**
   * A node begins that stores or deletes.
   *
   * @returns to be called once it has ended: resolves when its lines are on disk, or cannot be written
   */
  join(): () => Promise<void> {
    this.#users += 1;
    if (!this.#isRunning) this.#begin();
    let hasLeft = false;
    return async () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#users -= 1;
      if (this.#users === 0) this.#end();
      await this.settled();
    };
  }

  /** Resolves when what was noted so far is on disk, or has just failed. */
  async settled(): Promise<void> {
    await this.#writing;
    await this.#write();
  }

  #begin(): void {
    this.#isRunning = true;
    this.#hourly = setInterval(() => void this.#closeDays(), this.#options.dailyMs ?? HOUR_MS).unref();
    // The first line of a log that is opened says so itself.
    if (this.#opening !== null) void this.recorded([{ event: 'start', actor: 'node-red' }]);
    void this.#closeDays();
  }

  #end(): void {
    this.#isRunning = false;
    this.#isBegun = false;
    clearInterval(this.#hourly);
    this.record({ event: 'stop', actor: 'node-red' });
  }

  /** A machine that is switched off at night signs what it wrote the day before. Never rejects. */
  async #closeDays(): Promise<void> {
    let custody: Custody;
    try {
      custody = await this.opened();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#isRunning && !this.#isBegun) {
      this.#isBegun = true;
      await this.#options.onBegun?.().catch((error: unknown) => this.#fail(error));
    }
    const complaint = await custody.daily().then(
      () => '',
      (error: unknown) => rootCause(error)
    );
    if (complaint !== '' && complaint !== this.#complaint)
      this.#options.log(
        `The custody log of a day could not be signed, stamped or copied: ${complaint} It is tried again every hour.`
      );
    this.#complaint = complaint;
  }

  async #recorded(entry: CustodyEntry): Promise<void> {
    if (!this.#isFailing)
      try {
        await this.append(entry);
        return;
      } catch (error) {
        this.#fail(error);
      }
    this.record(entry);
  }

  #writeSoon(): void {
    const { lagMs = 1000, retryMs = 15_000 } = this.#options;
    this.#timer ??= setTimeout(() => void this.#write(), this.#isFailing ? retryMs : lagMs).unref();
  }

  /** Never rejects. */
  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
      if (this.#waiting.length > 0) this.#writeSoon();
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    if (this.#waiting.length === 0) return;
    try {
      const custody = await this.opened();
      while (this.#waiting.length > 0) await this.#writeGroup(custody);
      if (this.#lost > 0) await this.#tellLost(custody);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#isFailing) this.#options.log('The custody log is written again.');
    this.#isFailing = false;
  }

  async #writeGroup(custody: Custody): Promise<void> {
    const group = this.#waiting.slice(0, AT_ONCE);
    const written = await Promise.allSettled(
      group.map((waiting) => custody.append(entryOf(waiting, this.#now())))
    );
    const failed = group.filter((_, at) => written[at]?.status === 'rejected');
    this.#waiting.splice(0, group.length, ...failed);
    const fault = written.find((each) => each.status === 'rejected');
    if (fault !== undefined) throw fault.reason;
  }

  async #tellLost(custody: Custody): Promise<void> {
    const lines = this.#lost;
    await custody.append({ event: 'gap', actor: 'log', details: { reason: 'not-writable', lines } });
    this.#lost -= lines;
  }

  #fail(error: unknown): void {
    if (!this.#isFailing)
      this.#options.log(
        `The custody log cannot be written: ${rootCause(error)} Recordings are still stored, and their lines wait in memory; ` +
          'nothing is deleted meanwhile. Look at the free space and the permissions of the user directory of Node-RED. It is ' +
          'tried again by itself.'
      );
    this.#isFailing = true;
    if (this.#waiting.length > 0) this.#writeSoon();
  }
}

function entryOf({ entry, at }: Waiting, now: number): CustodyEntry {
  if (now - at < LATE_MS) return entry;
  return { ...entry, details: { ...entry.details, happened_at: new Date(at).toISOString() } };
}
