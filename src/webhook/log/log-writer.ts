import { CodedError } from '../../errors/coded-error';
import {
  DeliveryDraft,
  handedOverSize,
  KINDS,
  MOST_HANDED_OVER,
  sealRecord,
  writeHandedOver,
  type NewDelivery
} from './record';
import { FEW_BYTES } from './log-files';
import { emptyGroup, type Entry, type Group, type LogWriterOptions } from './log-group';
import { notRecorded } from './not-recorded';
import { restoredSegment } from './restored-segment';
import { SEGMENT_HEAD, type LogEnd, type Place } from './segment-header';
import { beginSegment, listedSegment, SegmentSupply, type OpenSegment } from './segment-supply';

/**
 * A hand-over is written after one to two times this many milliseconds. That gives the flow time for what it begins,
 * such as writing to a file: a kill meanwhile repeats the delivery rather than losing it.
 */
const SOON_MS = 10;

/** Bytes and deliveries that are written together: more would block the event loop and delay all that wait. */
const MOST_BYTES = 1024 * 1024;
const MOST_DELIVERIES = 256;

const MOST_REMOVALS = 3;

/**
 * Writes to the end of the log. What is appended while a group is being written forms the next group, with one write
 * and one sync for all of it. A file whose write or sync failed is never written again, because its content is unknown;
 * the header of the next segment tells from which sequence on that segment replaces it.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #waiting: Entry[] = [];
  /** Hand-overs in four states: just reported, reported earlier, due to be written, written but not synced. */
  #fresh: number[] = [];
  #aging: number[] = [];
  #handedOver: number[] = [];
  #unsynced: number[] = [];
  #isDue = false;
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isWorking = false;
  #active: OpenSegment | null = null;
  /** One whose file has lost its name, and is the only copy of what it holds. */
  #nameless: OpenSegment | null = null;
  readonly #supply: SegmentSupply;
  /** The end of what is written, and of what is certainly on disk. */
  #tip: LogEnd;
  #durable: LogEnd;
  /** What is on disk and its callers do not know yet; `since`: the end of what they know. */
  #untold: { since: LogEnd; group: Group } | null = null;
  #buffer = Buffer.alloc(0);
  #isLost = false;
  /** Whether the next group begins a new segment. */
  #isEnding = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#supply = new SegmentSupply(options);
    this.#tip = this.#durable = options.end;
  }

  /** The end of what is certainly on disk, as far as its callers know. */
  get durable(): LogEnd {
    return this.#untold?.since ?? this.#durable;
  }

  /** Whether the log has to be opened again, because another process may have written. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Durable when resolved, with what `then` returns in that turn. @throws CodedError `NOT_RECORDED`, `STATE_IN_USE` */
  append<Result = Place>(delivery: NewDelivery, then = (place: Place) => place as Result): Promise<Result> {
    return this.#enqueue(new DeliveryDraft(delivery), (place) => then(place as Place));
  }

  /** Written with the next group, or soon on its own and without a sync. */
  handedOver(sequence: number): void {
    this.#fresh.push(sequence);
    this.#timer ??= setTimeout(() => this.#ripen(), SOON_MS);
  }

  /** Resolves when everything reported so far is on disk, or cannot be written. */
  async written(): Promise<void> {
    this.#handedOver.push(...this.#aging.splice(0), ...this.#fresh.splice(0));
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isWorking && this.#handedOver.length + this.#unsynced.length === 0) return this.inPlace();
    await this.#enqueue(null, Boolean).catch(() => undefined);
  }

  /** Resolves when a file that somebody has removed is restored, or cannot be. */
  async inPlace(): Promise<void> {
    const active = this.#nameless ?? this.#active;
    if (active === null || this.#options.files.place(active.file, active.handle) === 'own') return;
    await this.#enqueue(null, Boolean).catch(() => undefined);
  }

  /** The number of the segment that is being written; null when there is none. */
  get active(): number | null {
    return this.#active?.number ?? null;
  }

  /** As `written`; the next record begins a new segment. */
  async endSegment(): Promise<void> {
    await this.written();
    this.#isEnding = this.#isWorking;
    if (this.#isWorking || this.#active === null) return;
    const active = this.#active;
    this.#active = null;
    this.#supply.beginSmall();
    if (active.listed !== null) active.listed.size = active.at;
    if (this.#isOurs()) await this.#options.files.cut(active.handle, active.at);
    this.#options.files.close(active.handle);
  }

  /** As `written`, and closes the files and frees unused space. */
  async close(): Promise<void> {
    await this.written();
    clearTimeout(this.#timer);
    await this.endSegment();
    await this.#abandon(null);
    await this.#supply.close();
  }

  #ripen(): void {
    this.#handedOver.push(...this.#aging);
    [this.#aging, this.#fresh] = [this.#fresh, []];
    this.#timer = this.#aging.length > 0 ? setTimeout(() => this.#ripen(), SOON_MS) : undefined;
    if (this.#handedOver.length === 0) return;
    this.#isDue = true;
    this.#begin();
  }

  #enqueue<Result>(draft: DeliveryDraft | null, then: (place: Place | null) => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ draft, resolve: (place) => resolve(then(place)), reject });
      // Everything from one turn of the event loop is written together.
      if (!this.#isWorking) this.#turn ??= setImmediate(() => this.#begin());
    });
  }

  #begin(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    if (!this.#isWorking) void this.#work();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#isWorking = true;
    let vanished = 0;
    // If somebody removes the file of a group while it is being written, the group is written again.
    while (this.#waiting.length > 0 || (this.#isDue && this.#handedOver.length > 0)) {
      vanished = (await this.#step()) === 'vanished' ? vanished + 1 : 0;
      if (vanished < MOST_REMOVALS) continue;
      this.#isDue = false;
      this.#refuse(this.#waiting.splice(0), new Error('The delivery log keeps being removed.'));
    }
    // Synchronous with the check of what waits, so that whatever comes later starts a new run.
    this.#isWorking = false;
    this.#tell();
  }

  async #step(): Promise<'ended' | 'vanished'> {
    const { guard, files } = this.#options;
    let group: Group | null = null;
    let active: OpenSegment | null;
    let isBegun = false;
    this.#isDue = false;
    try {
      if (this.#isLost) throw new Error('The delivery log has to be opened again.');
      // The log first: it has what the database may not have yet, and a kill may come at any moment.
      if (this.#hasVanished()) await this.#restore();
      const settling = guard('before');
      if (settling !== undefined) await settling;
      isBegun = true;
      if (this.#waiting.some(({ draft }) => draft !== null) || this.#handedOver.length > 0) {
        active = await this.#segmentFor(this.#leastRoom());
        // Allocating takes long. A new owner's records must not be followed by a segment of this process.
        if (active.at === 0) void guard('before');
        group = this.#fill(active);
      } else {
        active = this.#active;
        group = emptyGroup(this.#waiting.splice(0), this.#tip);
      }
      if (active !== null) {
        const { handle, at } = active;
        const isSynced = group.entries.length > 0;
        // This syncs nothing else.
        const isThrough = isSynced && group.bytes.length > 0 && this.#unsynced.length === 0;
        // The event loop may wait for a few bytes. While the disk writes more, it answers those before.
        if (group.bytes.length <= FEW_BYTES) this.#tell();
        const writing = files[isThrough ? 'writeThrough' : 'write'](handle, group.bytes, at);
        this.#tell();
        await writing;
        if (isSynced && !isThrough) await files.sync(handle, group.bytes.length);
        void guard('after');
        // Data in a file without a name would be lost with the process.
        if (this.#hasVanished()) {
          this.#waiting.unshift(...group.entries);
          this.#goBack(group);
          this.#isDue = true;
          return 'vanished';
        }
      }
      this.#settle(active, group);
    } catch (error) {
      this.#tell();
      this.#isLost ||= error instanceof CodedError && error.code === 'STATE_IN_USE';
      // Only then its content is unknown.
      if (isBegun || this.#isLost) await this.#abandon(group);
      this.#refuse(group?.entries ?? this.#waiting.splice(0), error);
    }
    return 'ended';
  }

  /** Bytes for the first waiting delivery and the hand-overs. */
  #leastRoom(): number {
    const first = this.#waiting.find(({ draft }) => draft !== null)?.draft?.size ?? 0;
    const count = Math.min(this.#handedOver.length, MOST_HANDED_OVER);
    return first + (count > 0 ? handedOverSize(count) : 0);
  }

  /** Turns what waits into records, as far as there is space. */
  #fill(active: OpenSegment): Group {
    const handedOver = this.#handedOver.splice(0, MOST_HANDED_OVER);
    let size = active.at === 0 ? SEGMENT_HEAD : 0;
    if (handedOver.length > 0) size += handedOverSize(handedOver.length);
    const rest = active.size - active.at;
    let count = 0;
    for (const { draft } of this.#waiting) {
      const more = size + (draft?.size ?? 0);
      if (more > rest || count >= MOST_DELIVERIES || (count > 0 && more > MOST_BYTES)) break;
      size = more;
      count += 1;
    }
    const entries = this.#waiting.splice(0, count);
    const group: Group = { bytes: this.#room(size), entries, places: [], handedOver, end: this.#tip };
    this.#encode(active, group);
    return group;
  }

  #encode(active: OpenSegment, group: Group): void {
    const { marker, now } = this.#options;
    const { bytes, entries, handedOver, places } = group;
    let { sequence, hash } = this.#tip;
    let { earliest, latest } = active.span;
    let at = 0;
    if (active.at === 0) {
      beginSegment(active, bytes, this.#tip, { marker, begunAt: now() });
      at = SEGMENT_HEAD;
    }
    if (handedOver.length > 0) {
      const record = bytes.subarray(at, at + handedOverSize(handedOver.length));
      writeHandedOver(record, handedOver);
      sequence += 1;
      hash = sealRecord(record, marker, { kind: KINDS.handedOver, sequence, time: now() }, hash);
      at += record.length;
    }
    for (const { draft } of entries) {
      if (draft === null) continue;
      const record = bytes.subarray(at, at + draft.size);
      draft.writeContent(record);
      sequence += 1;
      hash = sealRecord(record, marker, { kind: draft.kind, sequence, time: draft.receivedAt }, hash);
      places.push({ segment: active.number, at: active.at + at, length: record.length, sequence });
      earliest = Number.isNaN(earliest) ? draft.receivedAt : Math.min(earliest, draft.receivedAt);
      latest = Number.isNaN(latest) ? draft.receivedAt : Math.max(latest, draft.receivedAt);
      at += record.length;
    }
    group.end = { segment: active.number, at: active.at + at, sequence, hash, earliest, latest };
  }

  #settle(active: OpenSegment | null, group: Group): void {
    const { end, entries, handedOver } = group;
    this.#tip = end;
    this.#tell();
    this.#untold = { since: this.#durable, group };
    if (entries.length > 0) {
      this.#durable = end;
      this.#unsynced = [];
    } else this.#unsynced.push(...handedOver);
    if (active !== null) {
      active.at = end.at;
      active.span = { earliest: end.earliest, latest: end.latest };
      if (active.listed === null) {
        active.listed = listedSegment(active, this.#options.marker);
        this.#options.onBegun(active.listed);
      } else Object.assign(active.listed, active.span);
      if (active.at * 2 > active.size) this.#supply.prepare();
    }
  }

  /** In the turn in which they are on disk, but once the next ones are on their way there. */
  #tell(): void {
    if (this.#untold === null) return;
    const { entries, places } = this.#untold.group;
    this.#untold = null;
    let next = 0;
    for (const { draft, resolve, reject } of entries)
      try {
        resolve(draft === null ? null : (places[next++] ?? null));
      } catch (fault) {
        reject(fault);
      }
  }

  /**
   * Whether somebody has removed the file that is being written.
   *
   * @throws when another file has its name
   */
  #hasVanished(): boolean {
    const { files, guard } = this.#options;
    const active = this.#active;
    const place = active === null ? 'own' : files.place(active.file, active.handle);
    if (place === 'other') {
      // Perhaps another owner has written it.
      void guard('restoring');
      this.#isLost = true;
      throw new Error('The delivery log was replaced by other files.');
    }
    if (place === 'none') [this.#nameless, this.#active] = [active, null];
    return this.#nameless !== null;
  }

  /** It may be removed as often as somebody likes: it is written on in the restored file, and restored from there. */
  async #restore(): Promise<void> {
    this.#goBack(null);
    this.#active = await restoredSegment(this.#nameless, this.#durable, this.#options);
    this.#nameless = null;
    await this.#options.onVanished();
  }

  /** Goes back to what is certainly on disk, and closes the file. The rest of it is ignored, and cut off if possible. */
  async #abandon(group: Group | null): Promise<void> {
    const active = this.#active;
    this.#active = null;
    if (active !== null) {
      const { number, handle } = active;
      if (this.#isOurs())
        await this.#options.files.cut(handle, this.#durable.segment === number ? this.#durable.at : 0);
      this.#options.files.close(handle);
    }
    if (this.#nameless !== null) this.#options.files.close(this.#nameless.handle);
    this.#nameless = null;
    this.#goBack(group);
  }

  /** What was not synced is written again. */
  #goBack(group: Group | null): void {
    this.#tip = this.#durable;
    this.#handedOver.unshift(...this.#unsynced.splice(0), ...(group?.handedOver.splice(0) ?? []));
  }

  #refuse(entries: readonly Entry[], error: unknown): void {
    const reason = notRecorded(this.#options.directory.path, error);
    for (const { reject } of entries) reject(reason);
  }

  /** The active segment if it has space for so many bytes, else a new one. */
  async #segmentFor(bytes: number): Promise<OpenSegment> {
    const { files } = this.#options;
    if (this.#active !== null) {
      const room = this.#active.size - this.#active.at - (this.#active.at === 0 ? SEGMENT_HEAD : 0);
      if (room >= bytes && !(this.#isEnding && this.#active.at > 0)) return this.#active;
      // What was not synced yet must not depend on a closed file.
      if (this.#unsynced.length > 0) await files.sync(this.#active.handle);
      this.#durable = this.#tip;
      this.#unsynced = [];
      files.close(this.#active.handle);
      this.#active = null;
    }
    this.#isEnding = false;
    this.#tell();
    return (this.#active = await this.#supply.take(bytes));
  }

  #isOurs(): boolean {
    try {
      void this.#options.guard('before');
      return !this.#isLost;
    } catch {
      return false;
    }
  }

  #room(size: number): Buffer {
    if (size > MOST_BYTES) return Buffer.allocUnsafeSlow(size);
    if (this.#buffer.length < size) this.#buffer = Buffer.allocUnsafeSlow(Math.min(MOST_BYTES, 2 * size));
    return this.#buffer.subarray(0, size);
  }
}
