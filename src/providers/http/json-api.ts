import { setMaxListeners } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { monotonicNow } from '../../clock/clocks';
import { CodedError } from '../../errors/coded-error';
import { HttpClient, type HttpClientOptions } from '../../http/http-client';
import type { ProxyChoice } from '../../http/proxy/proxy-choice';
import { type ApiBase, apiBase } from './api-address';
import type { ApiDialect } from './api-dialect';
import { apiFault } from './api-fault';
import type { ApiPace } from './api-pace';
import { type Attempt, CircuitBreakers } from './circuit-breaker';
import { type JsonBody, readJsonBody } from './json-body';

export interface JsonApiOptions {
  /** As set in the account. Default: the provider's own. */
  apiUrl?: string;
  /** A secret; asked for each time, because accounts are edited. Null when none is set. */
  apiKey: () => string | null;
  /** Which proxy leads to the API. Null or left out: it is contacted directly. */
  proxy?: ProxyChoice | null | undefined;
  /** Milliseconds for connection, headers and body together. Default 20,000. */
  timeoutMs?: number;
  /** Largest answer in bytes. Default 4 MiB: a page of 250 recordings has about half a megabyte. */
  maxBody?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Milliseconds of a monotonic clock. */
  monotonic?: () => number;
  /** Shared by all users of the same API. Default: a separate one. */
  breakers?: CircuitBreakers;
  /** Of the account, shared by all its users. Default: that of the provider, for this one alone. */
  pace?: ApiPace;
  /** As `HttpClientOptions.onDate`. */
  onDate?: HttpClientOptions['onDate'];
}

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Segments below the base; ids must have passed `idSegment`. */
  path: readonly string[];
  query?: Readonly<Record<string, string>>;
  /** Bytes of the largest answer. Default: as for the API. */
  maxBody?: number;
  /** Sent as JSON. */
  body?: Readonly<Record<string, unknown>>;
  /**
   * Whether its caller can do without it: then it fails immediately while the API does not respond. Default:
   * false.
   */
  optional?: boolean;
  /** Aborted with a CodedError `STALLED`, the request counts as one that was not answered in time. */
  signal: AbortSignal;
}

/** What its callers need of an API. */
export interface ApiAccess {
  /** Whether there is a key at all; without one nothing can be asked. */
  readonly hasKey: boolean;
  /** As `JsonApi.request`. */
  request(request: ApiRequest): Promise<unknown>;
}

/** The error text of an API is short; more of it is not read. */
const MOST_REFUSAL_BYTES = 64 * 1024;

/** After a 429 nothing is asked before the named time, but no header may silence the client for longer. */
const LONGEST_SILENCE_MS = 60_000;

/**
 * Asks the API of a provider. The key goes to the origin of `apiUrl` and nowhere else: requests name no
 * other host, and redirects are not followed.
 */
export abstract class JsonApi implements ApiAccess {
  readonly #dialect: ApiDialect;
  readonly #base: ApiBase;
  readonly #http: HttpClient;
  readonly #timeoutMs: number;
  readonly #maxBody: number;
  readonly #now: () => number;
  readonly #monotonic: () => number;
  readonly #breakers: CircuitBreakers;
  readonly #pace: ApiPace | null;
  readonly #apiKey: () => string | null;
  #silentUntil = -Infinity;
  #isClosed = false;

  /** @throws CodedError `BAD_SETTING` when `apiUrl` is not the address of an API */
  constructor(options: JsonApiOptions, dialect: ApiDialect) {
    this.#dialect = dialect;
    this.#base = apiBase(options.apiUrl ?? dialect.defaultUrl, dialect.defaultUrl);
    this.#timeoutMs = options.timeoutMs ?? 20_000;
    this.#http = new HttpClient({
      connectTimeoutMs: this.#timeoutMs,
      proxy: options.proxy,
      onDate: options.onDate
    });
    this.#maxBody = options.maxBody ?? 4 * 1024 * 1024;
    this.#now = options.now ?? Date.now;
    this.#monotonic = options.monotonic ?? monotonicNow;
    this.#breakers = options.breakers ?? new CircuitBreakers();
    this.#pace = options.pace ?? null;
    this.#apiKey = options.apiKey;
  }

  get hasKey(): boolean {
    return this.#apiKey() !== null;
  }

  /** The same API, for requests that their caller can do without. */
  get optional(): ApiAccess {
    const request = (asked: ApiRequest): Promise<unknown> => this.request({ ...asked, optional: true });
    return { hasKey: this.hasKey, request };
  }

  /**
   * @returns the JSON of a 2xx answer; null when it had no body
   * @throws CodedError as in `apiFault`; `API_UNAUTHORIZED` without a usable key; `STALLED` when no answer
   *   came in time or the API of an optional request is down, `LINK_REFUSED` when there was no connection or no
   *   JSON (all retryable); `signal.reason` when aborted
   */
  async request(request: ApiRequest): Promise<unknown> {
    request.signal.throwIfAborted();
    const apiKey = this.#usableKey();
    const { host, origin, path } = this.#base;
    const isOptional = request.optional === true;
    const breaker = this.#breakers.of(origin + path, apiKey);
    if (isOptional) breaker.expectAnswers(host);
    await this.#pace?.turn(request);
    try {
      this.#expectNoSilence();
      const answered = await this.#limited(request, apiKey, breaker.begin(host, isOptional));
      return this.#read(request, answered, apiKey);
    } finally {
      this.#pace?.ended?.();
    }
  }

  /** Ends its own connections; requests under way fail. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#http.destroy();
    return Promise.resolve();
  }

  #expectNoSilence(): void {
    const silence = this.#silentUntil - this.#monotonic();
    if (silence <= 0) return;
    throw new CodedError('RATE_LIMITED', `${this.#base.host} asked for a pause; the next attempt waits.`, {
      retryable: true,
      retryAfterMs: Math.ceil(silence)
    });
  }

  async #limited(request: ApiRequest, apiKey: string, attempt: Attempt): Promise<Answered> {
    const { signal } = request;
    // Many may be under way, all with the same signal.
    setMaxListeners(0, signal);
    const limit = new AbortController();
    const stop = (): void => limit.abort();
    const timer = setTimeout(stop, this.#timeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const answered = await this.#ask(request, apiKey, limit.signal);
      attempt.answered();
      return answered;
    } catch (error) {
      if (signal.aborted || this.#isClosed) attempt.abandoned(isTimeOut(signal.reason));
      else attempt.failed();
      if (signal.aborted) throw signal.reason;
      const what = this.#what(request);
      if (!limit.signal.aborted) throw failed(what, error);
      throw new CodedError('STALLED', `${what} was not answered within ${this.#timeoutMs / 1000} seconds.`, {
        retryable: true
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  #read(request: ApiRequest, { status, headers, answer }: Answered, apiKey: string): unknown {
    const what = this.#what(request);
    if (status >= 300) {
      const refused = { what, status, headers, apiKey, now: this.#now() };
      const fault = apiFault({ ...refused, body: answer.ok ? answer.value : null }, this.#dialect);
      if (fault.code === 'RATE_LIMITED') this.#keepSilent(fault.retryAfterMs ?? 0);
      throw fault;
    }
    if (answer.ok) return answer.value;
    throw new CodedError(
      'LINK_REFUSED',
      `${what} was answered with ${answer.reason}. Check the API address in the account.`,
      { retryable: true }
    );
  }

  async #ask(request: ApiRequest, apiKey: string, signal: AbortSignal): Promise<Answered> {
    const query = new URLSearchParams(request.query).toString();
    const { status, headers, body } = await this.#http.request({
      origin: this.#base.origin,
      path: `${this.#base.path}/${request.path.join('/')}${query === '' ? '' : `?${query}`}`,
      method: request.method,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        authorization: `Bearer ${apiKey}`,
        ...(request.body && { 'content-type': 'application/json' })
      },
      ...(request.body && { body: Buffer.from(JSON.stringify(request.body)) }),
      responseTimeoutMs: this.#timeoutMs,
      stallTimeoutMs: this.#timeoutMs,
      signal
    });
    this.#pace?.answered?.(headers);
    if (status < 300)
      return { status, headers, answer: await readJsonBody(body, request.maxBody ?? this.#maxBody) };
    // The status of a refusal is enough when the rest of it is lost.
    const answer = await readJsonBody(body, MOST_REFUSAL_BYTES).catch(
      () => ({ ok: true, value: null }) as const
    );
    return { status, headers, answer };
  }

  #usableKey(): string {
    const key = this.#apiKey();
    if (key !== null && /^[\x21-\x7e]+$/.test(key)) return key;
    throw new CodedError(
      'API_UNAUTHORIZED',
      key === null
        ? 'The account has no API key, so the API was not asked. Put one into the account.'
        : `The API key of the account has blanks or characters that no key has. Copy it again from ${this.#dialect.keyPlace}.`
    );
  }

  #keepSilent(ms: number): void {
    this.#silentUntil = Math.max(this.#silentUntil, this.#monotonic() + Math.min(ms, LONGEST_SILENCE_MS));
  }

  #what({ method, path }: ApiRequest): string {
    return `${method} /${path.join('/')} at ${this.#base.host}`;
  }
}

interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  answer: JsonBody;
}

function isTimeOut(reason: unknown): boolean {
  return reason instanceof CodedError && reason.code === 'STALLED';
}

/** The error that broke off a request, with the request. */
function failed(what: string, error: unknown): unknown {
  if (!(error instanceof CodedError)) return error;
  const code = error.code === 'TRUNCATED' ? 'LINK_REFUSED' : error.code;
  const { retryable, trouble } = error;
  return new CodedError(code, `${what} failed. ${error.message}`, { cause: error, retryable, trouble });
}
