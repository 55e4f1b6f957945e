import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestLimit } from '../request-limit';
import { sendJson } from '../send-json';

const DEFAULT_PAGE_SIZE = 20;
const LARGEST_PAGE = 250;

/** Who may ask an API, and how often. */
export interface ApiAccess {
  apiKey: string;
  limit?: RequestLimit;
}

/** Whether a request may be answered; if not, it has been refused. */
export function isAdmitted(
  request: IncomingMessage,
  response: ServerResponse,
  { apiKey, limit }: ApiAccess
): boolean {
  const limited = limit?.take();
  for (const [name, value] of Object.entries(limited?.headers ?? {})) response.setHeader(name, value);
  if (request.headers.authorization !== `Bearer ${apiKey}`) {
    sendError(response, 401, { code: '401', title: 'Authentication failed' });
  } else if (limited && !limited.allowed) {
    sendError(response, 429, { code: '10011', title: 'Too many requests' });
  } else {
    return true;
  }
  return false;
}

/** The combined conditions of the filters of a query, or the name of an unknown parameter. */
export type Filters<Item> = { ok: true; matches: (item: Item) => boolean } | { ok: false; parameter: string };

/** Answers with the page of a list that a query asks for. */
export function sendPage<Item>(
  response: ServerResponse,
  query: URLSearchParams,
  {
    all,
    filters,
    describe
  }: { all: readonly Item[]; filters: Filters<Item>; describe: (item: Item) => unknown }
): void {
  const number = Number(query.get('page[number]') ?? 1);
  const size = Number(query.get('page[size]') ?? DEFAULT_PAGE_SIZE);
  if (!Number.isInteger(number) || number < 1) {
    sendInvalid(response, 'page[number]');
  } else if (!Number.isInteger(size) || size < 1 || size > LARGEST_PAGE) {
    sendInvalid(response, 'page[size]');
  } else if (!filters.ok) {
    sendInvalid(response, filters.parameter);
  } else {
    const found = all.filter(filters.matches);
    sendJson(response, 200, {
      data: found.slice((number - 1) * size, number * size).map(describe),
      meta: {
        page_number: number,
        page_size: size,
        total_pages: Math.ceil(found.length / size),
        total_results: found.length
      }
    });
  }
}

const DETAILS: ReadonlyMap<string, string> = new Map([
  ['401', 'The API key is missing or wrong.'],
  ['10011', 'You have exceeded the rate limit.'],
  ['10005', 'The stand-in does not know this address.']
]);

export function sendError(
  response: ServerResponse,
  status: number,
  { code, title, detail = DETAILS.get(code) ?? title }: { code: string; title: string; detail?: string }
): void {
  sendJson(response, status, { errors: [{ code, title, detail }] });
}

function sendInvalid(response: ServerResponse, parameter: string): void {
  const detail = `The value of ${parameter} is not valid.`;
  sendError(response, 422, { code: '422', title: 'Invalid parameter', detail });
}
