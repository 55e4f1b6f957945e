import { isUtf8 } from 'node:buffer';
import type { FormFields } from './form-fields';
import { readFormFields } from './form-fields';
import { MAX_DEPTH, hasMoreValues, isTooDeep, mayHavePrototype, sanitiseJson } from './sanitise-json';

/** A body that could be read, and whether it was a form; or why it could not, in words. */
export type ParsedBody =
  | { readonly ok: true; readonly form: true; readonly body: FormFields }
  | { readonly ok: true; readonly form: false; readonly body: unknown }
  | { readonly ok: false; readonly reason: string };

const JSON_ADVICE = 'expected JSON or an urlencoded form';
/** A transcript of an hour has about a tenth. As many empty lists take 100 ms to parse. */
const MOST_VALUES = 250_000;
/** TeXML has about fifty. */
const MOST_FIELDS = 2000;
/** What a form consists of once it is encoded; white space, quotes, angle brackets and braces are not in it. */
const ENCODED_FORM = /^[^\s"<>{}\\^`]*$/;

/**
 * Reads the body of a delivery as JSON or as a form, by what it is rather than by what its
 * Content-Type says (TeXML senders and the tools of users get that wrong).
 *
 * - starts with `{`, `[` or `"`: JSON and nothing else, so that a body cut off in transit is never
 *   taken for a form because of some `=` in it
 * - else a form, if the Content-Type says so, or if it holds a `=` and only characters of an encoded form
 * - else JSON (numbers, `true`, `null`)
 *
 * Refused: invalid UTF-8, a form of more than 2,000 fields, truncated JSON, JSON nested deeper than 100 levels
 * or of more than 250,000 values, plain text, XML, and an empty body unless the Content-Type says form. A byte
 * order mark is tolerated.
 *
 * @param rawBody - the bytes as received
 * @param contentType - the header's value, if any
 * @returns the value without any own `__proto__` key. Never throws.
 */
export function parseBody(rawBody: Buffer, contentType: string | undefined): ParsedBody {
  if (!isUtf8(rawBody)) return refuse('the body is not valid UTF-8');
  const decoded = rawBody.toString('utf8');
  const text = decoded.startsWith('\uFEFF') ? decoded.slice(1) : decoded;
  if (startsLikeJson(text)) return parseJson(text);
  if (isFormType(contentType) || (text.includes('=') && ENCODED_FORM.test(text))) {
    if (hasMoreFields(text, MOST_FIELDS)) return refuse(`the form has more than ${MOST_FIELDS} fields`);
    return { ok: true, body: readFormFields(text), form: true };
  }
  if (text.trim() === '') return refuse('the body is empty');
  return parseJson(text);
}

function startsLikeJson(text: string): boolean {
  return /^\s*[{["]/.test(text);
}

function hasMoreFields(text: string, most: number): boolean {
  let at = -1;
  for (let count = 0; count < most; count += 1) {
    at = text.indexOf('&', at + 1);
    if (at === -1) return false;
  }
  return true;
}

function isFormType(contentType: string | undefined): boolean {
  const essence = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return essence === 'application/x-www-form-urlencoded';
}

const TOO_MANY = `the JSON has more than ${MOST_VALUES} values`;
const TOO_DEEP = `the JSON is nested deeper than ${MAX_DEPTH} levels`;

function parseJson(text: string): ParsedBody {
  if (isTooDeep(text)) return refuse(TOO_DEEP);
  if (text.length > MOST_VALUES && hasMoreValues(text, MOST_VALUES)) return refuse(TOO_MANY);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // The engine's message quotes the body, which may hold signed links.
    return refuse('the body is neither complete JSON nor a form');
  }
  if (mayHavePrototype(text) && !sanitiseJson(body)) return refuse(TOO_DEEP);
  return { ok: true, body, form: false };
}

function refuse(reason: string): ParsedBody {
  return { ok: false, reason: `${reason}; ${JSON_ADVICE}` };
}
