import { isIP } from 'node:net';
import { CodedError } from '../../errors/coded-error';

/** Where users set up a proxy, in words for error texts. */
export interface ProxySource {
  /** For example `the environment variable HTTPS_PROXY`. */
  place: string;
  /** How to enter user name and password. */
  login: string;
  /** Where hosts are excluded from the proxy. */
  exceptions: string;
}

/** An HTTP proxy. */
export interface ProxyServer {
  /** Whether the connection to the proxy itself is encrypted (`https://`). */
  readonly isTls: boolean;
  /** A name, or an address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** For texts: `proxy.example.com:3128`. */
  readonly host: string;
  readonly source: ProxySource;
  /** The `Proxy-Authorization` header; a function, so that nothing prints it by accident. */
  authorization(): string | undefined;
}

export interface ProxyAddress {
  /** `http://proxy.example.com:3128`; without a scheme it counts as http, as for curl. */
  address: string;
  source: ProxySource;
  /** These override a login in the address. Default: empty. */
  username?: string;
  password?: string;
}

/**
 * Reads the address of a proxy. No error contains the address, which may hold a password.
 *
 * @throws CodedError `BAD_SETTING` when it is not that of an HTTP proxy
 */
export function readProxy({ address, source, username = '', password = '' }: ProxyAddress): ProxyServer {
  const text = address.trim();
  const url = parsed(text.includes('://') ? text : `http://${text}`);
  if (url === null)
    throw new CodedError(
      'BAD_SETTING',
      `What is set in ${source.place} is not the address of a proxy. It must be like http://proxy.example.com:3128. ` +
        'Characters such as @, : and # in a password are written as %40, %3A and %23.'
    );
  const isTls = url.protocol === 'https:';
  if (!isTls && url.protocol !== 'http:')
    throw new CodedError(
      'BAD_SETTING',
      `The proxy that is set in ${source.place} is of the kind "${url.protocol}", which is not supported. Use an HTTP ` +
        'proxy, with an address that begins with http:// or https://.'
    );
  const hasOwnLogin = username !== '' || password !== '';
  const [user, secret] = hasOwnLogin
    ? [username, password]
    : [percentDecoded(url.username), percentDecoded(url.password)];
  const header =
    user === '' && secret === ''
      ? undefined
      : `Basic ${Buffer.from(`${user}:${secret}`, 'utf8').toString('base64')}`;
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return {
    isTls,
    hostname: withoutBrackets(url.hostname),
    port,
    host: `${url.hostname}:${port}`,
    source,
    authorization: () => header
  };
}

/** The name under which TLS expects the certificate of a host; empty for an address, which has none. */
export function serverName(hostname: string): string {
  return isIP(hostname) === 0 ? hostname : '';
}

/** @param hostname of a `URL` */
export function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function parsed(text: string): URL | null {
  try {
    const url = new URL(text);
    // The start of a password would be the host if its other characters ended the host.
    const isCut = url.search !== '' || url.hash !== '' || url.pathname.includes('@');
    // Such as `${PROXY}`, which Node-RED leaves of a variable that is not set.
    const isName = /^[\w.:[\]-]+$/.test(url.hostname);
    return isName && !isCut ? url : null;
  } catch {
    return null;
  }
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
