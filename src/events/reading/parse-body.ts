import { isUtf8 } from 'node:buffer';

/** A body and whether it was a form; or, as text, why it could not be read. */
type ParsedBody =
  | { readonly ok: true; readonly form: true; readonly body: FormFields }
  | { readonly ok: true; readonly form: false; readonly body: unknown }
  | { readonly ok: false; readonly reason: string };

const JSON_ADVICE = 'expected JSON or an urlencoded form';

/** Node-RED clones messages recursively; deeper bodies would overflow its stack and end the process. */
export const MAX_DEPTH = 100;

/** A one-hour transcript has about a tenth of this. This many empty lists take 100 ms to parse. */
const MOST_VALUES = 250_000;

/** A TeXML callback has about fifty. */
const MOST_FIELDS = 2000;

/** The characters of an encoded form: no white space, quotes, angle brackets or braces. */
const ENCODED_FORM = /^[^\s"<>{}\\^`]*$/;

const TOO_MANY = `the JSON has more than ${MOST_VALUES} values`;

const TOO_DEEP = `the JSON is nested deeper than ${MAX_DEPTH} levels`;

/**
 * Reads the body of a delivery as JSON or as a form, judging by its content rather than its
 * Content-Type, which TeXML senders and users' tools get wrong.
 *
 * - starts with `{`, `[` or `"`: JSON and nothing else, so that a body cut off in transit is never
 *   taken for a form because it contains a `=`
 * - else a form, if the Content-Type says so, or if it has a `=` and only characters of an encoded form
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
    // One more field than separators.
    if (hasMoreOf('&', text, MOST_FIELDS - 1)) return refuse(`the form has more than ${MOST_FIELDS} fields`);
    return { ok: true, body: readFormFields(text), form: true };
  }
  if (text.trim() === '') return refuse('the body is empty');
  return parseJson(text);
}

function startsLikeJson(text: string): boolean {
  return /^\s*[{["]/.test(text);
}

function isFormType(contentType: string | undefined): boolean {
  const essence = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return essence === 'application/x-www-form-urlencoded';
}

/** Whether a character occurs more than `most` times. */
function hasMoreOf(character: string, text: string, most: number): boolean {
  let at = -1;
  for (let count = 0; count <= most; count += 1) {
    at = text.indexOf(character, at + 1);
    if (at === -1) return false;
  }
  return true;
}

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

/** The fields of a form, flat, as sent: one string for each name. */
export type FormFields = Record<string, string>;

/**
 * Reads `application/x-www-form-urlencoded` text (a form body, or a query string without its `?`).
 *
 * Names stay literal: `CallCost[v3:…]` is one field, not an object. `+` is a space; a percent sign
 * that starts no escape stays as it is; bytes that are not UTF-8 become U+FFFD. A repeated name
 * keeps its last value, as in JSON. A field called `__proto__` is left out.
 *
 * Rule: WHATWG URL, "application/x-www-form-urlencoded parsing". Never throws.
 */
export function readFormFields(text: string): FormFields {
  const fields: FormFields = {};
  // The leading `&` keeps URLSearchParams from dropping a first `?`; empty parts are skipped.
  for (const [name, value] of new URLSearchParams(`&${text}`)) {
    if (name !== '__proto__') fields[name] = value;
  }
  return fields;
}

/**
 * Makes a freshly parsed JSON value safe to hand on: removes every own key `__proto__` (harmless as
 * parsed, but copying the object with Object.assign would change its prototype), and checks
 * that arrays and objects are nested no deeper than {@link MAX_DEPTH}. Works in place, level by
 * level without recursion.
 *
 * @returns false when the value is nested too deeply; it is then only partly cleaned
 */
export function sanitiseJson(value: unknown): boolean {
  let level: object[] = isContainer(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return false;
    const next: object[] = [];
    for (const container of level) {
      if (Object.hasOwn(container, '__proto__')) Reflect.deleteProperty(container, '__proto__');
      for (const child of Object.values(container) as unknown[]) if (isContainer(child)) next.push(child);
    }
    level = next;
  }
  return true;
}

/**
 * Whether a JSON text is nested too deeply, by its brackets: scanning the text takes less time than visiting
 * all values. For a text that may have a key `__proto__`, only `sanitiseJson` can decide, because removed keys
 * do not count.
 */
export function isTooDeep(text: string): boolean {
  // Most bodies have a handful of opening brackets, and finding those is faster still.
  if (!hasMoreOf('{', text, MAX_DEPTH / 2) && !hasMoreOf('[', text, MAX_DEPTH / 2)) return false;
  let depth = 0;
  for (let at = 0; at < text.length && depth <= MAX_DEPTH; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPENING_BRACKET || code === OPENING_BRACE) depth += 1;
    else if (code === CLOSING_BRACKET || code === CLOSING_BRACE) depth -= 1;
  }
  return depth > MAX_DEPTH && !mayHavePrototype(text);
}

/**
 * Whether a JSON text has more than `most` values: the time to parse it depends on the number of values, not of
 * characters.
 */
export function hasMoreValues(text: string, most: number): boolean {
  let count = 1;
  for (let at = 0; at < text.length && count <= most; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COMMA || code === OPENING_BRACKET || code === OPENING_BRACE) count += 1;
  }
  return count > most;
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];

const [OPENING_BRACKET, OPENING_BRACE, CLOSING_BRACKET, CLOSING_BRACE] = [0x5b, 0x7b, 0x5d, 0x7d];

/** @returns where the closing quote is, or the end of the text */
function endOfString(text: string, begin: number): number {
  for (let at = begin + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return text.length;
}

/** Whether a JSON text can have a key `__proto__`, which may be spelled with escapes. */
export function mayHavePrototype(text: string): boolean {
  return text.includes('__proto__') || text.includes('\\u');
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
