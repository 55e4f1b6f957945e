import { setImmediate as turn } from 'node:timers/promises';
import { KINDS, type FoundRecord, type LoggedDelivery } from './record';
import type { Segment } from './segments';

/** Deliveries in one batch. */
const BATCH = 256;

export interface Span {
  /** Milliseconds since 1970; included. `-Infinity`: all that is kept. */
  from: number;
  /** Milliseconds since 1970; excluded. */
  to: number;
}

/** How segments are read. */
export interface SpanParts {
  /** The bytes of a segment; null when it is gone or cannot be read. */
  load: (segment: Segment) => Promise<Buffer | null>;
  records: (segment: Segment, bytes: Buffer) => Iterable<{ record: FoundRecord }>;
  /** Null when the content of a record is not understood. */
  deliveryOf: (bytes: Buffer, record: FoundRecord) => LoggedDelivery | null;
}

/**
 * The deliveries of a span, oldest first, in batches.
 *
 * @param segments of the log, oldest first
 * @param onGap called when deliveries of the span may be missing
 */
export async function* readSpan(
  segments: readonly Segment[],
  { load, records, deliveryOf }: SpanParts,
  span: Span,
  onGap: () => void
): AsyncGenerator<readonly LoggedDelivery[]> {
  // The sequence of the next record; null when the segment before it was not read.
  let expected: number | null = null;
  for (const segment of segments) {
    if (segment.latest < span.from || segment.earliest >= span.to) {
      expected = null;
      continue;
    }
    if (isCutOff(segment, span, expected)) onGap();
    const bytes = await load(segment);
    if (bytes === null) {
      onGap();
      expected = null;
      continue;
    }
    if (!Number.isNaN(segment.first)) expected = segment.first;
    let batch: LoggedDelivery[] = [];
    for (const { record } of records(segment, bytes)) {
      if (expected !== null && record.sequence !== expected) onGap();
      expected = record.sequence + 1;
      if (!isDelivery(record) || record.time < span.from || record.time >= span.to) continue;
      const delivery = deliveryOf(bytes, record);
      if (delivery === null) onGap();
      else batch.push(delivery);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
      await turn();
    }
    if (batch.length > 0) yield batch;
  }
}

export function isDelivery({ kind }: FoundRecord): boolean {
  return kind === KINDS.delivery || kind === KINDS.answered;
}

/**
 * Whether deliveries of the span are missing between what was read and a segment.
 *
 * @param expected the sequence that follows what was read; null when nothing before it was
 */
function isCutOff({ first, before }: Segment, { from, to }: Span, expected: number | null): boolean {
  const { earliest, latest } = before;
  if (expected === null) return from > -Infinity && latest >= from && earliest < to;
  return first > expected && !(latest < from || earliest >= to);
}
