import { CodedError } from '../../errors/coded-error';

/** From `from` (included) to `to` (excluded); milliseconds since 1970. */
export interface Span {
  from: number;
  to: number;
}

/** A month or a day in UTC: there is no summer time, and it is the same one for everybody. */
export interface Period extends Span {
  /** `2026-11`, `2026-11-30`. */
  name: string;
}

const MONTH = /^(\d{4})-(0[1-9]|1[0-2])$/;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * @param text such as `2026-11`
 * @throws CodedError `BAD_SETTING`
 */
export function monthPeriod(text: string): Period {
  const [, year, month] = MONTH.exec(text) ?? [];
  if (year === undefined || month === undefined || Number(year) < 1970)
    throw new CodedError('BAD_SETTING', 'The month of a certificate must be like 2026-11. Correct it.');
  return monthAt(Number(year), Number(month) - 1);
}

/** The month before. */
export function monthBefore({ from }: Period): Period {
  const date = new Date(from);
  return monthAt(date.getUTCFullYear(), date.getUTCMonth() - 1);
}

export function daysOf({ from, to }: Span): Period[] {
  const days: Period[] = [];
  for (let at = from; at < to; at += DAY_MS)
    days.push({ name: new Date(at).toISOString().slice(0, 10), from: at, to: at + DAY_MS });
  return days;
}

/** @param month from 0; -1 is December of the year before */
function monthAt(year: number, month: number): Period {
  const from = Date.UTC(year, month);
  return { name: new Date(from).toISOString().slice(0, 7), from, to: Date.UTC(year, month + 1) };
}
