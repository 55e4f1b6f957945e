import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { Agent as PlainAgent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import { Agent as TlsAgent, type AgentOptions as TlsAgentOptions, type RequestOptions } from 'node:https';
import { type LookupFunction, Socket, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CodedError } from '../errors/coded-error';
import { Overdue } from './http-fault';

export interface ConnectionOptions {
  /** Default: the system's resolver. */
  resolve?: Resolver;
  /** Default: every machine may be contacted. */
  rule?: AddressRule;
  /** Certificates trusted instead of the system's (PEM). */
  ca?: string | Buffer;
  /** Milliseconds for name resolution, TCP and TLS together. */
  connectTimeoutMs: number;
}

/** How long an idle connection is kept, in milliseconds. Storage servers close theirs after five seconds or more. */
const IDLE_MS = 4000;

export type Created = (error: Error | null, socket: Duplex) => void;

/** The connection pools of one client, for http and https. Every connection is checked where it is made. */
export function createAgents(options: ConnectionOptions): { http: PlainAgent; https: TlsAgent } {
  const { plain, tls } = poolOptions(options);
  return { http: new CheckedPlainAgent(options, plain), https: new CheckedTlsAgent(options, tls) };
}

/** The options of Node's own agents that a pool of connections has. */
export function poolOptions({ resolve, rule, ca }: ConnectionOptions): {
  plain: AgentOptions;
  tls: TlsAgentOptions;
} {
  const plain: AgentOptions = { keepAlive: true, timeout: IDLE_MS, lookup: socketLookup(resolve, rule) };
  return { plain, tls: { ...plain, ...(ca !== undefined && { ca }) } };
}

export class CheckedPlainAgent extends PlainAgent {
  readonly #connection: ConnectionOptions;

  constructor(connection: ConnectionOptions, pool: AgentOptions) {
    super(pool);
    this.#connection = connection;
  }

  override createConnection(options: ClientRequestArgs, created?: Created): Duplex | null | undefined {
    const make = (): Duplex | null | undefined => super.createConnection(options, created);
    return checked(make, { host: options.host, created, connection: this.#connection, ready: 'connect' });
  }
}

export class CheckedTlsAgent extends TlsAgent {
  readonly #connection: ConnectionOptions;

  constructor(connection: ConnectionOptions, pool: TlsAgentOptions) {
    super(pool);
    this.#connection = connection;
  }

  override createConnection(options: RequestOptions, created?: Created): Duplex | null | undefined {
    const make = (): Duplex | null | undefined => super.createConnection(options, created);
    return checked(make, {
      host: options.host,
      created,
      connection: this.#connection,
      ready: 'secureConnect'
    });
  }

  /** TLS with the host of `options`, over a connection that leads to it already. */
  protected secured(options: RequestOptions, tunnel: Socket): Duplex | null | undefined {
    const over: RequestOptions & { socket: Socket } = { ...options, socket: tunnel };
    return super.createConnection(over);
  }
}

interface CheckOptions {
  host: string | null | undefined;
  created: Created | undefined;
  connection: ConnectionOptions;
  /** The event after which the request goes out. */
  ready: 'connect' | 'secureConnect';
}

/** Makes a connection that obeys the address rule and the deadline. */
function checked(
  make: () => Duplex | null | undefined,
  { host, created, connection, ready }: CheckOptions
): Duplex | null | undefined {
  const { rule, connectTimeoutMs } = connection;
  // Sockets look up only names, so an address is checked here.
  if (rule !== undefined && typeof host === 'string' && isIP(host) !== 0 && !rule.allows(host)) {
    created?.(rule.refusal(host, 'literal'), new Socket());
    return undefined;
  }
  const socket = make();
  if (!(socket instanceof Socket)) return socket;
  // For its whole life, even between requests and after the last one.
  socket.on('error', () => undefined);
  const late = setTimeout(() => {
    socket.destroy(new Overdue(`no connection within ${connectTimeoutMs / 1000} seconds`));
  }, connectTimeoutMs);
  socket.once(ready, () => clearTimeout(late));
  socket.once('close', () => clearTimeout(late));
  if (rule !== undefined)
    socket.once('connect', () => {
      if (!rule.allows(socket.remoteAddress ?? '')) socket.destroy(rule.refusal(host ?? '', 'reached'));
    });
  return socket;
}

/** All addresses of a host name; `dns.lookup` with `all: true`. */
export type Resolver = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void
) => void;

/** Which machines may be contacted. Checked at the socket, where it is certain which machine it is. */
export interface AddressRule {
  /** @param address IPv4 or IPv6 */
  allows: (address: string) => boolean;
  /**
   * The error of a refused host.
   *
   * @param how `literal`: the host is a forbidden address; `name`: its name leads only to such addresses, or by a proxy
   *   possibly to one; `private-name`: its name exists in private networks only; `reached`: the connection led to one
   */
  refusal: (host: string, how: 'literal' | 'name' | 'private-name' | 'reached') => CodedError;
}

/** A `lookup` for sockets that returns no address that the rule forbids. */
export function socketLookup(resolve: Resolver = systemResolver, rule?: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const allowed =
        rule === undefined ? addresses : addresses.filter(({ address }) => rule.allows(address));
      if (rule !== undefined && allowed.length === 0) {
        callback(rule.refusal(hostname, 'name'), '');
        return;
      }
      const wanted = allowed.filter(({ family }) => isWantedFamily(family, options.family));
      const first = wanted[0];
      if (first === undefined)
        callback(Object.assign(new Error(`no address found for ${hostname}`), { code: 'ENOTFOUND' }), '');
      else if (options.all === true) callback(null, wanted);
      else callback(null, first.address, first.family);
    });
  };
}

function isWantedFamily(family: number, wanted: LookupOptions['family']): boolean {
  if (wanted === undefined || wanted === 0) return true;
  return wanted === family || wanted === `IPv${family}`;
}

export function systemResolver(
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void
): void {
  systemLookup(hostname, { all: true }, (error, addresses) =>
    // On failure Node passes no addresses at all, whatever its types say.
    callback(error, error === null ? addresses : [])
  );
}
