import { CodedError } from '../errors/coded-error';
import { isLowOrderPoint, KEY_LENGTH } from './ed25519';
import { isApiKey, isHexKey } from './key-text';
import { decodeStrictBase64 } from '../text/strict-base64';
import { isUnsetVariable } from './unset-variable';

export interface PublicKeys {
  /** 32 bytes each, in the order written; a key that stands there twice counts once. */
  keys: Buffer[];
  /** One `BAD_PUBLIC_KEY` for each entry that is none. The good keys stay usable beside them. */
  problems: CodedError[];
}

/**
 * Reads the account's public keys.
 *
 * @param text base64 keys as the Telnyx portal shows them (Keys & Credentials, Public Key),
 *   separated by white space, commas or line breaks
 */
export function parsePublicKeys(text: string): PublicKeys {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  const keys: Buffer[] = [];
  const problems: CodedError[] = [];
  entries.forEach((entry, index) => {
    const position = entries.length === 1 ? 'The public key' : `Public key ${index + 1} of ${entries.length}`;
    const reason = whyUnusable(entry);
    if (reason !== null) {
      problems.push(new CodedError('BAD_PUBLIC_KEY', `${position} ${reason}`));
      return;
    }
    const key = Buffer.from(entry, 'base64');
    if (!keys.some((known) => known.equals(key))) keys.push(key);
  });
  return { keys, problems };
}

function whyUnusable(entry: string): string | null {
  const copyAgain = 'Copy it again from the Telnyx portal: Keys & Credentials, Public Key.';
  if (isUnsetVariable(entry)) {
    return 'names an environment variable that is not set. Set it, or put the key itself here.';
  }
  if (isHexKey(entry)) return `is written in hex; it must be base64 (44 characters). ${copyAgain}`;
  const key = decodeStrictBase64(entry);
  // Only what is no key: a public key may begin with any letters.
  if (key?.length !== KEY_LENGTH && isApiKey(entry)) {
    return (
      'is an API key. That is a secret and belongs into "API key"; here everybody who gets the flow can read ' +
      'it. Copy the other one from the Telnyx portal: Keys & Credentials, Public Key.'
    );
  }
  if (key === null) return `is not base64. ${copyAgain}`;
  if (key.length !== KEY_LENGTH) return `has ${key.length} bytes; it must have ${KEY_LENGTH}. ${copyAgain}`;
  if (isLowOrderPoint(key)) return `is a weak key that would let anybody sign. ${copyAgain}`;
  return null;
}
