import { decodeClientState } from '../client-state';
import { firstTime } from '../../values/time';
import { asFields, fieldOf, recordField, textField, type Fields } from '../../values/fields';
import type { Shape } from '../shapes';
import type { BodyReading } from './body-reading';
import { deliveryMeta, firstId } from './delivery-meta';

/** API v2: everything inside `data`, its type in `data.event_type`. */
export function readEnvelope(body: Fields): BodyReading | undefined {
  const data = recordField(body, 'data');
  const event_type = textField(data, 'event_type');
  if (data === null || event_type === null) return undefined;
  const meta = recordField(body, 'meta');
  return {
    ...readEventFields(data, body),
    event_type,
    shape: envelopeShape(data, meta),
    ...deliveryMeta(meta),
    discriminator: null
  };
}

function envelopeShape(data: Fields, meta: Fields | null): Shape {
  if (meta !== null) return 'envelope-meta';
  const anonymous = fieldOf(data, 'id') === undefined && fieldOf(data, 'occurred_at') === undefined;
  return anonymous ? 'envelope-minimal' : 'envelope';
}

/** A delivery record that holds the event: shown by one documentation page as if it were a body. */
export function readDebugRecord(body: Fields): BodyReading | undefined {
  const metadata = recordField(body, 'metadata');
  const event = recordField(metadata, 'event');
  const event_type = textField(event, 'event_type');
  if (event === null || event_type === null) return undefined;
  return {
    ...readEventFields(event, body),
    event_type,
    shape: 'debug-record',
    ...deliveryMeta(metadata),
    discriminator: { field: 'metadata.event.event_type', value: event_type }
  };
}

/**
 * The fields that an event has beside its payload.
 *
 * @param event - the object with `payload`, `id`, `occurred_at`, `record_type`
 * @param root - the whole body, in which the identity and the time are looked for next
 */
export function readEventFields(
  event: Fields,
  root: Fields
): Omit<BodyReading, 'event_type' | 'shape' | 'attempt' | 'delivered_to' | 'discriminator'> {
  const payload = fieldOf(event, 'payload');
  const fields = asFields(payload);
  return {
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
    client_state: decodeClientState(fieldOf(fields, 'client_state'))
  };
}
