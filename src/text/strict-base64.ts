import { isPaddedBase64 } from './base64';

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
