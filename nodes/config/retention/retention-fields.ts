// The valid settings of a retention, for the dialog.

import { isNumberStart, LONGEST_TEXT, readDays, readProperty } from '../../../src/retention/policy-fields';

/** Days until recordings may, and have to, be deleted; as a dialog holds them. */
export interface SavedPeriods {
  keepUntil?: unknown;
  deleteAfter?: unknown;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

export function isShort(value: unknown): boolean {
  return text(value).length <= LONGEST_TEXT;
}

/** Whether recordings would be deleted before they may be. */
export function isOutOfOrder({ keepUntil, deleteAfter }: SavedPeriods): boolean {
  const kept = readDays(keepUntil);
  const deleted = readDays(deleteAfter);
  return typeof kept === 'number' && typeof deleted === 'number' && deleted < kept;
}

/** Whether the runtime can read a rule. @param rule of a flow, untrusted */
export function isUsableRule(rule: unknown): boolean {
  if (typeof rule !== 'object' || rule === null) return false;
  const { when = {}, ...periods } = rule as SavedPeriods & { when?: unknown };
  if (typeof when !== 'object' || when === null || !Object.values(when).every(isShort)) return false;
  const { number, property } = when as { number?: unknown; property?: unknown };
  const start = text(number);
  const wanted = text(property);
  if (start !== '' && !isNumberStart(start)) return false;
  if (wanted !== '' && readProperty(wanted) === null) return false;
  const { keepUntil, deleteAfter } = periods;
  return [keepUntil, deleteAfter].every((days) => readDays(days) !== undefined) && !isOutOfOrder(periods);
}
