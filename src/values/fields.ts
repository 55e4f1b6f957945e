import { createHash } from 'node:crypto';
import { isPaddedBase64 } from '../text/base64';

/** Readers for values that came from outside: each returns null instead of guessing. */

export type Fields = Readonly<Record<string, unknown>>;

/** @returns the value as an object with fields; null for arrays, primitives and null */
export function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/**
 * Reads one field of a parsed body, never one of the object's prototype (`constructor`, `toString`).
 *
 * @returns undefined when there is no such field, or no object
 */
export function fieldOf(fields: Fields | null, name: string): unknown {
  return fields !== null && Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** @returns a field that is an object, else null */
export function recordField(fields: Fields | null, name: string): Fields | null {
  return asFields(fieldOf(fields, name));
}

/** @returns a field that is a string with at least one character, exactly as it is; else null */
export function textField(fields: Fields | null, name: string): string | null {
  const value = fieldOf(fields, name);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** @returns non-blank text, without blanks around it, as `losslessText` returns it; a finite number becomes text */
export function asText(value: unknown): string | null {
  const text = trimmedText(value);
  return text === null ? null : losslessText(text);
}

/** As `asText`, for text that people read: half a character in it becomes `\ufffd`. */
export function asProse(value: unknown): string | null {
  return trimmedText(value)?.toWellFormed() ?? null;
}

function trimmedText(value: unknown): string | null {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'string') return null;
  const trimmed = value.trim();
  return trimmed === '' ? null : trimmed;
}

/** @returns the first of several fields that holds text */
export function firstText(fields: Fields, ...names: string[]): string | null {
  for (const name of names) {
    const text = asText(fields[name]);
    if (text !== null) return text;
  }
  return null;
}

/** @returns a finite number >= 0, also from its decimal spelling (form fields are always text) */
export function asCount(value: unknown): number | null {
  const text = asText(value);
  if (text === null || !/^\d+(\.\d+)?$/.test(text)) return null;
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}

/** @returns a SHA-256 in lower-case hex, or null when the value is anything else */
export function asSha256(value: unknown): string | null {
  const text = asText(value);
  return text !== null && /^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : null;
}

/**
 * A number or address as events spell it: text, `{phone_number}`, or a list of either.
 *
 * @returns the first one found
 */
export function asParty(value: unknown): string | null {
  if (Array.isArray(value)) {
    for (const entry of value) {
      // Real lists contain no lists, and endless nesting would overflow the stack.
      const party = Array.isArray(entry) ? null : asParty(entry);
      if (party !== null) return party;
    }
    return null;
  }
  const fields = asFields(value);
  return fields === null ? asText(value) : firstText(fields, 'phone_number', 'agent_id');
}

/** From the last private-use plane; no sender gives it a meaning. */
const MARK = '\u{10fffd}';

/**
 * Makes a text the same in UTF-8 as in memory. In UTF-8, halves of characters, which JSON can spell (`\ud800`),
 * all become the same `\ufffd`: two ids would be one as a key, a file name or an address, or when read back from
 * disk. Such a text gets a hash of the original. All others stay as they are.
 */
export function losslessText(text: string): string {
  if (text.isWellFormed() && !text.includes(MARK)) return text;
  const hash = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, 32);
  return `${text.toWellFormed()}${MARK}${hash}`;
}

/** What stands for an identity or a place in keys of the state: they come from outside and may be longer than a key can be. */
export function keyDigest(text: string): string {
  return createHash('sha256').update(losslessText(text)).digest('base64url');
}

/** Whether `losslessText` changed a text: then no one else knows it by this name. */
export function isChangedText(text: string): boolean {
  return text.includes(MARK) || !text.isWellFormed();
}

/** Characters. No server takes longer addresses: Node.js takes at most 16 kB for all headers together. */
const LONGEST_URL = 16_384;

/**
 * Most characters of an address that is not escaped. Normalising a host name takes time that grows with the square
 * of its letters and marks: a second for 45,000 of them.
 */
const LONGEST_UNESCAPED = 2048;

/** @returns null when an outside address is invalid, or longer than any that works */
export function parseUrl(text: string): URL | null {
  if (text.length > LONGEST_URL) return null;
  if (text.length > LONGEST_UNESCAPED && /[^\x20-\x7e]/.test(text)) return null;
  return URL.canParse(text) ? new URL(text) : null;
}

/**
 * Decodes standard base64 with padding and nothing else: no white space, no URL alphabet, no unused
 * bits set. Buffer.from alone skips what it does not know, so that many texts pass for one value.
 *
 * @returns the bytes, or null when the text is not canonical base64
 */
export function decodeStrictBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

/**
 * Decodes standard base64 with padding, whatever its unused bits are. For texts that a person made up,
 * such as a secret: a sender that signs with them ignores those bits too.
 *
 * @returns the bytes, or null when the text is not base64
 */
export function decodePaddedBase64(text: string): Buffer | null {
  return isPaddedBase64(text) ? Buffer.from(text, 'base64') : null;
}
