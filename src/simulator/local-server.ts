import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface LocalServerOptions {
  /** Address to listen on and to name in links. Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
}

/** The HTTP server of a stand-in. */
export class LocalServer {
  readonly #options: LocalServerOptions;
  readonly #host: string;
  readonly #server: Server;
  #port: number | undefined;

  /** @param handle answers a request; `url` is its address, whose host means nothing */
  constructor(
    options: LocalServerOptions,
    handle: (request: IncomingMessage, url: URL, response: ServerResponse) => void
  ) {
    this.#options = options;
    this.#host = options.host ?? '127.0.0.1';
    this.#server = createServer((request, response) => {
      const address = `http://stand-in.invalid${request.url ?? ''}`;
      if (URL.canParse(address)) handle(request, new URL(address), response);
      else response.writeHead(400).end();
    });
  }

  /**
   * Starts listening.
   *
   * @throws Error when the port is taken or the address is not one of this machine
   */
  async start(): Promise<void> {
    const listening = once(this.#server, 'listening');
    this.#server.listen(this.#options.port ?? 0, this.#host);
    await listening;
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The stand-in got no port');
    this.#port = address.port;
  }

  /** Stops listening and cuts off what is still being sent. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** `http://<host>:<port>` */
  get url(): string {
    if (this.#port === undefined) throw new Error('The stand-in was not started');
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return `http://${host}:${this.#port}`;
  }
}
