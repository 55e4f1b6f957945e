import { asFields, fieldOf, textField } from '../../values/fields';
import { firstTime } from '../../values/time';
import {
  type BodyReading,
  type ParseResult,
  UNKNOWN_TYPE,
  completeEvent,
  emptyReading,
  firstId,
  unparsable
} from '../build-event';
import { parseBody } from './parse-body';

/** A verified delivery of Daily, as bytes. */
interface DailyDelivery {
  rawBody: Buffer;
  /** The Content-Type header's value, if any. */
  contentType: string | undefined;
}

/**
 * Reads a delivery of Daily: root `type`, `payload`, `id`, `event_ts` (seconds since 1970).
 *
 * Unknown types are accepted: when a receiver refuses some, Daily stops sending altogether. A body
 * of any other form is an event of type `unknown`. Never throws, whatever the bytes.
 */
export function parseDailyDelivery(delivery: DailyDelivery): ParseResult {
  const parsed = parseBody(delivery.rawBody, delivery.contentType);
  if (!parsed.ok) return unparsable(parsed.reason);
  const reading = readDailyEnvelope(parsed.body) ?? emptyReading(UNKNOWN_TYPE, 'unstructured', parsed.body);
  return { ok: true, event: completeEvent('daily', reading, parsed.body) };
}

function readDailyEnvelope(body: unknown): BodyReading | undefined {
  const envelope = asFields(body);
  const event_type = textField(envelope, 'type');
  const payload = fieldOf(envelope, 'payload');
  if (event_type === null || payload === undefined) return undefined;
  return {
    ...emptyReading(event_type, 'daily-envelope', payload),
    own_id: firstId(fieldOf(envelope, 'id')),
    occurred_at: firstTime(fieldOf(envelope, 'event_ts'), fieldOf(asFields(payload), 'timestamp'))
  };
}

/** No probe is longer, white space included, so longer bodies need not be parsed. */
const LONGEST_PROBE = 256;

/**
 * Whether a parsed body is the request with which Daily tests an address before it creates or
 * re-activates a webhook: exactly `{"test":"test"}`. It is answered 200 and is not an event.
 */
export function isDailyProbe(body: unknown): boolean {
  const record = asFields(body);
  return record !== null && Object.keys(record).length === 1 && record['test'] === 'test';
}

/** As `isDailyProbe`, for a body that is not parsed yet. Never throws. */
export function isDailyProbeBody(rawBody: Buffer): boolean {
  if (rawBody.length > LONGEST_PROBE) return false;
  try {
    return isDailyProbe(JSON.parse(rawBody.toString('utf8')));
  } catch {
    return false;
  }
}
