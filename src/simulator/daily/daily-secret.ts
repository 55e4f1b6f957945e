import { createHmac, randomBytes } from 'node:crypto';
import type { DeliveryHabits, DeliveryKey } from '../deliver';

/** The headers that Daily puts on a delivery. */
export interface DailySignatureHeaders {
  /** Base64 of the HMAC-SHA256. */
  'x-webhook-signature': string;
  /** Unix milliseconds, as signed. */
  'x-webhook-timestamp': string;
}

/** The secret of a made-up webhook of Daily, which signs like Daily (docs: "Webhooks"). */
export class DailySecret implements DeliveryKey {
  /** Base64, the form in which Daily returns it. */
  readonly hmac: string;
  readonly #bytes: Buffer;

  /** @param bytes the same bytes give the same secret. Default: random. */
  constructor(bytes: Uint8Array = randomBytes(32)) {
    this.#bytes = Buffer.from(bytes);
    this.hmac = this.#bytes.toString('base64');
  }

  /** Signs `<timestamp>.<body>`. */
  sign(body: Uint8Array, timestamp: string): DailySignatureHeaders {
    const digest = createHmac('sha256', this.#bytes).update(`${timestamp}.`).update(body).digest('base64');
    return { 'x-webhook-signature': digest, 'x-webhook-timestamp': timestamp };
  }
}

/** Daily counts everything but 200 as a failure, and tries again (docs: "Webhooks", exponential retries). */
export const DAILY_HABITS: DeliveryHabits = {
  userAgent: 'daily-webhooks',
  timestamp: String,
  isAccepted: (status) => status === 200,
  isRepeated: (status) => status !== 200
};
