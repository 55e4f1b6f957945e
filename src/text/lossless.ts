import { createHash } from 'node:crypto';

/** Of the last plane for private use; no sender has a meaning for it. */
const MARK = '\u{10fffd}';

/**
 * Makes a text the same in UTF-8 as in memory. Halves of characters, which JSON can spell (`\ud800`), all become
 * the same `\ufffd` there, so that two ids would be one as soon as they are a key, a file name or an
 * address, or come back from disk. Such a text gets a hash of what it was. All others stay as they are.
 */
export function losslessText(text: string): string {
  if (text.isWellFormed() && !text.includes(MARK)) return text;
  const hash = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, 32);
  return `${text.toWellFormed()}${MARK}${hash}`;
}

/** Whether a text was changed by `losslessText`: it names nothing that anybody else knows. */
export function isChangedText(text: string): boolean {
  return text.includes(MARK) || !text.isWellFormed();
}
