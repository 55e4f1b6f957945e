import { CodedError } from '../errors/coded-error';
import { decodePaddedBase64 } from '../text/strict-base64';
import { isUnsetVariable } from './unset-variable';

export interface DailySecrets {
  /** Decoded, in the order written; a secret that stands there twice counts once. */
  secrets: Buffer[];
  /** One `BAD_PUBLIC_KEY` for each entry that is none. The good ones stay usable beside them. */
  problems: CodedError[];
}

/**
 * Reads the secrets of Daily's webhooks. One is usual; several, separated by white space or commas,
 * serve several webhooks, or a secret that is being changed.
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
      problems.push(new CodedError('BAD_PUBLIC_KEY', `${position} ${whyUnusable(entry)}`));
    } else if (!secrets.some((known) => known.equals(secret))) secrets.push(secret);
  });
  return { secrets, problems };
}

function whyUnusable(entry: string): string {
  if (isUnsetVariable(entry))
    return 'names an environment variable that is not set. Set it, or put the secret itself here.';
  return (
    'is not base64. Copy the text of "hmac", without the quotes, from Daily\'s answer to the command that created the webhook; ' +
    'GET /webhooks shows it again.'
  );
}
