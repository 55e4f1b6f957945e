import { CodedError } from '../../../errors/coded-error';
import type { Place } from '../../../webhook/log/delivery-log';

/** Where a delivery is: in the log that keeps deliveries for so many days. */
export interface DeliveryPlace {
  days: number;
  place: Place;
}

/** A sequence for each log, by the days that it keeps. */
export type Cursor = ReadonlyMap<number, number>;

const ID = /^(\d{1,7})\.(\d{1,10})\.(\d{1,15})\.(\d{1,10})\.(\d{1,15})$/;
const PART = /^(\d{1,7}):(\d{1,15})$/;
/** Characters of the longest cursor: nobody has so many different "Keep". */
const LONGEST_CURSOR = 4000;

/** The id of a delivery in the editor; it tells nothing about the delivery. */
export function idOfPlace({ days, place: { segment, at, length, sequence } }: DeliveryPlace): string {
  return [days, segment, at, length, sequence].join('.');
}

/** @returns null when it is no id. A made-up one names nothing that is a delivery */
export function readPlace(id: unknown): DeliveryPlace | null {
  const match = typeof id === 'string' ? ID.exec(id) : null;
  if (match === null) return null;
  const [days = 0, segment = 0, at = 0, length = 0, sequence = 0] = match.slice(1).map(Number);
  return { days, place: { segment, at, length, sequence } };
}

export function textOfCursor(cursor: Cursor): string {
  return [...cursor].map(([days, sequence]) => `${days}:${sequence}`).join(',');
}

/** @returns null when there is none. @throws CodedError `BAD_SETTING` */
export function readCursor(value: unknown): Cursor | null {
  if (value === undefined || value === null) return null;
  const parts = typeof value === 'string' && value.length <= LONGEST_CURSOR ? value.split(',') : ['?'];
  const cursor = new Map<number, number>();
  for (const part of parts) {
    if (part === '') continue;
    const match = PART.exec(part);
    if (match === null) throw new CodedError('BAD_SETTING', 'The list cannot be continued. Load it again.');
    cursor.set(Number(match[1]), Number(match[2]));
  }
  return cursor;
}
