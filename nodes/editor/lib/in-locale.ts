// Numbers, times and spans as the language of the editor writes them.

/** The languages of the browser tell the country too, such as `de-AT`: taken where the language is that of the editor. */
function locale(): string {
  const language = RED.i18n.lang();
  const [base = language] = language.split('-');
  const own = navigator.languages.find((each) => each.split('-')[0] === base);
  return own ?? language;
}

export function countText(count: number, digits = 0): string {
  return count.toLocaleString(locale(), { maximumFractionDigits: digits });
}

export function timeOfDay(time: Date, options?: Intl.DateTimeFormatOptions): string {
  return time.toLocaleTimeString(locale(), options);
}

export function dateAndTime(time: Date, options?: Intl.DateTimeFormatOptions): string {
  return time.toLocaleString(locale(), options);
}

/** Decimal units, as disks and browsers count. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${countText(bytes)} B`;
  const units = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
  let [count, at] = [bytes / 1000, 0];
  for (; count >= 1000 && at < units.length - 1; at += 1) count /= 1000;
  const maximumFractionDigits = count >= 100 ? 0 : 1;
  const unit = units[at] ?? 'terabyte';
  return count.toLocaleString(locale(), { style: 'unit', unit, maximumFractionDigits });
}

/** Translates a key of the sidebar's catalogue, which has the units. */
type Say = (key: string, values: Record<string, number>) => string;

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
