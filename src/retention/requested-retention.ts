import { CodedError } from '../errors/coded-error';
import { asFields, fieldOf, type Fields } from '../values/fields';
import { readTime } from '../values/time';
import { isDays, MOST_DAYS } from './policy-fields';

/** Days after the recording, an absolute time (ISO 8601 UTC), or null for no such date. */
export type RequestedDate = number | string | null;

/** What a message asks for; a field that is absent is left to the rules. */
export interface RequestedRetention {
  keepUntil?: RequestedDate;
  deleteAfter?: RequestedDate;
}

const NAMES = ['keepUntil', 'deleteAfter'] as const;

/**
 * Whether a value is meant to ask for dates. Flows without a policy may have something of their own under this name.
 *
 * @param value from a flow, untrusted
 */
export function isRequest(value: unknown): boolean {
  const fields = asFields(value);
  return NAMES.some((name) => fieldOf(fields, name) !== undefined);
}

/**
 * Reads `msg.retention`: `{keepUntil, deleteAfter}`, each a number of days after the recording, a time as text with its
 * zone, or null. Anything else is an error: a slip of the pen must not let a recording be deleted.
 *
 * @param value from a flow, untrusted. @returns null when there is none
 * @throws CodedError `BAD_SETTING`
 */
export function readRequested(value: unknown): RequestedRetention | null {
  if (value === undefined || value === null) return null;
  const fields = asFields(value);
  const names = fields === null ? [] : Object.keys(fields);
  if (fields === null || names.some((name) => name !== 'keepUntil' && name !== 'deleteAfter'))
    throw bad('it must be an object with keepUntil and deleteAfter, and nothing else');
  const requested: RequestedRetention = {};
  for (const name of NAMES) {
    const date = dateOf(fields, name);
    if (date !== undefined) requested[name] = date;
  }
  const { keepUntil, deleteAfter } = requested;
  const isSameKind = typeof keepUntil === typeof deleteAfter;
  if (isSameKind && keepUntil != null && deleteAfter != null && deleteAfter < keepUntil)
    throw bad('deleteAfter is before keepUntil');
  return requested;
}

function dateOf(fields: Fields, name: (typeof NAMES)[number]): RequestedDate | undefined {
  const value = fieldOf(fields, name);
  if (value === undefined || value === null || isDays(value)) return value;
  // A time without a zone means different moments on different machines.
  const time =
    typeof value === 'string' && /(?:Z|[+-]\d{2}:?\d{2})\s*$/i.test(value) ? readTime(value) : null;
  if (time !== null) return time;
  throw bad(
    `${name} must be a whole number of days from 1 to ${MOST_DAYS}, a time such as 2033-12-31T23:00:00Z, or null`
  );
}

function bad(what: string): CodedError {
  return new CodedError('BAD_SETTING', `msg.retention cannot be used: ${what}. Nothing was stored.`);
}
