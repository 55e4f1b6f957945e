import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { rootCause } from '../../errors/root-cause';
import { asideFile, readSome, segmentFile, segmentNumbers } from './log-files';
import { readRecord, MARKER_BYTES } from './record';
import {
  FORMAT_VERSION,
  readHeader,
  SEGMENT_HEAD,
  type SegmentHeader,
  type TimeSpan
} from './segment-header';

/** Error codes of a file that the disk can no longer read. */
const UNREADABLE: ReadonlySet<string> = new Set(['EIO', 'EISDIR', 'EUCLEAN']);

/** A segment that can be read. */
export interface Segment extends TimeSpan {
  readonly number: number;
  /** Bytes on disk. */
  size: number;
  /** The sequence of its first record; NaN if its head is damaged. */
  first: number;
  /** Records with this sequence or a higher one are ignored: a later segment holds them. */
  end: number;
}

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
  /** Null if none could be read. */
  marker: Buffer | null;
  /** The last header that could be read. */
  last: SegmentHeader | null;
  /** The first number after those in use. */
  next: number;
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
    const found: FoundSegments = { segments: [], marker: null, last: null, next: (numbers.at(-1) ?? 0) + 1 };
    for (const number of numbers) {
      const segment = this.attempt(this.file(number), () => this.#read(number, found));
      if (segment === null) continue;
      const before = found.segments.at(-1);
      if (before !== undefined && found.last?.number === number) Object.assign(before, found.last.before);
      found.segments.push(segment);
    }
    let end = Infinity;
    for (const segment of [...found.segments].reverse()) {
      segment.end = end;
      if (segment.first < end) end = segment.first;
    }
    return found;
  }

  #read(number: number, found: FoundSegments): Segment | null {
    const file = this.file(number);
    const { size } = statSync(file);
    const head = readSome(file, 0, SEGMENT_HEAD + MARKER_BYTES);
    const told = readHeader(head.subarray(0, SEGMENT_HEAD));
    const segment = { number, size, first: NaN, end: Infinity, earliest: NaN, latest: NaN };
    switch (told.kind) {
      case 'header':
        found.marker = told.header.marker;
        found.last = told.header;
        return { ...segment, first: told.header.firstSequence };
      case 'other-version':
        this.#log(otherVersionText(file, told.version));
        return null;
      case 'empty':
        if (head.length < SEGMENT_HEAD || head.readUInt32LE(SEGMENT_HEAD) === 0) {
          remove(file);
          return null;
        }
        break;
      case 'damaged':
        break;
    }
    found.marker ??= markerOf(file, size);
    this.setAside({ number, at: 0, bytes: head.subarray(0, SEGMENT_HEAD) });
    return segment;
  }

  /**
   * Reads a file. A bad sector costs only the content of this file, not the log.
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
    for (const other of readdirSync(this.path))
      if (other.startsWith(`${name}-`)) rmSync(path.join(this.path, other), { force: true });
  }
}

/** Reads the marker of a segment with a damaged head from its first record. */
function markerOf(file: string, size: number): Buffer | null {
  const bytes = readSome(file, SEGMENT_HEAD, size);
  const marker = Buffer.from(bytes.subarray(0, MARKER_BYTES));
  return marker.length === MARKER_BYTES && readRecord(bytes, 0, marker) !== null ? marker : null;
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
