import type { Say } from '../tab';

const PACKAGE = '@red-telephony/node-red-telnyx';

/** Decimal units, as disks and browsers count. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [count, at] = [bytes, 0];
  for (; count >= 1000 && at < units.length - 1; at += 1) count /= 1000;
  const digits = at === 0 || count >= 100 ? 0 : 1;
  return `${count.toLocaleString(undefined, { maximumFractionDigits: digits })} ${units[at] ?? ''}`;
}

export function countText(count: number): string {
  return count.toLocaleString();
}

/** The time of day; with the date when it is not today. @param at milliseconds since 1970 */
export function timeText(at: number): string {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date().toDateString();
  return isToday ? time.toLocaleTimeString() : time.toLocaleString();
}

/** A span of time in one or two units: `8 s`, `1 min 20 s`, `3 h`. */
export function spanText(say: Say, ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return say('time.seconds', { seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return say('time.minutes-seconds', { minutes, seconds: seconds % 60 });
  if (minutes < 60) return say('time.minutes', { minutes });
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? say('time.hours', { hours }) : say('time.days', { days: Math.floor(hours / 24) });
}

/** A text of a node's own catalogue; blank when it has none. */
export function nodeText(type: string, key: string, values?: Record<string, string | number>): string {
  const full = `${PACKAGE}/${type}:${type}.${key}`;
  const text = RED._(full, values);
  return full.endsWith(text) ? '' : text;
}

/** Why a delivery was refused, in a few words. */
export function causeText(code: string): string {
  return nodeText('telnyx-webhook-in', `status.cause.${code}`) || code;
}

/** Why a recording waits, in a few words. */
export function troubleText(trouble: string): string {
  return nodeText('telnyx-recording-download', `status.trouble.${trouble}`) || trouble;
}
