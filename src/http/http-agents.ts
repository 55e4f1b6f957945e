import { Agent as PlainAgent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import { Agent as TlsAgent, type RequestOptions } from 'node:https';
import { isIP, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Overdue } from './http-fault';
import { socketLookup, type AddressRule, type Resolver } from './look-up';

export interface ConnectionOptions {
  /** Default: the system's resolver. */
  resolve?: Resolver;
  /** Default: every machine may be contacted. */
  rule?: AddressRule;
  /** Certificates trusted instead of the system's (PEM). */
  ca?: string | Buffer;
  /** Milliseconds for name, TCP and TLS together. */
  connectTimeoutMs: number;
}

/** Milliseconds that an idle connection is kept. Storages close theirs after five seconds at the earliest. */
const IDLE_MS = 4000;

type Created = (error: Error | null, socket: Duplex) => void;

/** The connection pools of one client, for http and https. Every connection is checked where it is made. */
export function createAgents(options: ConnectionOptions): { http: PlainAgent; https: TlsAgent } {
  const { resolve, rule, ca } = options;
  const pool: AgentOptions = { keepAlive: true, timeout: IDLE_MS, lookup: socketLookup(resolve, rule) };
  return {
    http: new CheckedPlainAgent(options, pool),
    https: new CheckedTlsAgent(options, { ...pool, ...(ca !== undefined && { ca }) })
  };
}

class CheckedPlainAgent extends PlainAgent {
  readonly #connection: ConnectionOptions;

  constructor(connection: ConnectionOptions, pool: AgentOptions) {
    super(pool);
    this.#connection = connection;
  }

  override createConnection(options: ClientRequestArgs, created?: Created): Duplex | null | undefined {
    const make = (): Duplex | null | undefined => super.createConnection(options, created);
    return checked(options, created, this.#connection, 'connect', make);
  }
}

class CheckedTlsAgent extends TlsAgent {
  readonly #connection: ConnectionOptions;

  constructor(connection: ConnectionOptions, pool: AgentOptions) {
    super(pool);
    this.#connection = connection;
  }

  override createConnection(options: RequestOptions, created?: Created): Duplex | null | undefined {
    const make = (): Duplex | null | undefined => super.createConnection(options, created);
    return checked(options, created, this.#connection, 'secureConnect', make);
  }
}

/** Makes a connection that keeps the rules. @param ready the event after which the request goes out */
function checked(
  { host }: ClientRequestArgs,
  created: Created | undefined,
  { rule, connectTimeoutMs }: ConnectionOptions,
  ready: 'connect' | 'secureConnect',
  make: () => Duplex | null | undefined
): Duplex | null | undefined {
  // Sockets look up names only.
  if (rule !== undefined && typeof host === 'string' && isIP(host) !== 0 && !rule.allows(host)) {
    created?.(rule.refusal(host, 'literal'), new Socket());
    return undefined;
  }
  const socket = make();
  if (!(socket instanceof Socket)) return socket;
  // For its whole life: between two requests, and once nobody waits for it any more.
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
