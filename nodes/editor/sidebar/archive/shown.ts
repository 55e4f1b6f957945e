import { dateAndTime } from '../../lib/in-locale';
import type { ArchiveRow } from './archive-api';

/** What the keys of the texts of a group begin with. */
export const TEXTS = {
  kind: 'archive.kind.',
  provider: 'archive.provider.',
  fact: 'archive.fact.',
  event: 'archive.log.event.'
} as const;

/** The time of a recording, here. @param at ISO 8601 UTC; as it was told when it is no time */
export function shownTime(at: string): string {
  return shownAs(at, { dateStyle: 'medium', timeStyle: 'short' });
}

/** As `shownTime`, the day only. */
export function shownDay(at: string): string {
  return shownAs(at, { dateStyle: 'medium' });
}

function shownAs(at: string, options: Intl.DateTimeFormatOptions): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? at : dateAndTime(time, options);
}

/** @param seconds null when unknown. @returns `3:07` or `1:02:03`; empty when unknown */
export function shownDuration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '';
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Who talked: numbers, or the name of a room. @param unknown stands for a number that is not known */
export function shownParties({ from, to, room }: ArchiveRow, unknown: string): string {
  if (from === null && to === null) return room ?? unknown;
  return `${from ?? unknown} → ${to ?? unknown}`;
}

/** The icon of a kind of file. */
export const KIND_ICONS: Readonly<Record<ArchiveRow['kind'], string>> = {
  audio: 'volume-up',
  video: 'video-camera',
  fax: 'fax',
  text: 'file-text-o',
  other: 'file-o'
};
