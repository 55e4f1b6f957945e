import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  write,
  writeSync
} from 'node:fs';
import { monotonicNow } from '../../clock/clocks';
import { asFields } from '../../values/fields';
import { listOfName, type JobList } from '../queue/job-repository';

/** What is kept of a job across the death of its process. */
export interface JobMark {
  /** Of the job. */
  id: string;
  /** The list that it is in. */
  list: JobList;
  /** The due time under which the repository has it; milliseconds since 1970. */
  dueAt: number;
  /** How often the process died while it was under way. */
  deaths: number;
  /** How often it was the only suspect then. */
  alone: number;
  /**
   * `begun`: running, but only just started. `proven`: running for so long that a crash now must come from
   * another job. `resting`: not running.
   */
  state: 'begun' | 'proven' | 'resting';
}

/** Bytes of one mark: a line of JSON, padded with blanks. */
const SLOT = 256;
/** Slots that are read; a process has a few hundred jobs under way at most. */
const MOST_SLOTS = 16_384;
const RETRY_MS = 60_000;

const openFiles = new Set<UnderWayFile>();
let isExitWatched = false;

/**
 * The jobs that are under way, in a file of fixed slots. It is written but never synced: what the process
 * wrote survives its death in the page cache, and no job is to blame for a power cut. If it cannot be
 * written, jobs run anyway.
 */
export class UnderWayFile {
  readonly #file: string;
  readonly #retryMs: number;
  #fd: number | null = null;
  #table = Buffer.alloc(0);
  #count = 0;
  readonly #slots = new Map<string, number>();
  #free: number[] = [];
  /** Slots that are not on disk yet: the first, and the one after the last. */
  #dirty: { from: number; to: number } | null = null;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #triedAt = -Infinity;

  /** @param retryMs until a file that could not be written, or was removed, is rewritten */
  constructor(file: string, retryMs = RETRY_MS) {
    this.#file = file;
    this.#retryMs = retryMs;
  }

  /** What an earlier process left, without anything that is unreadable or not a mark. */
  read(): JobMark[] {
    let fd: number | undefined;
    try {
      fd = openSync(this.#file, 'r');
      const bytes = Buffer.alloc(SLOT * MOST_SLOTS);
      const size = readSync(fd, bytes, 0, bytes.length, 0);
      return Array.from({ length: Math.floor(size / SLOT) }, (_value, slot) =>
        decoded(bytes.subarray(slot * SLOT, (slot + 1) * SLOT))
      ).filter((mark) => mark !== null);
    } catch {
      return [];
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /**
   * Starts the file over, with these marks only.
   *
   * @returns false when it could not be written; then the old file is removed if possible
   */
  begin(marks: readonly JobMark[]): boolean {
    for (const mark of marks) this.#put(mark);
    if (this.#open()) return true;
    this.#abandon();
    return false;
  }

  /** Sets the mark of a job. Once this resolves, the mark outlives this process; never rejects. */
  set(mark: JobMark): Promise<void> {
    this.#put(mark);
    return this.#flushed();
  }

  /** Removes the mark of a job. As `set`. */
  remove(id: string): Promise<void> {
    const slot = this.#slots.get(id);
    if (slot === undefined) return Promise.resolve();
    this.#slots.delete(id);
    this.#free.push(slot);
    this.#fill(slot, '');
    return this.#flushed();
  }

  /** No job is running: the process shuts down cleanly. */
  clear(): void {
    if (this.#fd === null) return;
    const resting: JobMark[] = [];
    for (const slot of this.#slots.values()) {
      const mark = decoded(this.#table.subarray(slot * SLOT, (slot + 1) * SLOT));
      if (mark !== null && mark.deaths > 0) resting.push({ ...mark, state: 'resting' });
    }
    const bytes = Buffer.from(resting.map(encoded).join(''));
    try {
      writeAll(this.#fd, bytes);
      ftruncateSync(this.#fd, bytes.length);
    } catch {
      // If the process cannot write, what it leaves counts as its death.
    }
  }

  /** Resolves when all writes are done. */
  async close(): Promise<void> {
    await this.#flushed();
    openFiles.delete(this);
    this.#triedAt = Infinity;
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #put(mark: JobMark): void {
    const text = encoded(mark);
    if (text === '') return;
    let slot = this.#slots.get(mark.id) ?? this.#free.pop();
    if (slot === undefined) {
      slot = this.#count;
      this.#count += 1;
      if (this.#table.length < this.#count * SLOT)
        this.#table = Buffer.concat([this.#table, Buffer.alloc(Math.max(SLOT * 32, this.#table.length))]);
    }
    this.#slots.set(mark.id, slot);
    this.#fill(slot, text);
  }

  #fill(slot: number, text: string): void {
    this.#table.fill(0x20, slot * SLOT, (slot + 1) * SLOT - 1);
    this.#table[(slot + 1) * SLOT - 1] = 0x0a;
    this.#table.write(text.trimEnd(), slot * SLOT);
    const { from, to } = this.#dirty ?? { from: slot, to: slot };
    this.#dirty = { from: Math.min(from, slot), to: Math.max(to, slot + 1) };
  }

  /** Marks set during a write are written together with the next one. */
  #flushed(): Promise<void> {
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      this.#writing = this.#flush();
      return this.#writing;
    });
    return this.#next;
  }

  #flush(): Promise<void> {
    if (monotonicNow() >= this.#triedAt + this.#retryMs) this.#lookAfter();
    const fd = this.#fd;
    const dirty = this.#dirty;
    this.#dirty = null;
    if (fd === null || dirty === null) return Promise.resolve();
    const { from, to } = dirty;
    // A copy: the table changes while it is written.
    const bytes = Buffer.from(this.#table.subarray(from * SLOT, to * SLOT));
    return new Promise((resolve) => write(fd, bytes, 0, bytes.length, from * SLOT, () => resolve()));
  }

  /** Retries after a failed write, or after the file was removed. */
  #lookAfter(): void {
    this.#triedAt = monotonicNow();
    try {
      if (this.#fd !== null && fstatSync(this.#fd).nlink > 0) return;
      if (this.#fd !== null) closeSync(this.#fd);
    } catch {
      // A file that cannot be checked is opened again.
    }
    this.#fd = null;
    this.#open();
  }

  #open(): boolean {
    this.#triedAt = monotonicNow();
    try {
      this.#fd = openSync(this.#file, constants.O_RDWR | constants.O_CREAT, 0o600);
      const bytes = this.#table.subarray(0, this.#count * SLOT);
      // In this order, deaths are counted exactly once, whenever the process ends.
      writeAll(this.#fd, bytes);
      ftruncateSync(this.#fd, bytes.length);
      this.#dirty = null;
      if (!isExitWatched) process.once('exit', clearOnOrderlyEnd);
      isExitWatched = true;
      openFiles.add(this);
      return true;
    } catch {
      return false;
    }
  }

  /** A file left as it is would blame the same jobs at each start. */
  #abandon(): void {
    try {
      if (this.#fd !== null) ftruncateSync(this.#fd, 0);
    } catch {
      // Removed below instead.
    }
    try {
      if (this.#fd !== null) closeSync(this.#fd);
      this.#fd = null;
      rmSync(this.#file, { force: true });
    } catch {
      // Nothing can be written there at all.
    }
  }
}

/** Node-RED exits with 0 when it was asked to stop, and with another code after an uncaught error. */
function clearOnOrderlyEnd(code: number): void {
  if (code === 0) for (const file of openFiles) file.clear();
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;)
    written += writeSync(fd, bytes, written, bytes.length - written, written);
}

/** @returns a whole slot; empty when the mark does not fit into one */
function encoded(mark: JobMark): string {
  const { id, list, dueAt, deaths, alone, state } = mark;
  const text = JSON.stringify({ id, list, dueAt, deaths, alone, state });
  const length = Buffer.byteLength(text);
  return length < SLOT ? `${text}${' '.repeat(SLOT - 1 - length)}\n` : '';
}

function decoded(slot: Buffer): JobMark | null {
  let value: unknown;
  try {
    value = JSON.parse(slot.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { id, dueAt, deaths, alone, state, ...whose } = value as Record<string, unknown>;
  const list = listOf(whose);
  if (typeof id !== 'string' || list === null) return null;
  if (typeof dueAt !== 'number' || !isCount(deaths) || !isCount(alone)) return null;
  if (state !== 'begun' && state !== 'proven' && state !== 'resting') return null;
  return { id, list, dueAt, deaths, alone, state };
}

/** @param node as versions up to 0.1 wrote it */
function listOf({ list, node }: Readonly<Record<string, unknown>>): JobList | null {
  if (typeof list === 'string') return list;
  if (typeof node === 'string') return listOfName(node);
  const followUpsOf = asFields(list)?.['followUpsOf'];
  return typeof followUpsOf === 'string' ? { followUpsOf } : null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
