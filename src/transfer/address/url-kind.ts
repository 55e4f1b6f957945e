import { parseUrl } from '../../text/parse-url';

/** What an address is, as far as its text tells. */
export type UrlKind =
  | { kind: 'http'; url: URL }
  | { kind: 'https'; url: URL }
  | { kind: 'unsupported'; advice: string }
  | { kind: 'refused'; reason: string };

/** RFC 1035, 2.3.4, and a dot at the end. */
const LONGEST_HOST = 254;

const AZURE_BLOB_HOST = /\.blob\.core\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)$/;

/**
 * Sorts the addresses that Telnyx puts into events. Recordings kept in a customer's own storage are
 * announced by their place in that storage (`s3://`, `gs://`, Azure blob without a signature), which
 * plain HTTP cannot fetch.
 *
 * @param address as it arrived
 * @returns texts hold neither path nor query of the address
 */
export function urlKind(address: string): UrlKind {
  const url = parseUrl(address);
  if (url === null)
    return { kind: 'refused', reason: 'it is not a complete URL, or longer than any that works' };
  if (url.hostname.length > LONGEST_HOST)
    return { kind: 'refused', reason: 'its host name is longer than any that exists' };
  switch (url.protocol) {
    case 's3:':
      return { kind: 'unsupported', advice: ownStorage('an Amazon S3 (or compatible) bucket') };
    case 'gs:':
      return { kind: 'unsupported', advice: ownStorage('a Google Cloud Storage bucket') };
    case 'http:':
    case 'https:':
      if (AZURE_BLOB_HOST.test(url.hostname) && !url.searchParams.has('sig'))
        return { kind: 'unsupported', advice: ownStorage('an Azure blob container') };
      return { kind: url.protocol === 'http:' ? 'http' : 'https', url };
    default:
      return { kind: 'refused', reason: `"${url.protocol}" is neither https nor http` };
  }
}

function ownStorage(place: string): string {
  return (
    `The recording is in ${place} of your own (custom storage of the Telnyx connection); its link cannot be ` +
    'downloaded without the credentials of that storage. It is already in your hands: fetch it with a storage ' +
    'client, or remove the custom storage of the connection so that Telnyx keeps new recordings.'
  );
}

/**
 * The request target of an address byte for byte, because a signature covers it. The normalised
 * form is used only where the bytes could be read in two ways or cannot be sent.
 *
 * @param address as it arrived; @param url the same, parsed
 * @returns path and query, without the fragment; starts with `/`
 */
export function requestTarget(address: string, url: URL): string {
  const normalised = url.pathname + url.search;
  // Backslashes, blanks and control characters are where parsers disagree on the end of the host.
  if (/[^\x21-\x7e]|\\/.test(address)) return normalised;
  const exact = /^https?:\/\/[^/?#]+(\/[^#]*)/i.exec(address)?.[1];
  return exact ?? normalised;
}
