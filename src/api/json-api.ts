import type { IncomingHttpHeaders } from 'node:http';
import { CodedError } from '../errors/coded-error';
import { HttpClient } from '../http/http-client';
import { apiBase, type ApiBase } from './api-base';
import type { ApiDialect } from './api-dialect';
import { apiFault } from './api-fault';
import { readJsonBody, type JsonBody } from './json-body';

export interface JsonApiOptions {
  /** As set in the account. Default: the provider's own. */
  apiUrl?: string;
  /** A secret; asked for each time, because accounts are edited. Null when none is set. */
  apiKey: () => string | null;
  /** Milliseconds for connection, headers and body together. Default 20,000. */
  timeoutMs?: number;
  /** Largest answer in bytes. Default 8 MiB: a page of 250 recordings has about half a megabyte. */
  maxBody?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export interface ApiRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** Segments below the base; ids must have passed `idSegment`. */
  path: readonly string[];
  query?: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

/** What an API says about a refusal is short; more of it is not read. */
const MOST_REFUSAL_BYTES = 64 * 1024;

/** After a 429 nothing is asked before the named time, but no header may silence the client for longer. */
const LONGEST_SILENCE_MS = 60_000;

/**
 * Asks the API of a provider. The key goes to the origin of `apiUrl` and nowhere else: requests name no
 * other host, and redirects are not followed.
 */
export abstract class JsonApi {
  readonly #base: ApiBase;
  readonly #http: HttpClient;
  readonly #timeoutMs: number;
  readonly #maxBody: number;
  readonly #now: () => number;
  readonly #apiKey: () => string | null;
  #silentUntil = 0;

  /** @throws CodedError `BAD_SETTING` when `apiUrl` is not the address of an API */
  constructor(
    options: JsonApiOptions,
    private readonly dialect: ApiDialect
  ) {
    this.#base = apiBase(options.apiUrl ?? dialect.defaultUrl, dialect.defaultUrl);
    this.#timeoutMs = options.timeoutMs ?? 20_000;
    this.#http = new HttpClient({ connectTimeoutMs: this.#timeoutMs });
    this.#maxBody = options.maxBody ?? 8 * 1024 * 1024;
    this.#now = options.now ?? Date.now;
    this.#apiKey = options.apiKey;
  }

  /** Whether there is a key at all; without one nothing can be asked. */
  get hasKey(): boolean {
    return this.#apiKey() !== null;
  }

  /**
   * @returns the JSON of a 2xx answer; null when it had no body
   * @throws CodedError as in `apiFault`; `API_UNAUTHORIZED` without a usable key; `STALLED` when no answer
   *   came in time, `LINK_REFUSED` when there was no connection or no JSON (both retryable);
   *   `signal.reason` when aborted
   */
  async request(request: ApiRequest): Promise<unknown> {
    request.signal.throwIfAborted();
    const apiKey = this.#usableKey();
    const silence = this.#silentUntil - this.#now();
    if (silence > 0)
      throw new CodedError('RATE_LIMITED', `${this.#base.host} asked for a pause; the next attempt waits.`, {
        retryable: true,
        retryAfterMs: silence
      });

    const limit = new AbortController();
    const stop = (): void => limit.abort();
    const timer = setTimeout(stop, this.#timeoutMs);
    request.signal.addEventListener('abort', stop, { once: true });
    try {
      return await this.#exchange(request, apiKey, limit.signal);
    } catch (error) {
      if (request.signal.aborted) throw request.signal.reason;
      if (!limit.signal.aborted) throw error;
      const seconds = this.#timeoutMs / 1000;
      throw new CodedError('STALLED', `${this.#what(request)} was not answered within ${seconds} seconds.`, {
        retryable: true
      });
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', stop);
    }
  }

  /** Ends the own connections; requests under way fail. */
  close(): Promise<void> {
    this.#http.destroy();
    return Promise.resolve();
  }

  /** Told the headers of each answer, also of refusals. */
  protected answered?(headers: IncomingHttpHeaders): void;

  async #exchange(request: ApiRequest, apiKey: string, signal: AbortSignal): Promise<unknown> {
    const { status, headers, answer } = await this.#ask(request, apiKey, signal).catch((error: unknown) => {
      throw failed(this.#what(request), error);
    });
    const what = this.#what(request);
    if (status >= 300) {
      const refused = { what, status, headers, apiKey, now: this.#now() };
      const fault = apiFault({ ...refused, body: answer.ok ? answer.value : null }, this.dialect);
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
        authorization: `Bearer ${apiKey}`
      },
      answerTimeoutMs: this.#timeoutMs,
      stallTimeoutMs: this.#timeoutMs,
      signal
    });
    this.answered?.(headers);
    if (status < 300) return { status, headers, answer: await readJsonBody(body, this.#maxBody) };
    // The status of a refusal speaks for itself when the rest of it is lost.
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
        : `The API key of the account has blanks or characters that no key has. Copy it again from ${this.dialect.keyPlace}.`
    );
  }

  #keepSilent(ms: number): void {
    this.#silentUntil = Math.max(this.#silentUntil, this.#now() + Math.min(ms, LONGEST_SILENCE_MS));
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

/** What broke a request off, with the request. */
function failed(what: string, error: unknown): unknown {
  if (!(error instanceof CodedError)) return error;
  const code = error.code === 'TRUNCATED' ? 'LINK_REFUSED' : error.code;
  const { retryable } = error;
  return new CodedError(code, `${what} failed. ${error.message}`, { cause: error, retryable });
}
