import { isUnsetVariable } from './unset-variable';

/**
 * Reads a list of HMAC secrets, separated like public keys. The text of each is the key, as its
 * UTF-8 bytes; a secret that stands there twice counts once.
 *
 * The name of an environment variable that is not set is left out: as a secret it could be guessed.
 */
export function parseSecrets(text: string): string[] {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '' && !isUnsetVariable(entry));
  return [...new Set(entries)];
}
