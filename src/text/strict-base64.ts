import { trailingRun } from './edges';

const OTHERS = /[^A-Za-z0-9+/]/;

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
  const padding = trailingRun(text, '=');
  // Not as one pattern: the groups of four of a long text would fill the stack of the pattern.
  const isBase64 =
    text.length % 4 === 0 && padding <= 2 && !OTHERS.test(text.slice(0, text.length - padding));
  return isBase64 ? Buffer.from(text, 'base64') : null;
}
