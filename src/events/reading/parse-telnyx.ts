import { completeEvent } from '../complete-event';
import { readFormFields } from './form-fields';
import { parseBody } from './parse-body';
import type { ParseResult } from './parse-result';
import { unparsable } from './parse-result';
import { readForm, readQuery } from './telnyx-form';
import { readJson } from './telnyx-json';

/** A verified delivery of Telnyx, as bytes. */
export interface TelnyxDelivery {
  rawBody: Buffer;
  /** The Content-Type header's value, if any. */
  contentType: string | undefined;
  /** For a GET: the raw query string without its `?`; its fields are the event. Null for a POST. */
  query: string | null;
}

/**
 * Reads a delivery of Telnyx in any of its shapes: JSON envelopes of API v2, bare and flat bodies,
 * meetings, porting records, API v1, TeXML forms and query strings.
 *
 * What no rule knows is an event of type `unknown`, never an error and never dropped. The only
 * failure is a body that is neither JSON nor a form.
 *
 * @returns the event as its body tells it; nothing in it is to be trusted as a path, URL or template.
 * Never throws, whatever the bytes.
 */
export function parseTelnyxDelivery(delivery: TelnyxDelivery): ParseResult {
  if (delivery.query !== null) {
    const fields = readFormFields(delivery.query);
    return { ok: true, event: completeEvent('telnyx', readQuery(fields), fields) };
  }
  const parsed = parseBody(delivery.rawBody, delivery.contentType);
  if (!parsed.ok) return unparsable(parsed.reason);
  const reading = parsed.form ? readForm(parsed.body) : readJson(parsed.body);
  return { ok: true, event: completeEvent('telnyx', reading, parsed.body) };
}
