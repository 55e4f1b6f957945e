import type { DeliveryLog } from '../../../webhook/log/delivery-log';
import type { LoggedDelivery } from '../../../webhook/log/record';
import type { FoundDelivery, LatestStep } from '../../../webhook/log/read-latest';
import type { Cursor, DeliveryPlace } from './delivery-place';
import { type DeliveryQuery, deliveryMatcher, stateOf } from './delivery-query';
import type { DeliveryState } from './shown-delivery';

export interface DeliverySearchDeps {
  /** By the days that they keep. */
  logs: ReadonlyMap<number, Pick<DeliveryLog, 'latest' | 'writer'>>;
  isWaiting: (days: number, sequence: number) => boolean;
  /** The path of a node; null when it does not run. */
  pathOf: (node: string) => string | null;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
  /** Lets others have their turn. */
  breathe?: () => Promise<void>;
}

export interface DeliveryPageOptions {
  /** Where the page before ended; null: at the latest delivery. */
  before: Cursor | null;
  /** Only what came after this; null: everything. */
  after: Cursor | null;
  /** Deliveries of a page. */
  most: number;
}

export interface DeliveryRow extends DeliveryPlace {
  delivery: LoggedDelivery;
  state: DeliveryState;
}

export interface DeliveryPage {
  /** Latest first. */
  found: DeliveryRow[];
  /** Null at the end. A page may end early, with fewer deliveries than asked for, because its time is up. */
  next: Cursor | null;
  /** The ends of the logs when the page began: what comes later is after this. */
  end: Cursor;
  /** Deliveries that were looked at. */
  looked: number;
  /** Whether some could not be read. */
  isIncomplete: boolean;
}

/** Milliseconds that the event loop may be busy at a time. */
const SLICE_MS = 4;
/** Milliseconds for a page; the caller then asks for the next one, or no longer wants it. */
const PAGE_MS = 700;

/**
 * Searches the accepted deliveries of all logs, latest first, in slices of a few milliseconds: deliveries are received and
 * handed over meanwhile. One page after another: a page ends when it is full, or when its time is up.
 */
export class DeliverySearch {
  readonly #deps: DeliverySearchDeps;
  readonly #now: () => number;
  readonly #breathe: () => Promise<void>;

  constructor(deps: DeliverySearchDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? (() => performance.now());
    this.#breathe = deps.breathe ?? (() => new Promise((resolve) => setImmediate(resolve)));
  }

  /** @throws `signal.reason` when aborted */
  async page(
    query: DeliveryQuery,
    { before, after, most }: DeliveryPageOptions,
    signal: AbortSignal
  ): Promise<DeliveryPage> {
    const { logs, isWaiting, pathOf } = this.#deps;
    const matches = deliveryMatcher(query);
    const end = new Map([...logs].map(([days, { writer }]) => [days, writer.durable.sequence]));
    const heads = [...logs].map(([days, log]) => {
      // A log that began after the first page has only later deliveries.
      const from = before === null ? Infinity : (before.get(days) ?? 0);
      const span = { before: Math.min(from, (end.get(days) ?? 0) + 1), after: after?.get(days) ?? 0 };
      return new Head(days, log, { ...query, ...span });
    });
    const page: DeliveryPage = { found: [], next: null, end, looked: 0, isIncomplete: false };
    const begun = this.#now();
    let slice = begun;
    try {
      while (heads.some(({ isOver }) => !isOver) && page.found.length < most) {
        if (this.#now() - slice > SLICE_MS) {
          if (this.#now() - begun > PAGE_MS) break;
          await this.#breathe();
          signal.throwIfAborted();
          slice = this.#now();
        }
        const empty = heads.find(({ isOver, time }) => !isOver && time === null);
        if (empty !== undefined) {
          await empty.step();
          page.isIncomplete ||= empty.isIncomplete;
          continue;
        }
        const head = latest(heads);
        const taken = head?.take();
        if (head === undefined || taken === undefined) break;
        page.looked += 1;
        const { place, delivery } = taken;
        if (delivery === null) {
          page.isIncomplete = true;
          continue;
        }
        const state = stateOf(delivery, isWaiting(head.days, place.sequence));
        if (matches({ delivery, state, path: pathOf(delivery.scope) }))
          page.found.push({ days: head.days, place, delivery, state });
      }
    } finally {
      for (const head of heads) await head.close();
    }
    if (heads.some(({ isOver }) => !isOver))
      page.next = new Map(heads.map(({ days, before: at }) => [days, at]));
    return page;
  }
}

/** How far one log has been looked at. */
class Head {
  readonly days: number;
  /** Everything with this sequence or a higher one has been taken. */
  before: number;
  isIncomplete = false;
  readonly #steps: AsyncIterator<LatestStep>;
  #found: readonly FoundDelivery[] = [];
  #at = 0;
  /** `before` once all of `#found` is taken. */
  #through: number;
  #isEnded = false;

  constructor(days: number, log: Pick<DeliveryLog, 'latest'>, span: Parameters<DeliveryLog['latest']>[0]) {
    this.days = days;
    this.before = this.#through = span.before;
    this.#isEnded = span.before <= span.after + 1;
    this.#steps = log.latest(span);
  }

  get isOver(): boolean {
    return this.#isEnded && this.#at >= this.#found.length;
  }

  /** When the next delivery was received; null when a step is needed, or there are no more. */
  get time(): number | null {
    const next = this.#found[this.#at];
    return next === undefined ? null : (next.delivery?.receivedAt ?? Infinity);
  }

  async step(): Promise<void> {
    const step = await this.#steps.next();
    if (step.done === true) {
      this.#isEnded = true;
      this.before = 0;
      return;
    }
    const { found, before, isUnreadable } = step.value;
    this.#found = found;
    this.#at = 0;
    this.#through = Math.min(this.#through, before);
    if (found.length === 0) this.before = this.#through;
    this.isIncomplete ||= isUnreadable;
  }

  take(): FoundDelivery | undefined {
    const next = this.#found[this.#at];
    if (next === undefined) return undefined;
    this.#at += 1;
    this.before = this.#at === this.#found.length ? this.#through : next.place.sequence;
    return next;
  }

  async close(): Promise<void> {
    await this.#steps.return?.();
  }
}

function latest(heads: readonly Head[]): Head | undefined {
  let found: Head | undefined;
  for (const head of heads) {
    if (head.time === null) continue;
    if (found?.time == null || head.time > found.time) found = head;
  }
  return found;
}
