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

const LONGEST_ID = 256;

/**
 * Characters that would end or leave a path segment if a proxy decodes it: separators, escapes, control
 * characters, and lone surrogates. No id of Telnyx or Daily contains any of them.
 */
const LEAVES_SEGMENT = /[/\\%?#;\p{Cc}\p{Cs}\p{Co}]/u;

/**
 * An id from outside as one segment of an API path. Ids come in events and messages: one that is
 * really a path (`../phone_numbers`) must never reach another endpoint, least of all with DELETE.
 *
 * @returns the id, percent-encoded
 * @throws CodedError `NO_RECORDING` when no API can know such an id
 */
export function idSegment(id: string): string {
  if (id.length > LONGEST_ID || /^\.*$/.test(id) || LEAVES_SEGMENT.test(id))
    throw new CodedError(
      'NO_RECORDING',
      `Expected the id of a recording, but ${shown(id)} is not one, so the API was not asked. Take the id from the event.`
    );
  return encodeURIComponent(id);
}

function shown(id: string): string {
  return id === '' ? 'an empty text' : `"${id.slice(0, 40).replace(/[^\w.:/-]/g, '�')}"`;
}
