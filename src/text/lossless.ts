import { createHash } from 'node:crypto';
import { isPaddedBase64 } from './base64';

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

/**
 * Decodes standard base64 with padding and nothing else: no white space, no URL alphabet, no unused
 * bits set. Buffer.from alone skips what it does not know, so that many texts pass for one value.
 *
 * @returns the bytes, or null when the text is not canonical base64
 */
export function decodeStrictBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

/**
 * Decodes standard base64 with padding, whatever its unused bits are. For texts that a person made up,
 * such as a secret: a sender that signs with them ignores those bits too.
 *
 * @returns the bytes, or null when the text is not base64
 */
export function decodePaddedBase64(text: string): Buffer | null {
  return isPaddedBase64(text) ? Buffer.from(text, 'base64') : null;
}
