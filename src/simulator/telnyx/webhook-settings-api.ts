import { randomInt } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readJson } from '../read-json';
import { sendJson } from '../send-json';
import { isAdmitted, sendError, sendPage, type ApiAccess, type Filters } from './api-answers';

type Item = Record<string, unknown> & { id: string };

/** By collection: the field with the name, and what a PATCH needs. */
const COLLECTIONS: ReadonlyMap<string, { name: string; required: readonly string[] }> = new Map([
  [
    'call_control_applications',
    { name: 'application_name', required: ['application_name', 'webhook_event_url'] }
  ],
  ['texml_applications', { name: 'friendly_name', required: ['friendly_name', 'voice_url'] }],
  ['messaging_profiles', { name: 'name', required: [] }],
  ['fax_applications', { name: 'application_name', required: ['application_name', 'webhook_event_url'] }],
  ['credential_connections', { name: 'connection_name', required: [] }],
  ['fqdn_connections', { name: 'connection_name', required: [] }],
  ['ip_connections', { name: 'connection_name', required: [] }],
  ['external_connections', { name: 'connection_name', required: ['outbound'] }]
]);

/** A fault in place of an answer: a status, or a connection that is closed once the request is carried out. */
export type SettingsFault = number | 'cut';

/** Applications, profiles and connections with their webhook URLs, and the part of Telnyx's API v2 that changes them. */
export class WebhookSettingsApi {
  readonly #access: ApiAccess;
  readonly #items = new Map<string, Item[]>();
  /** Method and path of each request. */
  readonly requests: string[] = [];
  /** Left out: there are no faults. */
  faultOf: ((method: string, path: string) => SettingsFault | undefined) | undefined;

  constructor(access: ApiAccess) {
    this.#access = access;
  }

  /** Whether a path belongs to this part of the API. */
  handles(path: string): boolean {
    const [, collection = ''] = /^\/v2\/(\w+)/.exec(path) ?? [];
    return collection === 'connections' || COLLECTIONS.has(collection);
  }

  /**
   * Puts something into the account.
   *
   * @param collection last segment of its address
   * @returns the item, as the API has it
   */
  add(collection: string, properties: Record<string, unknown>): Item {
    const id = `18930044174${randomInt(10_000_000, 99_999_999)}`;
    const item = { id, record_type: collection.replace(/s$/, ''), ...properties };
    this.#items.set(collection, [...this.#of(collection), item]);
    return item;
  }

  /** Answers one request; `url` is its address. */
  async handle(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const method = request.method ?? '';
    this.requests.push(`${method} ${url.pathname}`);
    if (!isAdmitted(request, response, this.#access)) return;
    const fault = this.faultOf?.(method, url.pathname);
    if (typeof fault === 'number') {
      sendError(response, fault, { code: String(fault), title: 'Made up by the stand-in' });
      return;
    }
    const [, collection = '', id] = /^\/v2\/(\w+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const item = this.#of(collection).find((candidate) => candidate.id === id);
    if (method === 'GET' && id === undefined) this.#list(collection, url.searchParams, response);
    else if (item === undefined) sendError(response, 404, { code: '10005', title: 'Resource not found' });
    else if (method === 'PATCH') await this.#change(collection, item, { request, response, fault });
    else sendJson(response, 200, { data: item });
  }

  #of(collection: string): Item[] {
    if (collection !== 'connections') return this.#items.get(collection) ?? [];
    // The list of connections contains applications, too.
    return [...this.#items].flatMap(([name, items]) => (name === 'messaging_profiles' ? [] : items));
  }

  #list(collection: string, query: URLSearchParams, response: ServerResponse): void {
    const name = COLLECTIONS.get(collection)?.name ?? 'connection_name';
    sendPage(response, query, {
      all: this.#of(collection),
      filters: readFilters(name, query),
      describe: (item) => item
    });
  }

  async #change(
    collection: string,
    item: Item,
    {
      request,
      response,
      fault
    }: { request: IncomingMessage; response: ServerResponse; fault: 'cut' | undefined }
  ): Promise<void> {
    const body = await readJson(request);
    const missing = COLLECTIONS.get(collection)?.required.find((field) => body?.[field] == null);
    if (body === null || missing !== undefined) {
      sendError(response, 422, { code: '10004', title: 'Missing required parameter' });
      return;
    }
    Object.assign(item, body);
    if (fault === 'cut') response.destroy();
    else sendJson(response, 200, { data: item });
  }
}

function readFilters(name: string, query: URLSearchParams): Filters<Item> {
  const wanted = `filter[${name}][contains]`;
  const unknown = [...query.keys()].find((key) => key.startsWith('filter[') && key !== wanted);
  if (unknown !== undefined) return { ok: false, parameter: unknown };
  const part = (query.get(wanted) ?? '').toLowerCase();
  return { ok: true, matches: (item) => String(item[name]).toLowerCase().includes(part) };
}
