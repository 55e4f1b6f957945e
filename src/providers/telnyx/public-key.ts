import { CodedError } from '../../errors/coded-error';
import { asFields, asText } from '../../values/fields';
import { parsePublicKeys } from '../../verification/account-keys';
import type { ApiAccess } from '../http/json-api';

/** More than any account has; a longer list is cut. */
const MOST_KEYS = 8;

/** A key has 44 characters; longer text is none. */
const LONGEST_KEY = 100;

/**
 * The public keys with which Telnyx signs the deliveries of an account: `GET /public_key`, which Telnyx uses in its examples
 * and does not document. One object is usual; a list is understood too.
 *
 * @returns at least one; 32 bytes each, checked as `parsePublicKeys` does
 * @throws CodedError as `JsonApi.request`; `BAD_PUBLIC_KEY` when the answer holds no usable key
 */
export async function askPublicKeys(api: Pick<ApiAccess, 'request'>, signal: AbortSignal): Promise<Buffer[]> {
  const answer = await api.request({ method: 'GET', path: ['public_key'], signal });
  const data = asFields(answer)?.['data'];
  const told = (Array.isArray(data) ? (data as unknown[]) : [data])
    .slice(0, MOST_KEYS)
    .map((entry) => asText(asFields(entry)?.['public'])?.trim() ?? '')
    .filter((text) => text !== '' && text.length <= LONGEST_KEY);
  const { keys } = parsePublicKeys(told.join('\n'));
  if (keys.length > 0) return keys;
  throw new CodedError(
    'BAD_PUBLIC_KEY',
    told.length === 0
      ? 'The API told no public key. Check the API key and the API address in the account.'
      : 'The API told a public key that is none: 32 bytes in base64 are expected. Check the API address in the account.'
  );
}
