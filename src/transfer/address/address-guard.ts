import { isIP } from 'node:net';
import { CodedError } from '../../errors/coded-error';
import { isPublicAddress } from './public-address';
import type { NetworkPolicy } from '../transfer-types';
import { requestTarget, urlKind } from './url-kind';

/** An address that passed the rules which its text alone can break. */
export interface CheckedAddress {
  url: URL;
  /** Path and query byte for byte. */
  target: string;
  /** `Basic …` from `user:password@` in the address, under the policy `any` only. */
  authorization: string | undefined;
}

/**
 * Checks an address before anything is sent. Names are checked again when they are resolved, at
 * the socket (`transfer-agents.ts`): only there it is certain which machine is contacted.
 *
 * @param isPublic which literal addresses count as public; replaced in tests
 * @throws CodedError `UNSUPPORTED_URL`, `UNSAFE_URL`; neither is worth a retry
 */
export function checkAddress(
  address: string,
  policy: NetworkPolicy,
  isPublic: (address: string) => boolean = isPublicAddress
): CheckedAddress {
  const sorted = urlKind(address);
  if (sorted.kind === 'unsupported') throw new CodedError('UNSUPPORTED_URL', sorted.advice);
  if (sorted.kind === 'refused')
    throw new CodedError('UNSAFE_URL', `The address was not contacted: ${sorted.reason}.`);
  const { url } = sorted;
  if (policy === 'public-https') {
    if (sorted.kind === 'http')
      throw unsafe(url, 'it is plain http, where anybody on the way can read or replace the recording');
    if (url.username !== '' || url.password !== '') throw unsafe(url, 'it carries a user name or password');
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) !== 0 && !isPublic(literal)) throw unsafe(url, 'it is not a public address');
    if (/(^|\.)localhost\.?$/.test(url.hostname)) throw unsafe(url, 'it names this machine');
  }
  return { url, target: requestTarget(address, url), authorization: basicAuthorization(url) };
}

/** The refusal of one host, with what the user can do about it. */
export function unsafe(url: Pick<URL, 'host'>, reason: string): CodedError {
  return new CodedError(
    'UNSAFE_URL',
    `${url.host} was not contacted: ${reason}. Only public https hosts are allowed. If this host is really meant, ` +
      'choose "any address, also http and private networks" under "Advanced", "Addresses" in the recording download node.'
  );
}

function basicAuthorization(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  const [user, password] = [url.username, url.password].map(percentDecoded);
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
