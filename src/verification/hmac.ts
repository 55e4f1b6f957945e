import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Finds which of several secrets produced an HMAC-SHA256. Every secret is tried whatever the result, and
 * the comparison takes the same time for every wrong digest. The message is hashed once for each secret,
 * however many digests a stranger sends.
 *
 * @param secrets keys, as bytes or as text (its UTF-8 bytes)
 * @param message the signed bytes, in parts
 * @param digests as received; one of them has to match
 * @returns the index of the secret, or -1
 */
export function matchHmac(
  secrets: readonly (Buffer | string)[],
  message: readonly (Buffer | string)[],
  digests: readonly Buffer[]
): number {
  let found = -1;
  secrets.forEach((secret, index) => {
    const hmac = createHmac('sha256', secret);
    for (const part of message) hmac.update(part);
    const expected = hmac.digest();
    for (const digest of digests) {
      const matches = expected.length === digest.length && timingSafeEqual(expected, digest);
      if (matches && found === -1) found = index;
    }
  });
  return found;
}
