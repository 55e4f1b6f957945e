import { CodedError } from '../../errors/coded-error';
import { rootCause } from '../../errors/root-cause';
import { Overdue } from '../http-fault';
import type { ProxyServer } from './proxy-server';

/**
 * The error of a proxy without a connection, or whose answer is not HTTP. Worth another attempt, as are all errors of
 * proxies: they are repaired while jobs wait.
 *
 * @param error of the socket or the parser
 */
export function proxyUnreachable({ host, source }: ProxyServer, error: unknown): CodedError {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  const isParsing = typeof code === 'string' && code.startsWith('HPE_');
  const options = { cause: error, retryable: true };
  if (isParsing)
    return new CodedError(
      'LINK_REFUSED',
      `What answers at ${host} is not an HTTP proxy (${code}). Check the address in ${source.place}.`,
      { ...options, trouble: 'proxy-unreachable' }
    );
  const isLate = error instanceof Overdue || code === 'ETIMEDOUT';
  return new CodedError(
    isLate ? 'STALLED' : 'LINK_REFUSED',
    `${isLate ? `The proxy ${host} does not answer` : `No connection to the proxy ${host}`} (${rootCause(error)}). ` +
      `Check that it runs, and its address in ${source.place}.`,
    { ...options, trouble: 'proxy-unreachable' }
  );
}

/** The proxy closed the connection, or sent something that does not belong there, in place of a proper answer. */
export function proxyGarbled({ host, source }: ProxyServer, what: string): CodedError {
  return new CodedError(
    'LINK_REFUSED',
    `What answers at ${host} does not behave as an HTTP proxy: ${what}. Check the address in ${source.place}.`,
    { retryable: true, trouble: 'proxy-unreachable' }
  );
}

/** A response of the proxy itself that is not the wanted one. */
export interface ProxyRefusal {
  /** From 100 to 599. */
  status: number;
  /** `host:port` that the proxy should connect to. */
  target: string;
  /** The header `Proxy-Authenticate`, from outside. */
  authenticate?: string | undefined;
}

export function proxyRefused(
  server: ProxyServer,
  { status, target, authenticate }: ProxyRefusal
): CodedError {
  const { host, source } = server;
  // Some proxies (tinyproxy) answer 401 to a wrong password.
  if (status === 407 || status === 401)
    return new CodedError('LINK_REFUSED', loginText(server, status, authenticate), {
      retryable: true,
      trouble: 'proxy-refuses'
    });
  if (status >= 500)
    return new CodedError(
      'LINK_REFUSED',
      `The proxy ${host} cannot reach ${target} (it answered ${status}). Check that host, and the network and DNS of the proxy.`,
      { retryable: true, trouble: 'beyond-proxy' }
    );
  return new CodedError(
    'LINK_REFUSED',
    `The proxy ${host} does not let this computer connect to ${target} (it answered ${status}). Permit that in the ` +
      `proxy, or contact the host directly: name it in ${source.exceptions}.`,
    { retryable: true, trouble: 'proxy-refuses' }
  );
}

function loginText(server: ProxyServer, status: number, authenticate: string | undefined): string {
  const { host, source } = server;
  const wanted = authenticate === undefined || /(^|[\s,])basic\b/i.test(authenticate.slice(0, 1000));
  if (!wanted)
    return (
      `The proxy ${host} wants a kind of login that is not supported (${status}). Only a user name and password (Basic) can be ` +
      'sent: permit that in the proxy, or permit this computer without a login.'
    );
  return server.authorization() === undefined
    ? `The proxy ${host} wants a user name and password (${status}). ${source.login}.`
    : `The proxy ${host} does not accept the user name and password (${status}). Correct them in ${source.place}.`;
}
