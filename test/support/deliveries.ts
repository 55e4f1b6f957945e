import { randomUUID } from 'node:crypto';
import { signed, type SignOptions } from './sign';

/** A delivery as sent. */
export interface Delivery {
  body: Buffer;
  headers: Record<string, string>;
}

/** An event with its own id that no flow stores. */
export function holdEvent(id: string = randomUUID()): string {
  return JSON.stringify({
    data: {
      record_type: 'event',
      event_type: 'call.hold',
      id,
      occurred_at: '2026-05-06T07:08:09.100Z',
      payload: { call_control_id: 'v3:made-up', client_state: null, from: '+12025550101', to: '+12025550102' }
    },
    meta: { attempt: 1, delivered_to: 'https://example.com/telnyx' }
  });
}

/** Signs a JSON body. */
export function jsonDelivery(body: string | Uint8Array, options: SignOptions = {}): Delivery {
  return {
    body: Buffer.from(body as string),
    headers: { 'content-type': 'application/json', ...signed(body, options) }
  };
}

/** Signs a TeXML callback. */
export function formDelivery(body: string | Uint8Array, options: SignOptions = {}): Delivery {
  return {
    body: Buffer.from(body as string),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...signed(body, options) }
  };
}
