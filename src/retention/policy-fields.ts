// What a policy may say, shared by the runtime and the dialog.

export const DIRECTIONS = ['inbound', 'outbound'] as const;

export type Direction = (typeof DIRECTIONS)[number];

/** A hundred years, and more than anybody is obliged to keep a call. */
export const MOST_DAYS = 36_525;

/** Characters of a name, and of each condition. */
export const LONGEST_TEXT = 200;

export function isDays(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MOST_DAYS;
}

/** @returns null: blank; undefined: neither blank nor a number of days */
export function readDays(value: unknown): number | null | undefined {
  if (value === undefined || value === null || (typeof value === 'string' && value.trim() === ''))
    return null;
  const number = typeof value === 'string' && /^\s*\d{1,6}\s*$/.test(value) ? Number(value) : value;
  return isDays(number) ? number : undefined;
}

/** Whether a text can be the beginning of a telephone number: digits, perhaps after a `+`. */
export function isNumberStart(text: string): boolean {
  return /^\+?\d{1,15}$/.test(text);
}

/** A property of a message, and its value as text; null: any but empty. */
export interface WantedProperty {
  name: string;
  value: string | null;
}

/** @param text `name` or `name=value`. @returns null when there is no name */
export function readProperty(text: string): WantedProperty | null {
  const at = text.indexOf('=');
  const name = (at === -1 ? text : text.slice(0, at)).trim().replace(/^msg\./, '');
  if (name === '' || name.split('.').includes('')) return null;
  return { name, value: at === -1 ? null : text.slice(at + 1).trim() };
}
