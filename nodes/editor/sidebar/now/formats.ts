import { dateAndTime, timeOfDay } from '../../lib/in-locale';

export { bytesText, countText, spanText } from '../../lib/in-locale';

const PACKAGE = '@red-telephony/node-red-telnyx';

/** The time of day; with the date when it is not today. @param at milliseconds since 1970 */
export function timeText(at: number): string {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date().toDateString();
  return isToday ? timeOfDay(time) : dateAndTime(time);
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
