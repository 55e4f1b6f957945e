import { setImmediate as turn } from 'node:timers/promises';
import { isDelivery, type Span, type SpanParts } from './read-span';
import type { FoundRecord, LoggedDelivery } from './record';
import type { Place } from './segment-header';
import type { Segment } from './segments';

/** Deliveries in one step. */
const STEP = 64;
/** Milliseconds after which others have their turn while the records of a segment are found. */
const SLICE_MS = 4;
/** Records between two looks at the clock. */
const RECORDS_PER_LOOK = 32;

/** A part of the log, by time and by sequence. */
export interface LatestSpan extends Span {
  /** Only deliveries with a lower sequence. */
  before: number;
  /** Only deliveries with a higher sequence. */
  after: number;
}

export interface FoundDelivery {
  place: Place;
  /** Null when its content is not understood. */
  delivery: LoggedDelivery | null;
}

/** What was found, and where to continue. */
export interface LatestStep {
  /** Latest first; perhaps none. */
  found: readonly FoundDelivery[];
  /** All deliveries with this sequence or a higher one have been looked at. */
  before: number;
  /** Whether a segment could not be read. */
  isUnreadable: boolean;
}

/**
 * The deliveries of a part of a log, latest first, in steps. One segment at a time is in memory, and the event loop is
 * never busy for longer than a slice.
 *
 * @param segments of the log, oldest first
 */
export async function* readLatest(
  segments: readonly Segment[],
  { load, records, deliveryOf }: SpanParts,
  { from, to, before, after }: LatestSpan
): AsyncGenerator<LatestStep> {
  for (const segment of [...segments].reverse()) {
    if (segment.first >= before || segment.end <= after + 1) continue;
    if (segment.latest < from || segment.earliest >= to) continue;
    const bytes = await load(segment);
    if (bytes === null) {
      yield { found: [], before: lowest(segment.first, before), isUnreadable: true };
      continue;
    }
    const wanted: FoundRecord[] = [];
    let slice = performance.now();
    let looked = 0;
    for (const { record } of records(segment, bytes)) {
      looked += 1;
      if (looked % RECORDS_PER_LOOK === 0 && performance.now() - slice > SLICE_MS) {
        await turn();
        slice = performance.now();
      }
      if (record.sequence >= before) break;
      if (record.sequence <= after || !isDelivery(record)) continue;
      if (record.time >= from && record.time < to) wanted.push(record);
    }
    while (wanted.length > 0) {
      const found = wanted.splice(-STEP).reverse();
      const first = found.at(-1)?.sequence ?? before;
      yield {
        found: found.map((record) => ({
          place: placeOf(segment, record),
          delivery: deliveryOf(bytes, record)
        })),
        before: first,
        isUnreadable: false
      };
    }
    yield { found: [], before: lowest(segment.first, before), isUnreadable: false };
  }
}

function placeOf({ number }: Segment, { at, length, sequence }: FoundRecord): Place {
  return { segment: number, at, length, sequence };
}

/** @param first NaN when unknown */
function lowest(first: number, before: number): number {
  return first < before ? first : before;
}
