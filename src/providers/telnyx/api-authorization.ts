import { parseUrl } from '../../text/parse-url';

/** A signed link opens itself; a key beside it would be refused by the storage, and leak. */
const SIGNED = /[?&](X-Amz-Signature|Signature|X-Goog-Signature|sig)=/i;

/**
 * The `Authorization` header for a link, if it needs one: TeXML `RecordingUrl`s can point at the
 * provider's own API. The key goes to exactly the host of `apiUrl`, by the scheme of `apiUrl`, and
 * nowhere else.
 *
 * @param apiUrl as set in the account
 * @param apiKey null when the account has none
 */
export function apiAuthorization(url: string, apiUrl: string, apiKey: string | null): string | undefined {
  if (apiKey === null) return undefined;
  const link = parseUrl(url);
  const api = parseUrl(apiUrl);
  if (link === null || api === null) return undefined;
  const same = link.protocol === api.protocol && link.host === api.host;
  return same && !SIGNED.test(link.search) ? `Bearer ${apiKey}` : undefined;
}
