import { CodedError } from '../errors/coded-error';
import { decodePaddedBase64, decodeStrictBase64 } from '../values/fields';
import { KEY_LENGTH, isLowOrderPoint } from './ed25519';
import { isApiKey, isHexKey } from './key-text';

interface PublicKeys {
  /** 32 bytes each, in the order written, without duplicates. */
  keys: Buffer[];
  /** One `BAD_PUBLIC_KEY` for each invalid entry. The valid keys stay usable. */
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
    const reason = whyNoPublicKey(entry);
    if (reason !== null) {
      problems.push(new CodedError('BAD_PUBLIC_KEY', `${position} ${reason}`));
      return;
    }
    const key = Buffer.from(entry, 'base64');
    if (!keys.some((known) => known.equals(key))) keys.push(key);
  });
  return { keys, problems };
}

function whyNoPublicKey(entry: string): string | null {
  const copyAgain = 'Copy it again from the Telnyx portal: Keys & Credentials, Public Key.';
  if (isUnsetVariable(entry)) {
    return 'names an environment variable that is not set. Set it, or put the key itself here.';
  }
  if (isHexKey(entry)) return `is written in hex; it must be base64 (44 characters). ${copyAgain}`;
  const key = decodeStrictBase64(entry);
  // Only if it is not a key: a public key may begin with any letters.
  if (key?.length !== KEY_LENGTH && isApiKey(entry)) {
    return (
      'is an API key. That is a secret and belongs in "API key"; here everybody who gets the flow can read ' +
      'it. Copy the other one from the Telnyx portal: Keys & Credentials, Public Key.'
    );
  }
  if (key === null) return `is not base64. ${copyAgain}`;
  if (key.length !== KEY_LENGTH) return `has ${key.length} bytes; it must have ${KEY_LENGTH}. ${copyAgain}`;
  if (isLowOrderPoint(key)) return `is a weak key that would let anybody sign. ${copyAgain}`;
  return null;
}

interface DailySecrets {
  /** Decoded, in the order written, without duplicates. */
  secrets: Buffer[];
  /** One `BAD_PUBLIC_KEY` for each invalid entry. The valid ones stay usable. */
  problems: CodedError[];
}

/**
 * Reads the secrets of Daily's webhooks. One is usual; several, separated by white space or commas,
 * cover several webhooks, or the time while a secret is being replaced.
 *
 * @param text base64, the `hmac` of a webhook (docs.daily.co, REST API, "Webhooks")
 */
export function parseDailySecrets(text: string): DailySecrets {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  const secrets: Buffer[] = [];
  const problems: CodedError[] = [];
  entries.forEach((entry, index) => {
    const secret = decodePaddedBase64(entry);
    if (secret === null) {
      const position =
        entries.length === 1 ? 'The hmac secret' : `Hmac secret ${index + 1} of ${entries.length}`;
      problems.push(new CodedError('BAD_PUBLIC_KEY', `${position} ${whyNoSecret(entry)}`));
    } else if (!secrets.some((known) => known.equals(secret))) secrets.push(secret);
  });
  return { secrets, problems };
}

function whyNoSecret(entry: string): string {
  if (isUnsetVariable(entry))
    return 'names an environment variable that is not set. Set it, or put the secret itself here.';
  return (
    'is not base64. Copy the text of "hmac", without the quotes, from Daily\'s answer to the command that created the webhook; ' +
    'GET /webhooks shows it again.'
  );
}

/**
 * Reads a list of HMAC secrets, separated like public keys. The UTF-8 bytes of each
 * text are the key; duplicates count once.
 *
 * The name of an environment variable that is not set is skipped: as a secret it could be guessed.
 */
export function parseSecrets(text: string): string[] {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '' && !isUnsetVariable(entry));
  return [...new Set(entries)];
}

/**
 * Whether a text is what Node-RED leaves of a setting whose environment variable is not set:
 * `${NAME}`, or `$(NAME)` from older flows.
 */
export function isUnsetVariable(text: string): boolean {
  return /^\$(?:\{[^\s{}]+\}|\([^\s()]+\))$/.test(text);
}
