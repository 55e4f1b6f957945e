import { createHmac } from 'node:crypto';
import type { Delivery } from './deliveries';
import { config, node } from './flows';
import type { FlowNode } from './node-red-process';

/** The secret of the test flows, decoded and in Daily's form. */
export const DAILY_SECRET = Buffer.from('the secret of the test flows, 32');
export const DAILY_HMAC = DAILY_SECRET.toString('base64');
/** A secret that no test flow trusts. */
export const STRANGER_SECRET = Buffer.from('a secret that no flow has seen..');

export interface DailySignOptions {
  /** As sent and signed; default: now in milliseconds, as observed from Daily. */
  timestamp?: string | number;
  secret?: Buffer;
}

/** Signs a JSON body like Daily: HMAC-SHA256 over `timestamp.raw body`. */
export function dailyDelivery(body: string | Uint8Array, options: DailySignOptions = {}): Delivery {
  const timestamp = String(options.timestamp ?? Date.now());
  const bytes = Buffer.from(body as string);
  const signature = createHmac('sha256', options.secret ?? DAILY_SECRET)
    .update(Buffer.concat([Buffer.from(`${timestamp}.`), bytes]))
    .digest('base64');
  const headers = {
    'content-type': 'application/json',
    'x-webhook-timestamp': timestamp,
    'x-webhook-signature': signature
  };
  return { body: bytes, headers };
}

/** A `daily-account` as the editor saves it; Node-RED gets `credentials` separately. */
export function dailyAccount(properties: Record<string, unknown> = {}): FlowNode {
  return config('daily', 'daily-account', { apiUrl: 'https://api.daily.co/v1', ...properties });
}

/** A `daily-webhook-in` as the editor saves it, wired to the recorder `seen`. */
export function dailyWebhookIn(properties: Record<string, unknown> = {}): FlowNode {
  return node('daily-webhook', 'daily-webhook-in', {
    account: 'daily',
    path: '/daily',
    publicUrl: '',
    health: false,
    reply: 'at-once',
    replyTimeout: '10',
    tolerance: '1800',
    duplicates: 'drop',
    maxBody: '1048576',
    rawBody: false,
    rejectedOutput: false,
    outputs: 1,
    wires: [['seen']],
    ...properties
  });
}
