import { headerValues } from './header-values';
import { matchHmac } from './hmac';
import { decodeStrictBase64 } from '../text/strict-base64';
import { hasQuery, refuse, type SignedDelivery, type Verdict } from './verdict';

export const LEGACY_SIGNATURE_HEADER = 'x-telnyx-signature';

/**
 * Telnyx API v1: HMAC-SHA256 over the raw body with the secret of the v1 profile. How the digest is
 * written is not documented: hex and base64 are accepted, with or without `sha256=`. There is no
 * timestamp, so only the memory of identities stops a replay.
 */
export function verifyLegacy(delivery: SignedDelivery, secrets: readonly string[]): Verdict {
  if (secrets.length === 0) {
    return refuse(
      'NO_PUBLIC_KEY',
      'A delivery of Telnyx API v1 cannot be verified because the account has no legacy secret. Put the ' +
        'secret of the v1 profile into "API v1" of the account, or set the webhook API version to 2 in the portal.'
    );
  }
  const headers = headerValues(delivery.rawHeaders, LEGACY_SIGNATURE_HEADER);
  const text = headers.length === 1 ? (headers[0] ?? '') : '';
  const digest = readDigest(text.replace(/^sha256=/i, ''));
  if (digest === null) {
    return refuse(
      'MALFORMED_SIGNATURE',
      `The header ${LEGACY_SIGNATURE_HEADER} must be one SHA-256 digest in hex or base64.`
    );
  }
  const keyIndex = matchHmac(secrets, [delivery.rawBody], [digest]);
  if (keyIndex !== -1) return { ok: true, verified: hasQuery(delivery) ? 'partial' : 'hmac', keyIndex };
  return refuse('SIGNATURE_MISMATCH', 'The signature fits none of the legacy secrets of the account.');
}

function readDigest(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  const bytes = decodeStrictBase64(text);
  return bytes?.length === 32 ? bytes : null;
}
