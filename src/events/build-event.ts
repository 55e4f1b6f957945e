import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { decodeStrictBase64 } from '../values/fields';
import { type Fields, fieldOf, textField } from '../values/fields';
import { familyOf, lookUpType } from './catalogue';
import type { Discriminator, ParsedEvent, VerifiedBy, WebhookEvent } from './event';
import type { Provider } from './provider';
import type { Shape } from './shapes';

/** The part of a verified delivery that a parser reads. */
export interface DeliveryContent {
  /** Exactly the bytes received. */
  rawBody: Buffer;
  /** The `Content-Type` header, if any. */
  contentType: string | undefined;
  /** Raw query string of a GET delivery (without `?`), else null. */
  query: string | null;
}

/** A delivery as an event, or why its body cannot be read. */
export type ParseResult =
  | { readonly ok: true; readonly event: ParsedEvent }
  | { readonly ok: false; readonly code: 'UNPARSABLE_BODY'; readonly message: string };

/** Turns a verified delivery into an event. Never throws. */
export type DeliveryParser = (content: DeliveryContent) => ParseResult;

/** What the fields of a body say, before the type is looked up in the catalogue. */
export interface BodyReading {
  event_type: string;
  shape: Shape;
  payload: unknown;
  own_id: string | null;
  record_type: string | null;
  occurred_at: string | null;
  attempt: number | null;
  delivered_to: string | null;
  client_state: string | null;
  discriminator: Discriminator | null;
}

/** The type of a body without one. Never in the catalogue. */
export const UNKNOWN_TYPE = 'unknown';

/** A reading of a body that contains only its type. */
export function emptyReading(event_type: string, shape: Shape, payload: unknown): BodyReading {
  return {
    event_type,
    shape,
    payload,
    own_id: null,
    record_type: null,
    occurred_at: null,
    attempt: null,
    delivered_to: null,
    client_state: null,
    discriminator: null
  };
}

/** No sender gives a longer identity, and it would not fit into a key of the journal. */
const LONGEST_ID = 256;

/**
 * The first of several values that can serve as a body's own identity: a string of 1 to 256
 * characters. Numbers are left out: JSON numbers lose digits, and two events with one identity
 * would be taken for duplicates.
 */
export function firstId(...values: readonly unknown[]): string | null {
  for (const value of values) {
    if (typeof value === 'string' && value !== '' && value.length <= LONGEST_ID) return value;
  }
  return null;
}

/** How often the delivery was tried and where it was sent, from `meta` (or a record that holds the same). */
export function deliveryMeta(meta: Fields | null): {
  attempt: number | null;
  delivered_to: string | null;
} {
  const attempt = fieldOf(meta, 'attempt');
  return {
    attempt: typeof attempt === 'number' && Number.isSafeInteger(attempt) && attempt >= 0 ? attempt : null,
    delivered_to: textField(meta, 'delivered_to')
  };
}

/**
 * `client_state` as the flow author wrote it.
 *
 * Telnyx returns the base64 it was given. Other Telnyx products put binary terms there, and some users put
 * text there that was never encoded; both stay unchanged.
 *
 * @param value - the field as received
 * @returns the decoded text when the value is strict, padded base64 of valid UTF-8; the value itself when it is
 *   any other string; null when it is absent or not a string
 */
export function decodeClientState(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  // Spare bits set in the last character also mean that no encoder made it.
  const bytes = decodeStrictBase64(value);
  return bytes !== null && isUtf8(bytes) ? bytes.toString('utf8') : value;
}

/** Joins the fields of a body with the catalogue's data about its type. */
export function completeEvent(provider: Provider, reading: BodyReading, body: unknown): ParsedEvent {
  const { event_type } = reading;
  const entry = lookUpType(provider, event_type);
  return {
    provider,
    event_type,
    canonical_type: entry?.canonical_type ?? event_type,
    family: entry?.family ?? familyOf(provider, event_type),
    known: entry !== undefined,
    shape: reading.shape,
    own_id: reading.own_id,
    record_type: reading.record_type,
    occurred_at: reading.occurred_at,
    attempt: reading.attempt,
    delivered_to: reading.delivered_to,
    client_state: reading.client_state,
    discriminator: reading.discriminator,
    body,
    payload: reading.payload
  };
}

/** Refuses a delivery whose body is neither JSON nor a form; `reason` quotes nothing of it. */
export function unparsable(reason: string): ParseResult {
  return {
    ok: false,
    code: 'UNPARSABLE_BODY',
    message: `The delivery is verified but cannot be read: ${reason}. Check what the sender is set to send.`
  };
}

/**
 * What distinguishes two deliveries: the body's own id, otherwise the SHA-256 (hex) of the content: the raw
 * body, or the query string of a GET, whose body is empty. A blank id does not count: it would make every later
 * event a duplicate of the first.
 */
export function deliveryIdentity(event: Pick<ParsedEvent, 'own_id'>, content: DeliveryContent): string {
  if (event.own_id !== null && event.own_id.trim() !== '') return event.own_id;
  const hash = createHash('sha256');
  if (content.query === null) hash.update(content.rawBody);
  else hash.update(`?${content.query}`, 'latin1');
  return hash.digest('hex');
}

/** The key by which a delivery is remembered. For a query that nobody signed, it is one that no text can equal. */
export type RememberedId = string | { readonly partial: string };

/**
 * Anyone can invent the identity of a GET whose query is not signed. It is remembered separately, so that a
 * signed event never counts as its duplicate.
 */
export function rememberedId({ id, verified }: { id: string; verified: VerifiedBy }): RememberedId {
  return verified === 'partial' ? { partial: id } : id;
}

/** What receiving adds to a parsed event. */
interface DeliveryFacts {
  id: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  verified: VerifiedBy | null;
  keyIndex: number | null;
  duplicate: boolean;
  recovered: boolean;
  /** Default: false. */
  replayed?: boolean;
  /** Default: false. */
  sample?: boolean;
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
    received_at: isoTime(facts.receivedAt),
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
  if (facts.sample === true) event.sample = true;
  return { topic: parsed.event_type, payload: parsed.payload, event };
}

/** The last one: under load, several deliveries arrive within a millisecond. */
let latest = { at: NaN, text: '' };

function isoTime(at: number): string {
  if (latest.at !== at) latest = { at, text: new Date(at).toISOString() };
  return latest.text;
}
