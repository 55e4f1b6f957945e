import { fieldOf, recordField, textField, type Fields } from '../../values/fields';
import type { Shape } from '../shapes';
import type { BodyReading } from './body-reading';
import { deliveryMeta } from './delivery-meta';
import { readEventFields } from './telnyx-envelope';

/** Bodies with their type at the root: conferences, WhatsApp, insights, porting, API v1. */
export function readRootTyped(body: Fields): BodyReading | undefined {
  const event_type = textField(body, 'event_type');
  if (event_type === null) return undefined;
  return {
    ...readEventFields(body, body),
    event_type,
    shape: rootShape(body),
    ...deliveryMeta(recordField(body, 'meta')),
    discriminator: null
  };
}

/** The order decides: a dispatch record has an `id` too, an API v1 body may have one. */
function rootShape(body: Fields): Shape {
  const has = (name: string) => fieldOf(body, name) !== undefined;
  if (has('urls') && has('format')) return 'dispatch';
  if (has('payload_status') || has('available_notification_methods')) return 'event-record';
  if (!has('payload')) return 'flat-typed';
  if (has('webhook_id') || has('created_at')) return 'legacy-v1';
  return has('id') ? 'bare' : 'bare-minimal';
}
