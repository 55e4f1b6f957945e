import { CodedError } from '../errors/coded-error';

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
 * @throws CodedError `BAD_SETTING`
 */
export function apiBase(apiUrl: string): ApiBase {
  let url: URL;
  try {
    url = new URL(apiUrl);
  } catch {
    throw badAddress('it is not a complete address');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw badAddress('it is neither https nor http');
  if (url.username !== '' || url.password !== '') throw badAddress('it holds a user name or password');
  if (url.search !== '' || url.hash !== '') throw badAddress('it has a part after "?" or "#"');
  return { origin: url.origin, host: url.host, path: url.pathname.replace(/\/+$/, '') };
}

function badAddress(reason: string): CodedError {
  return new CodedError(
    'BAD_SETTING',
    `The API address of the account cannot be used: ${reason}. Expected one like https://api.telnyx.com/v2.`
  );
}
