import { Agent as PlainAgent, type ClientRequest } from 'node:http';
import type { Agent as TlsAgent, RequestOptions } from 'node:https';
import { type Socket, Socket as EmptySocket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  CheckedPlainAgent,
  CheckedTlsAgent,
  type ConnectionOptions,
  type Created,
  poolOptions
} from '../http-agents';
import { Overdue } from '../http-fault';
import { openTunnel } from './open-tunnel';
import type { ProxyChoice, ProxyTarget } from './proxy-choice';
import { type ProxyServer, serverName } from './proxy-server';
import { TargetGuard } from './target-guard';

/** How a plain-http request is handed to a proxy (RFC 9112, 3.2.2). */
export interface Forward {
  server: ProxyServer;
  agent: PlainAgent;
  /** Scheme and host, which come before the path. */
  prefix: string;
  headers: Record<string, string>;
}

/**
 * The connections of one client whose requests may go through a proxy: https in a tunnel, so that the proxy sees the
 * name of the host and nothing else; http by a request to the proxy.
 */
export class ProxyAgents {
  /** Takes every https request, also those that go to their host directly. */
  readonly https: TlsAgent;
  readonly #choice: ProxyChoice;
  readonly #connection: ConnectionOptions;
  readonly #forwarding = new Map<ProxyServer, PlainAgent>();

  constructor(choice: ProxyChoice, connection: ConnectionOptions) {
    this.#choice = choice;
    this.#connection = connection;
    this.https = new TunnelAgent(choice, connection);
  }

  /**
   * @param target of a plain-http request
   * @returns null: it goes to its host directly
   * @throws CodedError `BAD_SETTING`
   */
  forward(target: ProxyTarget & Pick<URL, 'host'>): Forward | null {
    // A rule about addresses can be applied to direct connections and tunnels only.
    const server = this.#connection.rule === undefined ? this.#choice.serverFor(target) : null;
    if (server === null) return null;
    const authorization = server.authorization();
    return {
      server,
      agent: this.#forwardingAgent(server),
      prefix: `http://${target.host}`,
      headers: authorization === undefined ? {} : { 'proxy-authorization': authorization }
    };
  }

  destroy(): void {
    this.https.destroy();
    for (const agent of this.#forwarding.values()) agent.destroy();
  }

  #forwardingAgent(server: ProxyServer): PlainAgent {
    const known = this.#forwarding.get(server);
    if (known !== undefined) return known;
    const { plain, tls } = poolOptions(this.#connection);
    const agent = server.isTls
      ? new CheckedTlsAgent(this.#connection, { ...tls, servername: serverName(server.hostname) })
      : new CheckedPlainAgent(this.#connection, plain);
    this.#forwarding.set(server, agent);
    return agent;
  }
}

/** Connections to https hosts, each through the proxy that is chosen for it. */
class TunnelAgent extends CheckedTlsAgent {
  readonly #choice: ProxyChoice;
  readonly #connection: ConnectionOptions;
  readonly #guard: TargetGuard | null;
  readonly #opening = new Set<ClientRequest>();

  constructor(choice: ProxyChoice, connection: ConnectionOptions) {
    super(connection, poolOptions(connection).tls);
    this.#choice = choice;
    this.#connection = connection;
    const { rule, resolve } = connection;
    this.#guard = rule === undefined ? null : new TargetGuard({ rule, resolve });
  }

  override createConnection(options: RequestOptions, created?: Created): Duplex | null | undefined {
    const hostname = options.host ?? 'localhost';
    const port = String(options.port ?? 443);
    const failed = (error: unknown): void => created?.(error as Error, new EmptySocket());
    let server: ProxyServer | null;
    try {
      server = this.#choice.serverFor({ protocol: 'https:', hostname, port });
    } catch (error) {
      failed(error);
      return undefined;
    }
    if (server === null) return super.createConnection(options, created);
    const bracketed = hostname.includes(':') ? `[${hostname}]` : hostname;
    const way = { server, target: `${bracketed}:${port}` };
    const guarded = this.#guard?.check(hostname) ?? Promise.resolve();
    guarded.then(() => this.#tunnel(way, options, (error, socket) => created?.(error, socket)), failed);
    return undefined;
  }

  override destroy(): void {
    for (const request of this.#opening) request.destroy();
    super.destroy();
  }

  #tunnel(
    { server, target }: { server: ProxyServer; target: string },
    options: RequestOptions,
    created: Created
  ): void {
    const { connectTimeoutMs } = this.#connection;
    const overdue = (): Overdue => new Overdue(`no connection within ${connectTimeoutMs / 1000} seconds`);
    let stop = (): void => {
      request.destroy(overdue());
    };
    const late = setTimeout(() => stop(), connectTimeoutMs);
    const request = openTunnel({
      server,
      target,
      connection: this.#connection,
      opened: (tunnel) => {
        this.#opening.delete(request);
        const socket = this.secured(options, tunnel) as Socket;
        socket.on('error', () => undefined);
        // The proxy has opened the connection; it is the target that is late.
        stop = () => socket.destroy(overdue());
        socket.once('secureConnect', () => clearTimeout(late));
        socket.once('close', () => clearTimeout(late));
        created(null, socket);
      },
      failed: (error) => {
        clearTimeout(late);
        this.#opening.delete(request);
        created(error, new EmptySocket());
      }
    });
    this.#opening.add(request);
  }
}
