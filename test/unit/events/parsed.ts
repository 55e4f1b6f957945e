import type { ParseResult } from '../../../src/events/build-event';
import type { ParsedEvent } from '../../../src/events/event';
import { parseTelnyxDelivery } from '../../../src/events/reading/parse-telnyx';

/** The event of a result that must not be a rejection. */
export function eventOf(result: ParseResult): ParsedEvent {
  if (!result.ok) throw new Error(`Expected an event, got ${result.code}: ${result.message}`);
  return result.event;
}

/** Telnyx's parser applied to a JSON value. */
export function fromJson(body: unknown): ParsedEvent {
  return fromText(JSON.stringify(body), 'application/json');
}

/** Telnyx's parser applied to the text of a body. */
export function fromText(text: string, contentType?: string): ParsedEvent {
  return eventOf(parseTelnyxDelivery({ rawBody: Buffer.from(text), contentType, query: null }));
}

/** Telnyx's parser applied to a form body. */
export function fromForm(fields: Readonly<Record<string, string>>): ParsedEvent {
  return fromText(new URLSearchParams(fields).toString(), 'application/x-www-form-urlencoded');
}

/** Telnyx's parser applied to a GET request. */
export function fromQuery(query: string): ParsedEvent {
  return eventOf(parseTelnyxDelivery({ rawBody: Buffer.alloc(0), contentType: undefined, query }));
}
