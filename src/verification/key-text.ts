import { isPaddedBase64 } from '../text/base64';
import { trailingRun } from '../text/edges';

// How a public key is spelled, before anything is decoded. The dialog checks with these rules too.

/** 32 bytes in base64, as the Telnyx portal shows a public key. */
export function isBase64Key(text: string): boolean {
  return text.length === 44 && trailingRun(text, '=') === 1 && isPaddedBase64(text);
}

/** 32 bytes in hex, which other tools show. */
export function isHexKey(text: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text);
}

/** @param text not a public key: those may begin with any letters */
export function isApiKey(text: string): boolean {
  return text.startsWith('KEY');
}

/** The beginning of a public key, enough to compare it with the Telnyx portal. @param key 44 characters of base64 */
export function beginningOfKey(key: string): string {
  return `${key.slice(0, 8)}…`;
}
