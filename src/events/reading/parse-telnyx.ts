import { type Fields, asFields, fieldOf, recordField, textField } from '../../values/fields';
import { firstTime } from '../../values/time';
import {
  type BodyReading,
  type ParseResult,
  UNKNOWN_TYPE,
  completeEvent,
  decodeClientState,
  deliveryMeta,
  emptyReading,
  firstId,
  unparsable
} from '../build-event';
import type { Shape } from '../shapes';
import { readTexml } from '../texml';
import { parseBody, readFormFields } from './parse-body';
import { readForm, readQuery } from './telnyx-form';
import {
  readCampaignStatus,
  readLegacyMessage,
  readLinkClick,
  readMeeting,
  readRecordingFragment
} from './telnyx-untyped';

/** A verified delivery of Telnyx, as bytes. */
interface TelnyxDelivery {
  rawBody: Buffer;
  /** The Content-Type header's value, if any. */
  contentType: string | undefined;
  /** For a GET: the raw query string without its `?`; its fields are the event. Null for a POST. */
  query: string | null;
}

/**
 * Reads a delivery of Telnyx in any of its shapes: JSON envelopes of API v2, bare and flat bodies,
 * meetings, porting records, API v1, TeXML forms and query strings.
 *
 * A body that no rule knows is an event of type `unknown`, never an error and never dropped. The only
 * failure is a body that is neither JSON nor a form.
 *
 * @returns the event as its body describes it; never trust anything in it as a path, URL or template.
 * Never throws, whatever the bytes.
 */
export function parseTelnyxDelivery(delivery: TelnyxDelivery): ParseResult {
  if (delivery.query !== null) {
    const fields = readFormFields(delivery.query);
    return { ok: true, event: completeEvent('telnyx', readQuery(fields), fields) };
  }
  const parsed = parseBody(delivery.rawBody, delivery.contentType);
  if (!parsed.ok) return unparsable(parsed.reason);
  const reading = parsed.form ? readForm(parsed.body) : readJson(parsed.body);
  return { ok: true, event: completeEvent('telnyx', reading, parsed.body) };
}

/** One reader for each shape or group of shapes, in the order in which they are tried. */
const READERS: readonly ((body: Fields) => BodyReading | undefined)[] = [
  readEnvelope,
  readMeeting,
  readRootTyped,
  readLinkClick,
  readDebugRecord,
  readCampaignStatus,
  readLegacyMessage,
  readRecordingFragment,
  readTexmlJson
];

/** Reads a JSON body of Telnyx; one that no reader knows becomes `unknown` with the body as payload. */
function readJson(body: unknown): BodyReading {
  const record = asFields(body);
  if (record !== null) {
    for (const read of READERS) {
      const reading = read(record);
      if (reading !== undefined) return reading;
    }
  }
  return emptyReading(UNKNOWN_TYPE, 'unstructured', body);
}

/** API v2: everything inside `data`, its type in `data.event_type`. */
function readEnvelope(body: Fields): BodyReading | undefined {
  const data = recordField(body, 'data');
  const event_type = textField(data, 'event_type');
  if (data === null || event_type === null) return undefined;
  const meta = recordField(body, 'meta');
  return eventReading(data, body, {
    event_type,
    shape: envelopeShape(data, meta),
    meta: deliveryMeta(meta),
    discriminator: null
  });
}

function envelopeShape(data: Fields, meta: Fields | null): Shape {
  if (meta !== null) return 'envelope-meta';
  const anonymous = fieldOf(data, 'id') === undefined && fieldOf(data, 'occurred_at') === undefined;
  return anonymous ? 'envelope-minimal' : 'envelope';
}

/** Bodies with their type at the root: conferences, WhatsApp, insights, porting, API v1. */
function readRootTyped(body: Fields): BodyReading | undefined {
  const event_type = textField(body, 'event_type');
  if (event_type === null) return undefined;
  return eventReading(body, body, {
    event_type,
    shape: rootShape(body),
    meta: deliveryMeta(recordField(body, 'meta')),
    discriminator: null
  });
}

/** The order matters: a dispatch record has an `id` too, and an API v1 body may have one. */
function rootShape(body: Fields): Shape {
  const has = (name: string) => fieldOf(body, name) !== undefined;
  if (has('urls') && has('format')) return 'dispatch';
  if (has('payload_status') || has('available_notification_methods')) return 'event-record';
  if (!has('payload')) return 'flat-typed';
  if (has('webhook_id') || has('created_at')) return 'legacy-v1';
  return has('id') ? 'bare' : 'bare-minimal';
}

/** A delivery record that contains the event; one documentation page shows it as if it were a body. */
function readDebugRecord(body: Fields): BodyReading | undefined {
  const metadata = recordField(body, 'metadata');
  const event = recordField(metadata, 'event');
  const event_type = textField(event, 'event_type');
  if (event === null || event_type === null) return undefined;
  return eventReading(event, body, {
    event_type,
    shape: 'debug-record',
    meta: deliveryMeta(metadata),
    discriminator: { field: 'metadata.event.event_type', value: event_type }
  });
}

/** TeXML fields sent as JSON, seen from re-sending proxies; without a CallSid an object is not TeXML. */
function readTexmlJson(body: Fields): BodyReading | undefined {
  return textField(body, 'CallSid') === null ? undefined : readTexml(body, 'texml-form');
}

/**
 * The reading of an event with its payload and what is beside it.
 *
 * @param event - the object with `payload`, `id`, `occurred_at`, `record_type`
 * @param root - the whole body, searched next for the identity and the time
 */
function eventReading(
  event: Fields,
  root: Fields,
  about: Pick<BodyReading, 'event_type' | 'shape' | 'discriminator'> & {
    meta: ReturnType<typeof deliveryMeta>;
  }
): BodyReading {
  const payload = fieldOf(event, 'payload');
  const fields = asFields(payload);
  // Property by property: spreading objects into this one takes as long as parsing the body.
  return {
    event_type: about.event_type,
    shape: about.shape,
    // An event without a payload has its fields beside the type.
    payload: payload === undefined ? event : payload,
    own_id: firstId(fieldOf(event, 'id'), fieldOf(root, 'id'), fieldOf(root, 'webhook_id')),
    record_type: textField(event, 'record_type'),
    occurred_at: firstTime(
      fieldOf(event, 'occurred_at'),
      fieldOf(root, 'occurred_at'),
      fieldOf(fields, 'occurred_at'),
      fieldOf(root, 'created_at'),
      fieldOf(root, 'time_clicked'),
      fieldOf(root, 'event_timestamp')
    ),
    attempt: about.meta.attempt,
    delivered_to: about.meta.delivered_to,
    client_state: decodeClientState(fieldOf(fields, 'client_state')),
    discriminator: about.discriminator
  };
}
