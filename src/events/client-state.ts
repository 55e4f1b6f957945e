import { isUtf8 } from 'node:buffer';
import { decodeStrictBase64 } from '../text/strict-base64';

/**
 * `client_state` as the flow author wrote it.
 *
 * Telnyx hands back the base64 it was given. Other Telnyx products put binary terms there, and some
 * users text that was never encoded; both come out unchanged.
 *
 * @param value - the field as received
 * @returns the decoded text when the value is strict, padded base64 of valid UTF-8; the value itself
 * when it is any other string; null when it is absent or no string
 */
export function decodeClientState(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  // Also spare bits in the last character mean that it was not made by an encoder.
  const bytes = decodeStrictBase64(value);
  return bytes !== null && isUtf8(bytes) ? bytes.toString('utf8') : value;
}
