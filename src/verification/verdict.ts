import type { WebhookErrorCode } from '../errors/codes';
import type { VerifiedBy } from '../events/event';

/** The outcome of looking at a delivery's signature. `keyIndex` counts the account's keys from 0. */
export type Verdict =
  | { ok: true; verified: VerifiedBy; keyIndex: number }
  | { ok: false; code: WebhookErrorCode; message: string };

/** What a verifier may look at. Header pairs are as they arrived, so that repeated ones are seen. */
export interface SignedDelivery {
  /** Name, value, name, value, … as `IncomingMessage.rawHeaders`. */
  rawHeaders: readonly string[];
  /** The exact bytes received; empty for GET. */
  rawBody: Buffer;
  /** Raw query string without `?` of a GET delivery, else null. */
  query: string | null;
  /** When it arrived, milliseconds since 1970. */
  receivedAt: number;
}

export interface DeliveryVerifier {
  /** Never rejects; a delivery that cannot be verified is refused. */
  verify(delivery: SignedDelivery): Promise<Verdict>;
}

export function refuse(code: WebhookErrorCode, message: string): Verdict & { ok: false } {
  return { ok: false, code, message };
}

/** Whether a delivery has fields outside its body, which no signature over the body covers. */
export function hasQuery(delivery: SignedDelivery): delivery is SignedDelivery & { query: string } {
  return delivery.query !== null && delivery.query !== '';
}

/** Refuses every delivery, for the same reason. */
export function refusingAll(code: WebhookErrorCode, message: string): DeliveryVerifier {
  return { verify: () => Promise.resolve(refuse(code, message)) };
}
