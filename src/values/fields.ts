import { losslessText } from '../text/lossless';
import { asFields, type Fields } from './object';

/** Readers for values that came from outside: each returns null instead of guessing. */

// On their own, because the dialogs need them where the rest, which needs Node.js, is unavailable.
export { asFields, type Fields };

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

/** @returns non-blank text, without blanks around it, as `losslessText` has it; a finite number becomes text */
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
      // No list has lists in it, and lists in lists without end would overflow the stack.
      const party = Array.isArray(entry) ? null : asParty(entry);
      if (party !== null) return party;
    }
    return null;
  }
  const fields = asFields(value);
  return fields === null ? asText(value) : firstText(fields, 'phone_number', 'agent_id');
}
