/**
 * Reads a list of HMAC secrets, separated like public keys. The text of each is the key, as its
 * UTF-8 bytes; a secret that stands there twice counts once.
 */
export function parseSecrets(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((entry) => entry !== ''))];
}
