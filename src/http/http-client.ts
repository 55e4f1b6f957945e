import { setMaxListeners } from 'node:events';
import type { Agent } from 'node:http';
import { CodedError } from '../errors/coded-error';
import { createAgents, type ConnectionOptions } from './http-agents';
import type { HttpResponse } from './http-response';
import { HttpExchange, type ExchangeOptions } from './http-exchange';
import { httpFault } from './http-fault';

export interface HttpClientOptions extends Partial<ConnectionOptions> {
  /** What is asked for, for error texts. Default `answer`. */
  wanted?: string;
}

export interface HttpRequest {
  /** Scheme, host and port: `https://media.example.com`. */
  origin: string;
  /** Path and query, sent as they are. */
  path: string;
  method: 'GET' | 'POST' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array;
  signal?: AbortSignal;
  /** Milliseconds from the request to the headers of the final answer. Default 30,000. */
  responseTimeoutMs?: number;
  /** Milliseconds in which the body must bring another byte while it is read. Default 30,000. */
  stallTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_TIMEOUT_MS = 30_000;

/** All headers of an answer together; Node's own default, which its command line can change. */
const MOST_HEADER_BYTES = 16 * 1024;

/**
 * HTTP over `node:http` and `node:https`, with kept connections. It follows no redirects and decodes nothing.
 * Each request ends: by an answer, a deadline of its own, the signal, or `destroy`.
 */
export class HttpClient {
  readonly #agents: { http: Agent; https: Agent };
  readonly #exchanges = new Set<HttpExchange>();
  readonly #connectTimeoutMs: number;
  readonly #wanted: string;
  #isClosed = false;

  constructor({ wanted = 'answer', ...connection }: HttpClientOptions = {}) {
    this.#connectTimeoutMs = connection.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.#agents = createAgents({ ...connection, connectTimeoutMs: this.#connectTimeoutMs });
    this.#wanted = wanted;
  }

  /**
   * Sends a request.
   *
   * @throws CodedError `STALLED` after a deadline; `LINK_REFUSED` without a connection, or when no proper
   *   HTTP answer came (retryable both); what the address rule refuses; `signal.reason` when aborted. The body
   *   throws the same while it is read, and `TRUNCATED` when it breaks off.
   */
  async request(request: HttpRequest): Promise<HttpResponse> {
    // Many requests may end by the same signal.
    if (request.signal !== undefined) setMaxListeners(0, request.signal);
    for (;;) {
      request.signal?.throwIfAborted();
      const exchange = this.#begin(request);
      try {
        return await exchange.response;
      } catch (error) {
        // The other side closed a kept connection just as it was taken: that is no failure of anything. Each
        // repetition uses one kept connection up.
        if (!exchange.isStale || request.method === 'POST' || this.#isClosed) throw error;
      }
    }
  }

  /** Ends all connections. Requests and bodies under way fail, later requests as well. */
  destroy(): void {
    this.#isClosed = true;
    for (const exchange of this.#exchanges) exchange.abort(closed());
    this.#agents.http.destroy();
    this.#agents.https.destroy();
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
      // What Node does not send: characters that no path and no header may have.
      throw httpFault(error, { ...place, phase: 'connect' });
    }
  }

  #optionsOf(request: HttpRequest, url: URL, place: ExchangeOptions['place']): ExchangeOptions {
    const { path, method, headers, body, signal } = request;
    const isTls = url.protocol === 'https:';
    return {
      isTls,
      options: {
        protocol: url.protocol,
        hostname: url.hostname.replace(/^\[|\]$/g, ''),
        ...(url.port !== '' && { port: url.port }),
        path,
        method,
        headers: { ...headers },
        agent: isTls ? this.#agents.https : this.#agents.http,
        maxHeaderSize: MOST_HEADER_BYTES,
        insecureHTTPParser: false
      },
      body,
      connectTimeoutMs: this.#connectTimeoutMs,
      responseTimeoutMs: request.responseTimeoutMs ?? DEFAULT_TIMEOUT_MS,
      stallTimeoutMs: request.stallTimeoutMs ?? DEFAULT_TIMEOUT_MS,
      place,
      signal
    };
  }
}

function closed(): CodedError {
  return new CodedError('LINK_REFUSED', 'The connections were closed, because the node is closing.', {
    retryable: true
  });
}
