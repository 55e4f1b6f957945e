import { withoutTrailingSlashes } from '../../src/text/edges';

// The address of a webhook node as a provider sees it. The dialogs use this too, so it needs nothing of Node.js.

/** What is wrong with a public address: nothing on the internet reaches it, or not as it is written. */
export type AddressFault = 'not-an-address' | 'private' | 'not-https';

/**
 * The webhook URL of a node.
 *
 * @param base public address of this Node-RED, such as `https://hooks.example.com`, with or without a path
 * @param nodeRoot `httpNodeRoot`
 */
export function webhookUrl(base: string, nodeRoot: string, path: string): string {
  return withoutTrailingSlashes(base.trim()) + `/${nodeRoot}/${path}`.replace(/\/{2,}/g, '/');
}

/** What is wrong with a public address, the worst first; null for a good one. */
export function addressFault(address: string): AddressFault | null {
  const text = address.trim();
  if (!/^https?:\/\/[^\s?#@]+$/i.test(text) || !URL.canParse(text)) return 'not-an-address';
  const { protocol, hostname } = new URL(text);
  if (isPrivateHost(hostname)) return 'private';
  return protocol === 'https:' ? null : 'not-https';
}

/** Domains that are never on the internet (RFC 6761, 6762, 8375, and the private-use `internal`). */
const PRIVATE_DOMAINS = ['localhost', 'local', 'internal', 'lan', 'home.arpa', 'test', 'invalid'];

/** Networks of RFC 1918, 3927, 6598 and 1122. */
const PRIVATE_IPV4 =
  /^(?:0|10|127|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;

/** @param hostname as `URL` normalises it */
function isPrivateHost(hostname: string): boolean {
  if (hostname.startsWith('[')) return /^\[(?:::|f[cd]|fe[89ab])/.test(hostname);
  if (/^[\d.]+$/.test(hostname)) return PRIVATE_IPV4.test(hostname);
  // A name without a dot is one of the own network.
  if (!hostname.includes('.')) return true;
  return PRIVATE_DOMAINS.some((domain) => hostname.endsWith(`.${domain}`));
}
