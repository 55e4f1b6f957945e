import type { ParsedEvent, VerifiedBy, WebhookEvent } from './event';

/** What receiving adds to a parsed event. */
export interface DeliveryFacts {
  id: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  verified: VerifiedBy;
  keyIndex: number;
  duplicate: boolean;
  recovered: boolean;
  /** Default: false. */
  replayed?: boolean;
}

/** The fields that every message of a webhook node has. */
export interface WebhookMessage {
  topic: string;
  payload: unknown;
  event: WebhookEvent;
}

/** Builds `msg.topic`, `msg.payload` and `msg.event`. The payload is never merged over the envelope. */
export function webhookMessage(parsed: ParsedEvent, facts: DeliveryFacts): WebhookMessage {
  const event: WebhookEvent = {
    provider: parsed.provider,
    event_type: parsed.event_type,
    canonical_type: parsed.canonical_type,
    family: parsed.family,
    known: parsed.known,
    shape: parsed.shape,
    id: facts.id,
    record_type: parsed.record_type,
    occurred_at: parsed.occurred_at,
    received_at: new Date(facts.receivedAt).toISOString(),
    attempt: parsed.attempt,
    delivered_to: parsed.delivered_to,
    duplicate: facts.duplicate,
    verified: facts.verified,
    key_index: facts.keyIndex,
    client_state: parsed.client_state,
    discriminator: parsed.discriminator,
    body: parsed.body
  };
  if (facts.recovered) event.recovered = true;
  if (facts.replayed === true) event.replayed = true;
  return { topic: parsed.event_type, payload: parsed.payload, event };
}
