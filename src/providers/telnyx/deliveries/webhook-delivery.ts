import { asFields, asText, fieldOf, recordField, textField, type Fields } from '../../../values/fields';
import { readTime } from '../../../values/time';

/** One delivery in Telnyx's log. */
export interface WebhookDelivery {
  /** The body that was sent, as far as it can be reconstructed: the bytes themselves are not in the log. */
  body: Fields;
  /** Of the first attempt. Milliseconds since 1970; null if the log does not contain it. */
  startedAt: number | null;
  /** `failed`: no attempt was answered 200. Null if the log does not contain it. */
  outcome: 'delivered' | 'failed' | null;
}

/** Why an entry of the log cannot be passed on as an event. */
export type Unreadable = 'no event' | 'no id' | 'no payload';

/**
 * Reads an entry of `GET /v2/webhook_deliveries`. Its documentation differs from what was seen, so everything but the
 * event itself may be missing or of another form.
 *
 * @param item untrusted
 */
export function readDelivery(item: Fields): WebhookDelivery | Unreadable {
  const webhook = recordField(item, 'webhook');
  // Only the event itself is documented; the whole body, with `data` around it, means the same.
  const inner = recordField(webhook, 'data');
  const event = textField(inner, 'event_type') === null ? webhook : inner;
  if (event === null || textField(event, 'event_type') === null) return 'no event';
  if (textField(event, 'id') === null) return 'no id';
  if ((fieldOf(event, 'payload') ?? null) === null) return 'no payload';
  const attempts = attemptsOf(item);
  const startedAt = readTime(item['started_at']);
  return {
    body: { data: event, ...(attempts.length > 0 && { meta: metaOf(attempts) }) },
    startedAt: startedAt === null ? null : Date.parse(startedAt),
    outcome: outcomeOf(item, attempts)
  };
}

/** The addresses that were tried, the latest first; none if the log does not contain them. */
export function addressesOf(item: Fields): string[] {
  return attemptsOf(item)
    .map(urlOf)
    .filter((url) => url !== null);
}

/** An entry without the headers and bodies of its attempts, which take most of its space and are not needed. */
export function withoutTraffic(item: Fields): Fields {
  const { id, status, started_at, webhook } = item;
  const attempts = attemptsOf(item).map((attempt) => ({
    status: attempt['status'],
    http: { request: { url: urlOf(attempt) }, response: { status: answerOf(attempt) } }
  }));
  return { id, status, started_at, webhook, attempts };
}

/** Newest first, as the log has them. */
function attemptsOf(item: Fields): Fields[] {
  const attempts: unknown = item['attempts'];
  if (!Array.isArray(attempts)) return [];
  return attempts.map((attempt: unknown) => asFields(attempt)).filter((attempt) => attempt !== null);
}

function urlOf(attempt: Fields): string | null {
  return textField(recordField(recordField(attempt, 'http'), 'request'), 'url') ?? textField(attempt, 'url');
}

/** @returns the status of the answer */
function answerOf(attempt: Fields): number | null {
  const http = recordField(attempt, 'http');
  // Spelled like this in one of the documentation's samples.
  const status = fieldOf(recordField(http, 'response') ?? recordField(http, 'reponse'), 'status');
  return typeof status === 'number' ? status : null;
}

/** As in the `meta` of a delivery. */
function metaOf(attempts: readonly Fields[]): Fields {
  const delivered_to = attempts.map(urlOf).find((url) => url !== null);
  return { attempt: attempts.length, ...(delivered_to !== undefined && { delivered_to }) };
}

function outcomeOf(item: Fields, attempts: readonly Fields[]): WebhookDelivery['outcome'] {
  const told = asText(item['status'])?.toLowerCase();
  if (told === 'delivered' || told === 'failed') return told;
  if (attempts.length === 0) return null;
  const isDelivered = attempts.some(
    (attempt) => asText(attempt['status'])?.toLowerCase() === 'delivered' || answerOf(attempt) === 200
  );
  return isDelivered ? 'delivered' : 'failed';
}
