import { setMaxListeners } from 'node:events';
import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as plainRequest
} from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { CodedError } from '../errors/coded-error';
import { type ConnectionOptions, createAgents } from './http-agents';
import { type FaultPlace, Overdue, httpFault } from './http-fault';
import { ArrivingBody, type HttpResponse, afterReading, readResponse } from './http-response';
import { ProxyAgents } from './proxy/proxy-agents';
import type { ProxyChoice } from './proxy/proxy-choice';
import { proxyRefused, proxyUnreachable } from './proxy/proxy-fault';
import type { ProxyServer } from './proxy/proxy-server';

export interface HttpClientOptions extends Partial<ConnectionOptions> {
  /** What is asked for, for error texts. Default `answer`. */
  wanted?: string;
  /** Which proxy leads to which host. Null or left out: every host is contacted directly. */
  proxy?: ProxyChoice | null | undefined;
  /**
   * Told the header `Date` of each answer that a host has made itself just now, over a connection whose certificate was checked.
   * Must not throw.
   */
  onDate?: ((date: string, host: string) => void) | undefined;
}

export interface HttpRequest {
  /** Scheme, host and port: `https://media.example.com`. */
  origin: string;
  /** Path and query, sent as they are. */
  path: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array;
  signal?: AbortSignal;
  /** Milliseconds from the request to the headers of the final answer. Default 30,000. */
  responseTimeoutMs?: number;
  /** Longest wait for another byte of the body while it is read, in milliseconds. Default 30,000. */
  stallTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_TIMEOUT_MS = 30_000;

/** All headers of an answer together; Node's own default, which its command line can change. */
const MOST_HEADER_BYTES = 16 * 1024;

/**
 * HTTP over `node:http` and `node:https`, with kept connections. It follows no redirects and decodes nothing.
 * Each request ends with a response, its own deadline, the signal, or `destroy`.
 */
export class HttpClient {
  readonly #agents: { http: Agent; https: Agent };
  readonly #proxies: ProxyAgents | null;
  readonly #exchanges = new Set<HttpExchange>();
  readonly #connectTimeoutMs: number;
  readonly #wanted: string;
  readonly #onDate: HttpClientOptions['onDate'];
  #isClosed = false;

  constructor({ wanted = 'answer', proxy = null, onDate, ...connection }: HttpClientOptions = {}) {
    this.#onDate = onDate;
    this.#connectTimeoutMs = connection.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const limited = { ...connection, connectTimeoutMs: this.#connectTimeoutMs };
    this.#agents = createAgents(limited);
    this.#proxies = proxy === null ? null : new ProxyAgents(proxy, limited);
    this.#wanted = wanted;
  }

  /**
   * Sends a request.
   *
   * @throws CodedError `STALLED` after a deadline; `LINK_REFUSED` without a connection, or when no proper
   *   HTTP answer came (both retryable), from the proxy or the host; `BAD_SETTING` for settings of the proxy; the
   *   refusal of the address rule; `signal.reason` when aborted. The body throws the same while it is read, and
   *   `TRUNCATED` when it breaks off.
   */
  async request(request: HttpRequest): Promise<HttpResponse> {
    // Many requests may share the signal.
    if (request.signal !== undefined) setMaxListeners(0, request.signal);
    for (;;) {
      request.signal?.throwIfAborted();
      const exchange = this.#begin(request);
      try {
        return await exchange.response;
      } catch (error) {
        // The other side closed a kept connection just as it was reused, which is not a failure. Each repetition
        // uses up one kept connection.
        const isRepeatable = request.method === 'GET' || request.method === 'DELETE';
        if (!exchange.isStale || !isRepeatable || this.#isClosed) throw error;
      }
    }
  }

  /** Ends all connections. Requests and bodies under way fail, and so do later requests. */
  destroy(): void {
    this.#isClosed = true;
    for (const exchange of this.#exchanges) exchange.abort(closed());
    this.#agents.http.destroy();
    this.#agents.https.destroy();
    this.#proxies?.destroy();
  }

  #begin(request: HttpRequest): HttpExchange {
    if (this.#isClosed) throw closed();
    const url = new URL(request.origin);
    const place = { host: url.host, wanted: this.#wanted };
    try {
      const exchange = new HttpExchange(this.#optionsOf(request, url, place), (ended) =>
        this.#exchanges.delete(ended)
      );
      this.#exchanges.add(exchange);
      return exchange;
    } catch (error) {
      // Node refuses to send characters that no path or header may have.
      throw httpFault(error, { ...place, phase: 'connect' });
    }
  }

  #optionsOf(request: HttpRequest, url: URL, place: ExchangeOptions['place']): ExchangeOptions {
    const { path, method, headers, body, signal } = request;
    const way = this.#wayTo(url, path);
    return {
      isTls: way.options.protocol === 'https:',
      proxy: way.proxy,
      options: {
        ...way.options,
        method,
        headers: { ...headers, ...way.options.headers },
        maxHeaderSize: MOST_HEADER_BYTES,
        insecureHTTPParser: false
      },
      body,
      connectTimeoutMs: this.#connectTimeoutMs,
      responseTimeoutMs: request.responseTimeoutMs ?? DEFAULT_TIMEOUT_MS,
      stallTimeoutMs: request.stallTimeoutMs ?? DEFAULT_TIMEOUT_MS,
      place,
      signal,
      onDate: this.#onDate
    };
  }

  #wayTo(url: URL, path: string): Way {
    const isTls = url.protocol === 'https:';
    const forward = isTls ? null : (this.#proxies?.forward(url) ?? null);
    if (forward !== null) {
      const { server, agent, prefix } = forward;
      const { isTls: overTls, hostname, port } = server;
      const headers = { host: url.host, ...forward.headers };
      const protocol = overTls ? 'https:' : 'http:';
      return { proxy: server, options: { protocol, hostname, port, path: prefix + path, headers, agent } };
    }
    const options = {
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      ...(url.port !== '' && { port: url.port }),
      path,
      headers: {},
      agent: isTls ? (this.#proxies?.https ?? this.#agents.https) : this.#agents.http
    };
    return { proxy: null, options };
  }
}

/** Where a request is sent. `proxy`: it receives the request itself, in place of the host. */
interface Way {
  proxy: ProxyServer | null;
  options: Omit<RequestOptions, 'headers'> & { headers: Record<string, string> };
}

function closed(): CodedError {
  return new CodedError('LINK_REFUSED', 'The connections were closed, because the node is closing.', {
    retryable: true
  });
}

/** What an exchange sends, and how long it waits. */
interface ExchangeOptions {
  isTls: boolean;
  /** The proxy that receives the request in place of the host. */
  proxy: ProxyServer | null;
  options: RequestOptions;
  body: Uint8Array | undefined;
  /** Milliseconds in which the connection must be made. */
  connectTimeoutMs: number;
  /** Milliseconds from then until the headers of the final answer. */
  responseTimeoutMs: number;
  /** Milliseconds between two pieces of the body. */
  stallTimeoutMs: number;
  place: Omit<FaultPlace, 'phase'>;
  signal: AbortSignal | undefined;
  onDate: HttpClientOptions['onDate'];
}

/** A server that means to answer sends no more interim answers (1xx) than this. */
const MOST_INTERIM = 100;

/** One request and its answer. Nothing that the other side sends or breaks raises an error anywhere else. */
class HttpExchange {
  readonly #options: ExchangeOptions;
  readonly #request: ClientRequest;
  readonly #response: Promise<HttpResponse>;
  #settle: { resolve: (response: HttpResponse) => void; reject: (error: unknown) => void } | undefined;
  #body: ArrivingBody | undefined;
  #deadline: NodeJS.Timeout;
  #interim = 0;
  #isStale = false;
  #isConnected = false;
  #isOver = false;
  readonly #ended: (exchange: HttpExchange) => void;
  readonly #stop = (): void => this.abort(this.#options.signal?.reason);

  /** @param ended called once, after the last byte is sent or received */
  constructor(options: ExchangeOptions, ended: (exchange: HttpExchange) => void) {
    this.#options = options;
    this.#ended = ended;
    this.#response = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.#request = (options.isTls ? tlsRequest : plainRequest)(options.options);
    this.#deadline = this.#wait(options.connectTimeoutMs + options.responseTimeoutMs);
    options.signal?.addEventListener('abort', this.#stop, { once: true });
    this.#listen(this.#request);
    this.#request.end(options.body);
  }

  /**
   * @throws CodedError as in `httpFault`; what `abort` was given
   */
  get response(): Promise<HttpResponse> {
    return this.#response;
  }

  /** Whether it failed because the connection, kept from an earlier exchange, had been closed meanwhile. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Ends it immediately; a waiting caller gets the reason. */
  abort(reason: unknown): void {
    if (this.#body !== undefined) this.#body.abort(reason);
    else this.#reject(reason);
  }

  #listen(request: ClientRequest): void {
    const { isTls } = this.#options;
    // Servers limit headers by bytes; Node would silently drop those beyond a certain number.
    request.maxHeadersCount = 0;
    request.once('socket', (socket: Socket) => {
      if (request.reusedSocket) this.#connected();
      else socket.once(isTls ? 'secureConnect' : 'connect', () => this.#connected());
    });
    request.on('information', () => {
      this.#interim += 1;
      if (this.#interim > MOST_INTERIM) this.#refuse('it keeps announcing an answer and sends none');
    });
    request.on('upgrade', (_message: IncomingMessage, socket: Socket) => {
      socket.destroy();
      this.#refuse('it wants to switch to another protocol (status 101)');
    });
    request.on('response', (message) => this.#receive(message));
    request.on('error', (error) => this.#fail(error));
    request.on('close', () => {
      // The body detects its own end, which may come later than that of the connection.
      if (this.#body === undefined) this.#fail(new Error('the connection was closed'));
    });
  }

  /** From now on the other side must answer in time, whatever it sends before that. */
  #connected(): void {
    this.#isConnected = true;
    if (this.#settle === undefined) return;
    clearTimeout(this.#deadline);
    this.#deadline = this.#wait(this.#options.responseTimeoutMs);
  }

  #wait(milliseconds: number): NodeJS.Timeout {
    const late = (): void => {
      if (this.#settle === undefined || this.#deadline !== timer) return;
      this.#fail(new Overdue(`no answer within ${this.#options.responseTimeoutMs / 1000} seconds`));
    };
    const timer = setTimeout(() => afterReading(late), milliseconds);
    return timer;
  }

  #receive(message: IncomingMessage): void {
    // For errors while the message has no reader.
    message.on('error', () => undefined);
    if (this.#settle === undefined) {
      message.destroy();
      return;
    }
    const { stallTimeoutMs, place, proxy } = this.#options;
    const { statusCode: status, headers } = message;
    const response =
      proxy !== null && status === 407
        ? proxyRefused(proxy, { status, target: place.host, authenticate: headers['proxy-authenticate'] })
        : readResponse(message, place.host);
    if (response instanceof CodedError) {
      this.#reject(response);
      return;
    }
    clearTimeout(this.#deadline);
    if (this.#options.onDate !== undefined) this.#tellDate(message);
    this.#body = new ArrivingBody(message, {
      endsWithConnection: response.framing === 'close',
      stallMs: stallTimeoutMs,
      fault: (error) => httpFault(error, { ...place, phase: 'body' }),
      over: () => this.#over()
    });
    this.#settle.resolve({ ...response, body: this.#body });
    this.#settle = undefined;
  }

  /** What a cache has kept has the time at which it was made. */
  #tellDate({ socket, headers: { date, age } }: IncomingMessage): void {
    const isProven = this.#options.proxy === null && socket instanceof TLSSocket && socket.authorized;
    if (isProven && date !== undefined && age === undefined)
      this.#options.onDate?.(date, this.#options.place.host);
  }

  #refuse(what: string): void {
    const { host } = this.#options.place;
    this.#reject(
      new CodedError(
        'LINK_REFUSED',
        `${host} does not answer as a web server does: ${what}. Look at what answers at this address, and for a proxy ` +
          'in between.',
        { retryable: true }
      )
    );
  }

  #fail(error: unknown): void {
    if (this.#body !== undefined) {
      this.#body.fail(error);
      return;
    }
    this.#isStale = this.#settle !== undefined && this.#request.reusedSocket && isClosing(error);
    const { proxy, place } = this.#options;
    const isOfProxy = proxy !== null && !this.#isConnected && !(error instanceof CodedError);
    this.#reject(
      isOfProxy ? proxyUnreachable(proxy, error) : httpFault(error, { ...place, phase: 'connect' })
    );
  }

  #reject(error: unknown): void {
    this.#settle?.reject(error);
    this.#settle = undefined;
    this.#over();
    this.#request.destroy();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#deadline);
    this.#options.signal?.removeEventListener('abort', this.#stop);
    this.#ended(this);
  }
}

function isClosing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
