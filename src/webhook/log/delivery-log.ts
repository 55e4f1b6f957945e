import { setImmediate as turn } from 'node:timers/promises';
import { rmSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { readFrom, readSome, systemFiles, trim, type LogFiles } from './log-files';
import { LogWriter } from './log-writer';
import {
  findRecord,
  HASH_BYTES,
  hashOf,
  KINDS,
  MARKER_BYTES,
  previousHash,
  readDelivery,
  readHandedOver,
  readRecord,
  RECORD_HEAD,
  type FoundRecord,
  type LoggedDelivery
} from './record';
import { SEGMENT_HEAD, type LogEnd, type Place } from './segment-header';
import type { SegmentSizes } from './segment-supply';
import { SegmentDirectory, type Segment } from './segments';

export type { LogEnd, Place } from './segment-header';

/** Even a Raspberry Pi writes the first one in a moment. */
const SIZES: SegmentSizes = { first: 1024 * 1024, most: 8 * 1024 * 1024 };

/** Deliveries in one batch of a reader. */
const BATCH = 256;

export interface DeliveryLogOptions {
  /** Created by the first write. */
  directory: string;
  /**
   * Called around each write, and awaited. Throws when the state belongs to another process, or its directory is gone.
   */
  guard?: () => Promise<void> | undefined;
  /** Receives what the owner of the machine should know, in whole sentences. */
  log: (text: string) => void;
  /** The end of what the caller knows; `onEntry` gets everything after it. Null: the caller knows nothing. */
  since: LogEnd | null;
  onEntry: (entry: LogEntry) => void;
  /** Called when somebody has removed the files of the log, before it is written again. */
  onVanished?: () => Promise<void>;
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

export interface Span {
  /** Milliseconds since 1970; included. */
  from: number;
  /** Milliseconds since 1970; excluded. */
  to: number;
}

export interface PruneOptions {
  /** Deliveries received before this moment may be removed; milliseconds since 1970. */
  before: number;
  /** Whether a delivery between two sequences (first included, second excluded) has to be kept. */
  isWanted: (first: number, end: number) => boolean;
}

/** The oldest segment that may be removed. */
export interface OldestSegment {
  number: number;
  /** Bytes on disk. */
  size: number;
  /** Its latest delivery, milliseconds since 1970; NaN when unknown. */
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
  readonly #marker: Buffer;
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
    this.#marker = found.marker ?? randomBytes(MARKER_BYTES);
    const { since } = options;
    this.wasReadWholly = since === null || !this.#isStillTrue(since);
    const end = this.#replay(since);
    this.writer = new LogWriter({
      directory: this.#directory,
      files: options.files ?? systemFiles,
      guard: options.guard ?? (() => undefined),
      now: options.now ?? Date.now,
      sizes: options.sizes ?? SIZES,
      marker: this.#marker,
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

  /** @returns null when it can no longer be read */
  at({ segment, at, length, sequence }: Place): LoggedDelivery | null {
    try {
      const bytes = readSome(this.#directory.file(segment), at, length);
      const record = readRecord(bytes, 0, this.#marker);
      return record?.sequence === sequence ? this.#deliveryOf(bytes, record) : null;
    } catch {
      return null;
    }
  }

  /**
   * The deliveries of a span, oldest first, in batches. Unreadable ones are skipped and reported.
   */
  async *read({ from, to }: Span): AsyncGenerator<readonly LoggedDelivery[]> {
    for (const segment of [...this.#segments]) {
      if (segment.latest < from || segment.earliest >= to) continue;
      const bytes = await this.#load(segment);
      if (bytes === null) continue;
      let batch: LoggedDelivery[] = [];
      for (const { record } of this.#records(segment, bytes, 0)) {
        if (!isDelivery(record) || record.time < from || record.time >= to) continue;
        const delivery = this.#deliveryOf(bytes, record);
        if (delivery !== null) batch.push(delivery);
        if (batch.length < BATCH) continue;
        yield batch;
        batch = [];
        await turn();
      }
      if (batch.length > 0) yield batch;
    }
  }

  /** Removes segments, oldest first, up to the first with a delivery that is wanted or not old enough. */
  prune({ before, isWanted }: PruneOptions): void {
    for (const segment of this.#sealed()) {
      if (!((Number.isNaN(segment.latest) ? this.#changedAt(segment) : segment.latest) < before)) return;
      if (isWanted(segment.first, segment.end)) return;
      this.#remove(segment);
    }
  }

  /** The oldest segment that `isWanted` does not want and that is not being written, or null. */
  oldest(isWanted: PruneOptions['isWanted']): OldestSegment | null {
    const segment = this.#sealed().find(({ first, end }) => !isWanted(first, end));
    return segment === undefined ? null : { ...segment };
  }

  /** Removes one segment with its deliveries. */
  remove(number: number): void {
    const segment = this.#sealed().find((each) => each.number === number);
    if (segment !== undefined) this.#remove(segment);
  }

  #sealed(): Segment[] {
    return this.#segments.filter(({ number }) => number !== this.writer.active);
  }

  #remove(segment: Segment): void {
    this.#directory.remove(segment.number);
    this.#segments.splice(this.#segments.indexOf(segment), 1);
  }

  #begun(segment: Segment): void {
    const before = this.#segments.at(-1);
    if (before !== undefined) before.end = Math.min(before.end, segment.first);
    this.#segments.push(segment);
  }

  #forgetVanished(): void {
    for (const segment of [...this.#segments])
      if (statSync(this.#directory.file(segment.number), { throwIfNoEntry: false }) === undefined)
        this.#segments.splice(this.#segments.indexOf(segment), 1);
  }

  #changedAt({ number }: Segment): number {
    return statSync(this.#directory.file(number), { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
  }

  async #load({ number, size }: Segment): Promise<Buffer | null> {
    try {
      const { durable } = this.writer;
      return await readFrom(this.#directory.file(number), 0, number === durable.segment ? durable.at : size);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      this.#directory.tellUnreadable(this.#directory.file(number), error);
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
    { number, end }: Segment,
    bytes: Buffer,
    offset: number
  ): Generator<{ record: FoundRecord; after: number }> {
    let at = offset === 0 ? Math.min(SEGMENT_HEAD, bytes.length) : 0;
    let sequence = 0;
    for (;;) {
      const record = findRecord(bytes, at, this.#marker);
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
      hash: Buffer.alloc(HASH_BYTES),
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
    const bytes = this.#directory.attempt(file, () => readSome(file, offset, segment.size));
    if (bytes === null) return before;
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
    if (last !== null) end.hash = hashOf(bytes.subarray(last.at, last.at + last.length));
    Object.assign(segment, { earliest: end.earliest, latest: end.latest });
    if (segment === this.#segments.at(-1)) this.#cut(segment, used);
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
      rmSync(file, { force: true });
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
    if (head.length < RECORD_HEAD || head.indexOf(this.#marker) !== 0) return true;
    return previousHash(head, 0).equals(since.hash);
  }
}

function isDelivery({ kind }: FoundRecord): boolean {
  return kind === KINDS.delivery || kind === KINDS.answered;
}

const ZEROS = Buffer.alloc(4096);

/** Without the trailing zeros, which were allocated and not used. */
function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end >= ZEROS.length && bytes.compare(ZEROS, 0, ZEROS.length, end - ZEROS.length, end) === 0)
    end -= ZEROS.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, end);
}

function smaller(known: number, value: number): number {
  return known <= value ? known : value;
}

function larger(known: number, value: number): number {
  return known >= value ? known : value;
}
