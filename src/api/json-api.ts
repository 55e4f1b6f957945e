import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import { CodedError } from '../errors/coded-error';
import { rootCause } from '../errors/root-cause';
import { apiBase, type ApiBase } from './api-base';
import type { ApiDialect } from './api-dialect';
import { apiFault } from './api-fault';
import { readJsonBody } from './json-body';

export interface JsonApiOptions {
  /** As set in the account. Default: the provider's own. */
  apiUrl?: string;
  /** A secret; asked for each time, because accounts are edited. Null when none is set. */
  apiKey: () => string | null;
  /** Default: a connection pool of its own, which `close` ends. It must not follow redirects. */
  dispatcher?: Dispatcher;
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

/** After a 429 nothing is asked before the named time, but no header may silence the client for longer. */
const LONGEST_SILENCE_MS = 60_000;

/**
 * Asks the API of a provider. The key goes to the origin of `apiUrl` and nowhere else: requests name no
 * other host, and redirects are not followed.
 */
export abstract class JsonApi {
  readonly #base: ApiBase;
  readonly #dispatcher: Dispatcher;
  readonly #own: Agent | null;
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
    this.#own = options.dispatcher ? null : new Agent({ connect: { timeout: this.#timeoutMs } });
    this.#dispatcher = options.dispatcher ?? (this.#own as Agent);
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
      throw this.#fault(error, request, limit.signal.aborted);
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', stop);
    }
  }

  /** Ends the own connections; requests under way fail. */
  async close(): Promise<void> {
    await this.#own?.destroy();
  }

  /** Told the headers of each answer, also of refusals. */
  protected answered?(headers: IncomingHttpHeaders): void;

  async #exchange(request: ApiRequest, apiKey: string, signal: AbortSignal): Promise<unknown> {
    const query = new URLSearchParams(request.query).toString();
    const { statusCode, headers, body } = await this.#dispatcher.request({
      origin: this.#base.origin,
      path: `${this.#base.path}/${request.path.join('/')}${query === '' ? '' : `?${query}`}`,
      method: request.method,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        authorization: `Bearer ${apiKey}`
      },
      headersTimeout: this.#timeoutMs,
      bodyTimeout: this.#timeoutMs,
      signal
    });
    this.answered?.(headers);
    // A body that is destroyed before its end emits an error, wherever it is at that time.
    body.on('error', () => undefined);
    const answer = await readJsonBody(body, this.#maxBody);
    const what = this.#what(request);
    if (statusCode < 200 || statusCode >= 300) {
      const refused = { what, status: statusCode, headers, apiKey, now: this.#now() };
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

  #fault(error: unknown, request: ApiRequest, timedOut: boolean): CodedError {
    if (error instanceof CodedError) return error;
    const what = this.#what(request);
    const seconds = this.#timeoutMs / 1000;
    return timedOut
      ? new CodedError('STALLED', `${what} was not answered within ${seconds} seconds.`, { retryable: true })
      : new CodedError('LINK_REFUSED', `${what} failed: ${rootCause(error)}.`, {
          cause: error,
          retryable: true
        });
  }

  #what({ method, path }: ApiRequest): string {
    return `${method} /${path.join('/')} at ${this.#base.host}`;
  }
}
