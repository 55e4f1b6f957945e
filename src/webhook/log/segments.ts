import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { rootCause } from '../../errors/root-cause';
import { asideFile, isAside, readSome, segmentFile, segmentNumbers } from './log-files';
import { readRecord, MARKER_BYTES } from './record';
import {
  FORMAT_VERSION,
  readHeader,
  SEGMENT_HEAD,
  type SegmentHeader,
  type TimeSpan
} from './segment-header';

/** Error codes of a file that the disk can no longer read, and of a link that leads nowhere. */
const UNREADABLE: ReadonlySet<string> = new Set(['EIO', 'EISDIR', 'EUCLEAN', 'ELOOP']);

/** A segment that can be read. */
export interface Segment extends TimeSpan {
  readonly number: number;
  /** Bytes on disk. */
  size: number;
  /** Of its records. */
  readonly marker: Buffer;
  /** The sequence of its first record; NaN if its head is damaged. */
  first: number;
  /** Records with this sequence or a higher one are ignored: a later segment holds them. */
  end: number;
  /** Of the segment that was before it when it was begun, which may have been removed since. */
  before: TimeSpan;
}

export const UNKNOWN_SPAN: Readonly<TimeSpan> = { earliest: NaN, latest: NaN };

/** Where damaged bytes are, and how many. */
export interface Damage {
  file: string;
  bytes: number;
  /** The copy; null when it could not be made. */
  aside: string | null;
}

export interface SegmentDirectoryOptions {
  directory: string;
  /** Receives what the owner of the machine should know, in whole sentences. */
  log: (text: string) => void;
}

export interface FoundSegments {
  segments: Segment[];
  /** Of most segments; a new one if none could be read. */
  marker: Buffer;
  /** The first number after those in use. */
  next: number;
  /** Bytes that may hold records which cannot be read now, but perhaps later. */
  unread: number;
}

/** A file that may be a segment of this log. */
interface Candidate {
  number: number;
  /** Bytes. */
  size: number;
  head: Buffer;
  /** Null if it is damaged. */
  header: SegmentHeader | null;
}

/** The files of one log: finds them, and reports what is wrong with them. */
export class SegmentDirectory {
  readonly path: string;
  readonly #log: (text: string) => void;

  constructor({ directory, log }: SegmentDirectoryOptions) {
    this.path = directory;
    this.#log = log;
  }

  file(number: number): string {
    return segmentFile(this.path, number);
  }

  /**
   * Reads the heads of all segments. Those that were never used are removed.
   *
   * @throws an error of the file system
   */
  find(): FoundSegments {
    const numbers = segmentNumbers(this.path);
    const found: FoundSegments = {
      segments: [],
      marker: randomBytes(MARKER_BYTES),
      next: (numbers.at(-1) ?? 0) + 1,
      unread: 0
    };
    const candidates: Candidate[] = [];
    for (const number of numbers) {
      const candidate = this.attempt(this.file(number), () => this.#read(number, found));
      if (candidate !== null) candidates.push(candidate);
    }
    found.marker = mostCommonMarker(candidates) ?? found.marker;
    for (const candidate of candidates)
      if (this.#isOwn(candidate, candidates, found.marker)) this.#take(candidate, found);
    let end = Infinity;
    for (const segment of [...found.segments].reverse()) {
      segment.end = end;
      if (segment.first < end) end = segment.first;
    }
    return found;
  }

  #read(number: number, found: FoundSegments): Candidate | null {
    const file = this.file(number);
    const status = statSync(file, { throwIfNoEntry: false });
    if (status?.isFile() !== true) {
      this.#log(`${file} is in the place of a part of the delivery log but is no file. Remove it.`);
      return null;
    }
    const { size } = status;
    let lost = 0;
    const head = readSome(file, 0, SEGMENT_HEAD, (bytes) => (lost = bytes));
    const told = readHeader(head);
    switch (told.kind) {
      case 'header':
        return { number, size, head, header: told.header };
      case 'other-version':
        found.unread += size;
        this.#log(otherVersionText(file, told.version));
        return null;
      case 'empty':
        if (lost === 0 && isZero(file, size)) {
          remove(file);
          return null;
        }
        break;
      case 'damaged':
        break;
    }
    return { number, size, head, header: null };
  }

  /** A copy would replace the records of all segments before it, and one of another log, too. */
  #isOwn({ number, header }: Candidate, all: readonly Candidate[], marker: Buffer): boolean {
    if (header === null) return true;
    if (header.number !== number) {
      this.#log(renamedText(this.file(number), this.file(header.number)));
      return false;
    }
    // While a part of a log cannot be read, another marker is used, and higher sequences.
    const isInLine = all.every(({ number: other, header: its }) => {
      if (its === null || !marker.equals(its.marker)) return true;
      return Math.sign(header.firstSequence - its.firstSequence) === Math.sign(number - other);
    });
    if (isInLine || marker.equals(header.marker)) return true;
    this.#log(foreignText(this.file(number)));
    return false;
  }

  #take({ number, size, head, header }: Candidate, found: FoundSegments): void {
    const marker = header?.marker ?? markerIn(this.file(number), size) ?? found.marker;
    const segment: Segment = {
      number,
      size,
      marker,
      first: NaN,
      end: Infinity,
      ...UNKNOWN_SPAN,
      before: UNKNOWN_SPAN
    };
    if (header === null) this.setAside({ number, at: 0, bytes: head });
    else {
      segment.first = header.firstSequence;
      segment.before = header.before;
      const before = found.segments.at(-1);
      // Otherwise the one between them is gone, and its times are not those of the one before.
      if (before?.number === number - 1) Object.assign(before, header.before);
    }
    found.segments.push(segment);
  }

  /**
   * Reads a file. One that the disk cannot read at all costs only its own content, not the log.
   *
   * @returns null when the disk cannot read it
   * @throws every other error
   */
  attempt<Result>(file: string, read: () => Result): Result | null {
    try {
      return read();
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!UNREADABLE.has(code)) throw error;
      this.tellUnreadable(file, error);
      return null;
    }
  }

  tellUnreadable(file: string, error: unknown): void {
    this.#log(
      `${file}, a part of the delivery log, cannot be read (${rootCause(error)}): the deliveries in it are neither handed ` +
        'over nor listed. Check the disk.'
    );
  }

  tellBadSectors(file: string, bytes: number): void {
    this.#log(
      `The disk cannot read ${bytes} bytes of ${file}, a part of the delivery log: the deliveries there are neither ` +
        'handed over nor listed, all others are. Check the disk.'
    );
  }

  /** When the last delivery of each segment was received; see `plausibleTimes`. @param segments oldest first */
  latestTimes(segments: readonly Segment[], now: number): Map<Segment, number> {
    const times = plausibleTimes(
      segments.map(({ number, latest }) => (Number.isNaN(latest) ? this.#changedAt(number) : latest)),
      now
    );
    return new Map(segments.map((segment, index) => [segment, times[index] ?? Infinity]));
  }

  #changedAt(number: number): number {
    return statSync(this.file(number), { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
  }

  /** Copies damaged bytes to a file next to the segments and reports them, once for each place. */
  setAside({ number, at, bytes }: { number: number; at: number; bytes: Buffer }): void {
    const aside = asideFile(this.path, number, at);
    if (existsSync(aside)) return;
    let copied = true;
    try {
      writeFileSync(aside, bytes, { mode: 0o600, flag: 'wx' });
    } catch {
      copied = false;
    }
    this.#log(damagedText({ file: this.file(number), bytes: bytes.length, aside: copied ? aside : null }));
  }

  /** Removes a segment and what was set aside from it. */
  remove(number: number): void {
    const name = path.basename(this.file(number), '.log');
    rmSync(this.file(number), { force: true });
    for (const other of this.#names())
      if (other.startsWith(`${name}-`)) rmSync(path.join(this.path, other), { force: true });
  }

  /** Removes a segment without records. What was set aside from it stays for a while. */
  removeUnused(number: number): void {
    remove(this.file(number));
  }

  /** Removes what was set aside before a moment from segments that are gone. @param before milliseconds since 1970 */
  removeOrphans(before: number): void {
    for (const name of this.#names()) {
      if (!isAside(name) || existsSync(this.file(Number(name.slice(0, name.indexOf('-')))))) continue;
      const file = path.join(this.path, name);
      if ((statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < before)
        rmSync(file, { force: true });
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.path);
    } catch {
      // Somebody removed the directory.
      return [];
    }
  }
}

/** Somebody may have copied one of another log here. */
function mostCommonMarker(candidates: readonly Candidate[]): Buffer | null {
  const times = new Map<string, number>();
  let most: Buffer | null = null;
  for (const { header } of candidates) {
    if (header === null) continue;
    const name = header.marker.toString('hex');
    const count = (times.get(name) ?? 0) + 1;
    times.set(name, count);
    if (most === null || count >= (times.get(most.toString('hex')) ?? 0)) most = header.marker;
  }
  return most;
}

/** Reads the marker of a segment with a damaged head from its first record. */
function markerIn(file: string, size: number): Buffer | null {
  const bytes = readSome(file, SEGMENT_HEAD, size, () => undefined);
  const marker = Buffer.from(bytes.subarray(0, MARKER_BYTES));
  return marker.length === MARKER_BYTES && readRecord(bytes, 0, marker) !== null ? marker : null;
}

function isZero(file: string, size: number): boolean {
  let lost = 0;
  const bytes = readSome(file, 0, size, (unread) => (lost = unread));
  return lost === 0 && withoutZeros(bytes).length === 0;
}

const ZEROS = Buffer.alloc(4096);

/** Without the trailing zeros, which were allocated and not used. */
export function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end >= ZEROS.length && bytes.compare(ZEROS, 0, ZEROS.length, end - ZEROS.length, end) === 0)
    end -= ZEROS.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, end);
}

/**
 * When the last delivery of each segment was received, as far as that is certain. Times that a wrong clock gave make no
 * segment older than it is: none is older than those before it, and a time in the future is replaced by that of the next
 * segment.
 *
 * @param latest of each, oldest first. Milliseconds since 1970, as all times here
 * @returns Infinity where it is unknown
 */
function plausibleTimes(latest: readonly number[], now: number): number[] {
  const times = [...latest];
  let next = Infinity;
  for (let index = times.length - 1; index >= 0; index -= 1) {
    const time = times[index] ?? NaN;
    if (time <= now) next = time;
    else times[index] = next;
  }
  let known = -Infinity;
  return times.map((time) => (known = Math.max(known, time)));
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Read-only; it is tried again at the next start.
  }
}

function damagedText({ file, bytes, aside }: Damage): string {
  const where = aside === null ? 'could not be copied' : `are copied to ${aside}`;
  return (
    `The delivery log is damaged, perhaps by a power cut: ${bytes} bytes of ${file} cannot be read; they ${where}. ` +
    'All other deliveries in it are used as before.'
  );
}

function otherVersionText(file: string, version: number): string {
  return (
    `${file} was written by another version of this package (format ${version}, this one has ${FORMAT_VERSION}) and is ` +
    'left as it is: the deliveries in it are neither handed over nor listed. Install the version that wrote it to use ' +
    'them, or remove the file.'
  );
}

function renamedText(file: string, name: string): string {
  return (
    `${file} is a part of the delivery log that was copied or renamed; it was written as ${name}. It is left as it is, and ` +
    'the deliveries in it are neither handed over nor listed. Give it its name again, and restart Node-RED, or remove it.'
  );
}

function foreignText(file: string): string {
  return (
    `${file} belongs to another delivery log and is left as it is: the deliveries in it are neither handed over nor ` +
    'listed. Remove it, or put it where it was.'
  );
}
