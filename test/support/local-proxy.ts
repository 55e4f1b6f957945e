import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Certificate } from './certificate';

export interface LocalProxyOptions {
  /** `user:password` that it demands. */
  login?: string;
  /** Makes it an https:// proxy. */
  tls?: Certificate;
  /** Where names lead, such as `media.example.com:443` to a port of 127.0.0.1. */
  hosts?: ReadonlyMap<string, number>;
  /** Called for every CONNECT; true: it has dealt with it. */
  instead?: (socket: Duplex, target: string) => boolean;
}

/** An HTTP proxy that follows RFC 9110 and records what it is asked. */
export class LocalProxy {
  /** `CONNECT host:port`, `GET http://…` */
  readonly requests: string[] = [];
  readonly logins: (string | undefined)[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #options: LocalProxyOptions;
  readonly #server;

  private constructor(options: LocalProxyOptions) {
    this.#options = options;
    const answer = (request: IncomingMessage, response: ServerResponse): void =>
      this.#forward(request, response);
    this.#server = options.tls === undefined ? createServer(answer) : createTlsServer(options.tls, answer);
    this.#server.on('connect', (request: IncomingMessage, socket: Duplex) => this.#connect(request, socket));
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(options: LocalProxyOptions = {}): Promise<LocalProxy> {
    const proxy = new LocalProxy(options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `http://127.0.0.1:<port>`, or https. */
  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** The connections that are open now, to it and from it. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Cuts all connections, like a proxy that is killed. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #place(target: string): { host: string; port: number } {
    const known = this.#options.hosts?.get(target);
    if (known !== undefined) return { host: '127.0.0.1', port: known };
    const { hostname, port } = new URL(`http://${target}`);
    return { host: hostname, port: Number(port || 80) };
  }

  #isWelcome({ headers }: IncomingMessage): boolean {
    const given = headers['proxy-authorization'];
    this.logins.push(given);
    const { login } = this.#options;
    return login === undefined || given === `Basic ${Buffer.from(login).toString('base64')}`;
  }

  #connect(request: IncomingMessage, socket: Duplex): void {
    const target = request.url ?? '';
    this.requests.push(`CONNECT ${target}`);
    socket.on('error', () => undefined);
    if (this.#options.instead?.(socket, target) === true) {
      socket.on('end', () => socket.end()).resume();
      return;
    }
    if (!this.#isWelcome(request)) {
      socket.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
      );
      return;
    }
    const { host, port } = this.#place(target);
    const other = connect(port, host);
    this.#keep(other);
    other.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(other).pipe(socket);
    });
    other.once('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'));
    socket.once('close', () => other.destroy());
    other.once('close', () => socket.destroy());
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request;
    this.requests.push(`${method} ${url}`);
    if (!this.#isWelcome(request)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="x"' }).end('a page of the proxy');
      return;
    }
    const target = new URL(url);
    const { host, port } = this.#place(target.host);
    const passed = { ...headers };
    delete passed['proxy-authorization'];
    const path = url.slice(url.indexOf(target.host) + target.host.length);
    const outgoing = send({ host, port, method, path, headers: passed }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    outgoing.on('error', () => response.headersSent || response.writeHead(502).end());
    request.pipe(outgoing);
  }
}
