import { completeEvent } from '../complete-event';
import { firstTime } from '../../values/time';
import { parseBody } from './parse-body';
import type { ParseResult } from './parse-result';
import { unparsable } from './parse-result';
import { asFields, fieldOf, textField } from '../../values/fields';
import type { BodyReading } from './body-reading';
import { emptyReading, UNKNOWN_TYPE } from './body-reading';
import { firstId } from './delivery-meta';

/** A verified delivery of Daily, as bytes. */
export interface DailyDelivery {
  rawBody: Buffer;
  /** The Content-Type header's value, if any. */
  contentType: string | undefined;
}

/**
 * Reads a delivery of Daily: root `type`, `payload`, `id`, `event_ts` (seconds since 1970).
 *
 * Unknown types are accepted: Daily stops sending altogether when a receiver refuses some. A body
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
