/** Characters that a terminal or a log would obey, reorder or hide. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/**
 * A text from outside for a log line or an error: short, and in one line.
 *
 * @param longest characters that are shown
 */
export function shownText(text: string, longest = 100): string {
  const shown = text.slice(0, longest).replace(INVISIBLE, '?');
  return text.length > longest ? `${shown}…` : shown;
}
