import { randomUUID } from 'node:crypto';
import type { MediaFormat } from '../../samples/media/media';
import type { StandInRecording } from './recording-shelf';
import { sampleCall, type SampleCall } from '../../samples/sample-call';

/** One made-up event, ready to be signed and sent. */
export interface SampleDelivery {
  /** The event type as flows will see it in `msg.topic`. */
  name: string;
  contentType: 'application/json' | 'application/x-www-form-urlencoded';
  /** The recording that the event announces, if it announces one. */
  recording: StandInRecording | null;
  /**
   * The body of one attempt. Repeats keep the event's id, as Telnyx's do.
   *
   * @param attempt counted from 1
   * @param to where it is delivered
   */
  body: (attempt: number, to: string) => Buffer;
}

/** What a sample body is made from. */
export interface SampleFacts {
  call: SampleCall;
  now: Date;
  recording: StandInRecording | null;
  /** Signed link to a file of the recording; null for a format that it does not have. */
  link: (format: MediaFormat) => string | null;
}

/** A recipe for sample deliveries of one event type. */
export interface SampleKind {
  name: string;
  /** A short sentence for `--list`. */
  description: string;
  /** Set for events that announce a recording: what that recording is like. */
  recording?: Partial<StandInRecording>;
  make: (facts: SampleFacts) => Pick<SampleDelivery, 'contentType' | 'body'>;
}

/** Facts of an event without a recording. */
export function factsWithoutRecording(now: Date): SampleFacts {
  return { call: sampleCall(), now, recording: null, link: () => null };
}

/** An API v2 event: `data` envelope with `meta`, keys in alphabetical order as in real deliveries. */
export function envelope(
  eventType: string,
  occurredAt: Date,
  payload: Record<string, unknown>
): Pick<SampleDelivery, 'contentType' | 'body'> {
  const data = {
    event_type: eventType,
    id: randomUUID(),
    occurred_at: microseconds(occurredAt),
    payload: Object.fromEntries(Object.entries(payload).sort(([a], [b]) => (a < b ? -1 : 1))),
    record_type: 'event'
  };
  return {
    contentType: 'application/json',
    body: (attempt, to) => Buffer.from(JSON.stringify({ data, meta: { attempt, delivered_to: to } }))
  };
}

/** A TeXML callback: a form, fields in alphabetical order as in real deliveries. */
export function form(fields: Record<string, string>): Pick<SampleDelivery, 'contentType' | 'body'> {
  const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  const body = Buffer.from(new URLSearchParams(sorted).toString());
  return { contentType: 'application/x-www-form-urlencoded', body: () => body };
}

/** Telnyx writes times of call events with six decimals. */
export function microseconds(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
