import { existsSync } from 'node:fs';
import { readFrom, readSome, systemFiles, trim, type LogFiles } from './log-files';
import type { LogGuard } from './log-group';
import { LogWriter } from './log-writer';
import {
  findRecord,
  HASH_BYTES,
  hashOf,
  KINDS,
  previousHash,
  readDelivery,
  readHandedOver,
  readHead,
  readRecord,
  RECORD_HEAD,
  type FoundRecord,
  type LoggedDelivery
} from './record';
import { SEGMENT_HEAD, type LogEnd, type Place } from './segment-header';
import type { SegmentSizes } from './segment-supply';
import { readLatest, type LatestSpan, type LatestStep } from './read-latest';
import { isDelivery, readSpan, type Span, type SpanParts } from './read-span';
import { SegmentDirectory, withoutZeros, type Segment } from './segments';

export type { Span } from './read-span';
export type { LogEnd, Place } from './segment-header';

/** Even a Raspberry Pi writes the first one in a moment. */
const SIZES: SegmentSizes = { first: 1024 * 1024, most: 8 * 1024 * 1024 };

export interface DeliveryLogOptions {
  /** Created by the first write. */
  directory: string;
  guard?: LogGuard;
  /** Receives what the owner of the machine should know, in whole sentences. */
  log: (text: string) => void;
  /** The end of what the caller knows; `onEntry` gets everything after it. Null: the caller knows nothing. */
  since: LogEnd | null;
  onEntry: (entry: LogEntry) => void;
  /** Called when somebody has removed the files of the log, before it is written again. */
  onVanished?: () => Promise<void>;
  /**
   * Called with the sequences of a segment (first included, second excluded) when younger segments were removed, and with
   * them the hand-overs of its deliveries.
   */
  onOutlived?: (first: number, end: number) => void;
  /** Milliseconds since 1970. */
  now?: () => number;
  files?: LogFiles;
  sizes?: SegmentSizes;
}

/** What a log reports when it is opened, in the order in which it happened. */
export type LogEntry = DeliveryEntry | { kind: 'handed-over'; sequences: readonly number[] };

export interface DeliveryEntry {
  kind: 'delivery';
  /** Milliseconds since 1970. */
  receivedAt: number;
  place: Place;
  /** Whether the flow has it, because the flow answered it. */
  isHandedOver: boolean;
  /** Returns the delivery, or null when it is not understood. To be called at once. */
  read: () => LoggedDelivery | null;
}

export interface PruneOptions {
  /** Milliseconds since 1970: later times are a wrong clock's. Default: none are. */
  now?: number;
  /** Deliveries received before this moment may be removed; milliseconds since 1970. Infinity: all. */
  before: number;
  /** Whether a delivery between two sequences (first included, second excluded) has to be kept. */
  isWanted: (first: number, end: number) => boolean;
}

/** The oldest segment that may be removed. */
export interface OldestSegment {
  number: number;
  /** Bytes on disk. */
  size: number;
  /** Its latest delivery, milliseconds since 1970; Infinity when unknown. */
  latest: number;
}

/**
 * The accepted deliveries of some days, in order of arrival: segments of a fixed size, each written from start to
 * end. A delivery is on disk when the promise of its append resolves; many deliveries share one sync.
 *
 * From a truncated or damaged log, all intact records are read. Each start begins a new segment, so that two processes
 * never write to one file.
 */
export class DeliveryLog {
  readonly #options: DeliveryLogOptions;
  readonly #directory: SegmentDirectory;
  readonly #segments: Segment[];
  /** Its end. */
  readonly writer: LogWriter;
  /** Whether opening reported the whole log, because the caller knew nothing of it or knew another one. */
  readonly wasReadWholly: boolean;

  /**
   * Opens the log and reports what it holds after `since`. Writes only what it sets aside, and trims the last segment.
   *
   * @throws an error of the file system when the directory cannot be read
   */
  constructor(options: DeliveryLogOptions) {
    this.#options = options;
    this.#directory = new SegmentDirectory(options);
    const found = this.#directory.find();
    this.#segments = found.segments;
    const { since } = options;
    this.wasReadWholly = since === null || !this.#isStillTrue(since);
    const end = this.#replay(since);
    // No new record may have the sequence of one that can be read again one day.
    end.sequence += Math.ceil(found.unread / RECORD_HEAD);
    this.writer = new LogWriter({
      directory: this.#directory,
      files: options.files ?? systemFiles,
      guard: options.guard ?? (() => undefined),
      now: options.now ?? Date.now,
      sizes: options.sizes ?? SIZES,
      marker: found.marker,
      end,
      next: found.next,
      onBegun: (segment) => this.#begun(segment),
      onVanished: async () => {
        this.#forgetVanished();
        await options.onVanished?.();
      }
    });
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#segments.reduce((sum, { size }) => sum + size, 0);
  }

  close(): Promise<void> {
    return this.writer.close();
  }

  /**
   * @param place may be made up: where no such delivery is, only the head of a record is read
   * @returns null when it is gone or damaged
   * @throws an error of the file system when it cannot be read now
   */
  at({ segment: number, at, length, sequence }: Place): LoggedDelivery | null {
    const segment = this.#segments.find((each) => each.number === number);
    if (segment === undefined) return null;
    const file = this.#directory.file(number);
    let bytes: Buffer;
    try {
      const head = readHead(readSome(file, at, RECORD_HEAD), 0, segment.marker);
      if (head?.length !== length || head.sequence !== sequence) return null;
      bytes = readSome(file, at, length);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
    const record = readRecord(bytes, 0, segment.marker);
    if (record?.sequence !== sequence || !isDelivery(record)) return null;
    return this.#deliveryOf(bytes, record);
  }

  /**
   * The deliveries of a span, oldest first, in batches. Unreadable ones are skipped and reported.
   *
   * @param onGap called when deliveries of the span may be missing: removed, damaged or unreadable
   */
  read(span: Span, onGap: () => void = () => undefined): AsyncGenerator<readonly LoggedDelivery[]> {
    return readSpan([...this.#segments], this.#parts, span, onGap);
  }

  /** The deliveries of a part of the log, latest first, in steps. */
  latest(span: LatestSpan): AsyncGenerator<LatestStep> {
    return readLatest([...this.#segments], this.#parts, span);
  }

  /** Removes segments whose deliveries are all old enough and not wanted, with turns for others in between. */
  async prune({ now = Infinity, before, isWanted }: PruneOptions): Promise<void> {
    const times = this.#directory.latestTimes(this.#segments, now);
    const isOld = (each: Segment): boolean => before === Infinity || (times.get(each) ?? Infinity) < before;
    const removed = this.#sealed().filter((each) => isOld(each) && !isWanted(each.first, each.end));
    // First, because the process may end meanwhile.
    this.#tellOutlived(removed);
    for (const segment of removed) {
      this.#remove(segment);
      await new Promise((resolve) => setImmediate(resolve));
      if (this.writer.isLost) return;
    }
    this.#directory.removeOrphans(before);
  }

  /** The oldest segment that `isWanted` does not want and that is not being written, or null. */
  oldest(isWanted: PruneOptions['isWanted'], now = Infinity): OldestSegment | null {
    const segment = this.#sealed().find(({ first, end }) => !isWanted(first, end));
    if (segment === undefined) return null;
    return { ...segment, latest: this.#directory.latestTimes(this.#segments, now).get(segment) ?? Infinity };
  }

  /** Removes one segment with its deliveries. */
  remove(number: number): void {
    const found = this.#sealed().filter((each) => each.number === number);
    this.#tellOutlived(found);
    for (const segment of found) this.#remove(segment);
  }

  get #parts(): SpanParts {
    return {
      load: (segment) => this.#load(segment),
      records: (segment, bytes) => this.#records(segment, bytes, 0),
      deliveryOf: (bytes, record) => this.#deliveryOf(bytes, record)
    };
  }

  #sealed(): Segment[] {
    return this.#segments.filter(({ number }) => number !== this.writer.active);
  }

  #remove(segment: Segment): void {
    this.#directory.remove(segment.number);
    const at = this.#segments.indexOf(segment);
    if (at >= 0) this.#segments.splice(at, 1);
  }

  /** @param removed segments that are about to be removed, oldest first */
  #tellOutlived(removed: readonly Segment[]): void {
    const last = removed.at(-1)?.number ?? 0;
    for (const segment of this.#segments) {
      const { number, first, end } = segment;
      if (number < last && end < Infinity && !removed.includes(segment))
        this.#options.onOutlived?.(first, end);
    }
  }

  #begun(segment: Segment): void {
    const before = this.#segments.at(-1);
    if (before !== undefined) {
      before.end = Math.min(before.end, segment.first);
      segment.before = { earliest: before.earliest, latest: before.latest };
    }
    this.#segments.push(segment);
  }

  #forgetVanished(): void {
    for (const segment of [...this.#segments])
      if (segment.number !== this.writer.active && !existsSync(this.#directory.file(segment.number)))
        this.#segments.splice(this.#segments.indexOf(segment), 1);
  }

  async #load({ number, size }: Segment): Promise<Buffer | null> {
    const file = this.#directory.file(number);
    const { durable, active } = this.writer;
    // What follows is being written.
    const unfinished = number === active ? 0 : size;
    const length = number === durable.segment ? durable.at : unfinished;
    try {
      return await readFrom(file, 0, length, (bytes) => this.#directory.tellBadSectors(file, bytes));
    } catch (error) {
      if (!isMissing(error)) this.#directory.tellUnreadable(file, error);
      return null;
    }
  }

  #deliveryOf(bytes: Buffer, { at, length, sequence, time }: FoundRecord): LoggedDelivery | null {
    return readDelivery(bytes.subarray(at, at + length), sequence, time);
  }

  /**
   * The valid records of a segment.
   *
   * @param bytes of the segment, from `offset` on
   */
  *#records(
    { number, end, marker }: Segment,
    bytes: Buffer,
    offset: number
  ): Generator<{ record: FoundRecord; after: number }> {
    let at = offset === 0 ? Math.min(SEGMENT_HEAD, bytes.length) : 0;
    let sequence = 0;
    for (;;) {
      const record = findRecord(bytes, at, marker);
      if (record === null) {
        const rest = withoutZeros(bytes.subarray(at));
        if (rest.length > 0) this.#directory.setAside({ number, at: offset + at, bytes: rest });
        return;
      }
      if (record.at > at)
        this.#directory.setAside({ number, at: offset + at, bytes: bytes.subarray(at, record.at) });
      at = record.at + record.length;
      // Written by a process that no longer owned the log, or never synced.
      if (record.sequence >= end || record.sequence <= sequence) continue;
      sequence = record.sequence;
      yield { record, after: offset + at };
    }
  }

  /** Reports what follows `since`, and finds the end. */
  #replay(since: LogEnd | null): LogEnd {
    const known = this.wasReadWholly ? null : since;
    const end: LogEnd = known ?? {
      segment: 0,
      at: 0,
      sequence: since?.sequence ?? 0,
      hash: since?.hash ?? Buffer.alloc(HASH_BYTES),
      earliest: NaN,
      latest: NaN
    };
    let last = { ...end };
    for (const segment of this.#segments) {
      if (segment.number < last.segment) continue;
      last = this.#replaySegment(segment, last);
    }
    return last;
  }

  #replaySegment(segment: Segment, before: LogEnd): LogEnd {
    const isKnown = segment.number === before.segment;
    const offset = isKnown ? before.at : 0;
    const end = isKnown ? { ...before } : { ...before, earliest: NaN, latest: NaN };
    const file = this.#directory.file(segment.number);
    let lost = 0;
    const bytes = this.#directory.attempt(file, () =>
      readSome(file, offset, segment.size, (unread) => (lost = unread))
    );
    if (bytes === null)
      return { ...before, sequence: before.sequence + Math.ceil(segment.size / RECORD_HEAD) };
    if (lost > 0) this.#directory.tellBadSectors(file, lost);
    let last: FoundRecord | null = null;
    let used = isKnown ? before.at : Math.min(SEGMENT_HEAD, bytes.length);
    for (const { record, after } of this.#records(segment, bytes, offset)) {
      used = after;
      if (Number.isNaN(segment.first)) segment.first = record.sequence;
      end.sequence = Math.max(end.sequence, record.sequence);
      end.segment = segment.number;
      end.at = after;
      last = record;
      if (isDelivery(record)) {
        end.earliest = smaller(end.earliest, record.time);
        end.latest = larger(end.latest, record.time);
      }
      this.#tell(segment.number, bytes, record, offset);
    }
    // The caller may know of later records, which are lost.
    if (last !== null && last.sequence === end.sequence)
      end.hash = hashOf(bytes.subarray(last.at, last.at + last.length));
    end.sequence += Math.ceil(lost / RECORD_HEAD);
    Object.assign(segment, { earliest: end.earliest, latest: end.latest });
    if (lost === 0 && segment === this.#segments.at(-1)) this.#cut(segment, used);
    return end;
  }

  #tell(segment: number, bytes: Buffer, record: FoundRecord, offset: number): void {
    const { onEntry } = this.#options;
    if (record.kind === KINDS.handedOver) {
      const { at, length } = record;
      onEntry({ kind: 'handed-over', sequences: readHandedOver(bytes.subarray(at, at + length)) });
    } else if (isDelivery(record)) {
      const { at, length, sequence, time } = record;
      const place = { segment, at: offset + at, length, sequence };
      const isHandedOver = record.kind === KINDS.answered;
      const read = (): LoggedDelivery | null => this.#deliveryOf(bytes, record);
      onEntry({ kind: 'delivery', receivedAt: time, place, isHandedOver, read });
    }
  }

  /** Cuts off what a crash left half written, and the unused space. */
  #cut(segment: Segment, used: number): void {
    if (used >= segment.size) return;
    const file = this.#directory.file(segment.number);
    if (used <= SEGMENT_HEAD && !Number.isNaN(segment.first)) {
      this.#segments.pop();
      this.#directory.removeUnused(segment.number);
      return;
    }
    trim(file, used);
    segment.size = used;
  }

  /** Whether the log still has its known end where the caller saw it. */
  #isStillTrue(since: LogEnd): boolean {
    const segment = this.#segments.find(({ number }) => number === since.segment);
    if (segment === undefined || !(segment.first <= since.sequence) || since.at > segment.size) return false;
    const head = readSome(this.#directory.file(segment.number), since.at, RECORD_HEAD);
    if (head.length < RECORD_HEAD || head.indexOf(segment.marker) !== 0) return true;
    return previousHash(head, 0).equals(since.hash);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function smaller(known: number, value: number): number {
  return known <= value ? known : value;
}

function larger(known: number, value: number): number {
  return known >= value ? known : value;
}
