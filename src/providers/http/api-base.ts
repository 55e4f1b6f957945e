import { CodedError } from '../../errors/coded-error';
import { withoutTrailingSlashes } from '../../text/edges';

/** The one place that an API client talks to. */
export interface ApiBase {
  origin: string;
  host: string;
  /** Without a slash at the end; may be empty. */
  path: string;
}

/**
 * Reads the API address of an account.
 *
 * @param example of a good one, for the error text
 * @throws CodedError `BAD_SETTING`
 */
export function apiBase(apiUrl: string, example: string): ApiBase {
  let url: URL;
  try {
    url = new URL(apiUrl);
  } catch {
    throw badAddress('it is not a complete address', example);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw badAddress('it is neither https nor http', example);
  if (url.username !== '' || url.password !== '')
    throw badAddress('it holds a user name or password', example);
  if (url.search !== '' || url.hash !== '') throw badAddress('it has a part after "?" or "#"', example);
  return { origin: url.origin, host: url.host, path: withoutTrailingSlashes(url.pathname) };
}

function badAddress(reason: string, example: string): CodedError {
  return new CodedError(
    'BAD_SETTING',
    `The API address of the account cannot be used: ${reason}. Expected one like ${example}.`
  );
}
