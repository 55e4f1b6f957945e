import { CodedError } from '../../src/errors/coded-error';
import type { NumberLimits } from './number-limits';

/**
 * Reads a number that a user typed. Node-RED keeps it as text, and leaves an environment variable
 * that is not set as written (`${NAME}`).
 *
 * @param fallback used when the setting is blank or missing, as in flows saved by an older version
 * @throws CodedError `BAD_SETTING` that names the setting
 */
export function readNumber(value: unknown, name: string, limits: NumberLimits): number {
  if (value === undefined || value === null || value === '') return limits.fallback;
  const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN;
  const whole = limits.whole !== false;
  if (Number.isFinite(number) && number >= limits.min && number <= limits.max) {
    if (!whole || Number.isInteger(number)) return number;
  }
  const kind = whole ? 'a whole number' : 'a number';
  throw new CodedError('BAD_SETTING', `"${name}" must be ${kind} from ${limits.min} to ${limits.max}.`);
}

/** Reads a checkbox; an environment variable arrives as text. */
export function readBoolean(value: unknown, fallback: boolean): boolean {
  if (value === undefined || value === null || value === '') return fallback;
  return value === true || value === 'true';
}

/**
 * Reads one of several fixed words.
 *
 * @throws CodedError `BAD_SETTING` that names the setting
 */
export function readChoice<Choice extends string>(
  value: unknown,
  name: string,
  choices: readonly [Choice, ...Choice[]]
): Choice {
  if (value === undefined || value === null || value === '') return choices[0];
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw new CodedError('BAD_SETTING', `"${name}" must be one of ${choices.join(', ')}.`);
}

/** Reads text; anything else counts as blank. */
export function readText(value: unknown, fallback = ''): string {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : fallback;
}
