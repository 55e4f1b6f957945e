import type { Provider } from './provider';

/**
 * How a delivery was verified. `partial`: a GET whose query string the signature does not cover. `api`: not delivered,
 * but fetched from the provider's API with our key.
 */
export type VerifiedBy = 'ed25519' | 'hmac' | 'partial' | 'api';

/** The field that determined the type of a body without an event type. */
export interface Discriminator {
  field: string;
  value: string;
}

/**
 * What the parser knows of a delivery from its body alone: no clock, no key, no memory of earlier
 * deliveries. Everything in it comes from outside: never trust it as a path, URL or template value.
 */
export interface ParsedEvent {
  provider: Provider;
  /** The type as on the wire, or derived for bodies that carry none (`texml.*`, `meeting.*`, …, `unknown`). */
  event_type: string;
  /** `event_type` with aliases and v1 names resolved. */
  canonical_type: string;
  /** Catalogue family, `unknown` when the type is not in the catalogue and no family matches. */
  family: string;
  /** Whether the catalogue lists the type. */
  known: boolean;
  /** Which body shape it was: `envelope`, `envelope-meta`, `texml-form`, … */
  shape: string;
  /** The body's own identity (`data.id`, root `id`, `webhook_id`), or null when it carries none. */
  own_id: string | null;
  record_type: string | null;
  /** ISO 8601 UTC, or null when the body has no time or an unreadable one. */
  occurred_at: string | null;
  attempt: number | null;
  delivered_to: string | null;
  client_state: string | null;
  discriminator: Discriminator | null;
  /** The whole parsed body. */
  body: unknown;
  /** The event's own payload object; becomes `msg.payload`. */
  payload: unknown;
}

/** `msg.event` as flows see it. */
export interface WebhookEvent extends Omit<ParsedEvent, 'own_id' | 'payload'> {
  /** The identity used for duplicates: the body's own, else SHA-256 (hex) of the raw body. */
  id: string;
  /** ISO 8601 UTC. */
  received_at: string;
  duplicate: boolean;
  /** Null: by nobody, because it is a sample. */
  verified: VerifiedBy | null;
  /** Which key or secret of the account matched, counted from 0; null for a sample. */
  key_index: number | null;
  /**
   * True when the delivery was accepted before a crash and reaches the flow only now, or did not arrive and was found
   * in the provider's log.
   */
  recovered?: boolean;
  /** True when the flow has had it before and gets it again, from the delivery log. */
  replayed?: boolean;
  /** True when it is not from a provider: somebody sent it from the editor. */
  sample?: boolean;
}
