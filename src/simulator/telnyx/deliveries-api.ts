import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DeliveryAttempt, DeliveryReport } from '../deliver';
import { sendJson } from '../send-json';
import { isAdmitted, sendError, sendPage, type ApiAccess, type Filters } from './api-answers';
import type { SampleDelivery } from './sample-delivery';

/** A delivery as the log has it. Times in milliseconds since 1970. */
interface Entry {
  id: string;
  /** What the body has in `data`. */
  webhook: Record<string, unknown>;
  url: string;
  startedAt: number;
  finishedAt: number;
  isDelivered: boolean;
  /** Oldest first. */
  attempts: readonly DeliveryAttempt[];
}

/** Changes what the API answers, to test how its callers cope. */
export type Garble = (item: Record<string, unknown>) => unknown;

const LONGEST_BODY = 10_000;

/** What the stand-in has tried to deliver, and the part of Telnyx's API v2 that reports it ("List webhook deliveries"). */
export class DeliveriesApi {
  readonly #access: ApiAccess;
  readonly #entries: Entry[] = [];
  /** Left out: the answers are as documented. */
  garble: Garble | undefined;

  constructor(access: ApiAccess) {
    this.#access = access;
  }

  /**
   * Notes what became of a delivery. Forms (TeXML) have no event that the log could show.
   *
   * @param startedAt of the first attempt. Milliseconds since 1970
   */
  add(
    sample: Pick<SampleDelivery, 'body' | 'contentType'>,
    to: string,
    report: DeliveryReport,
    startedAt: number
  ): void {
    if (sample.contentType !== 'application/json') return;
    const body = JSON.parse(sample.body(1, to).toString()) as { data?: Record<string, unknown> };
    if (body.data === undefined) return;
    const took = report.attempts.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    this.#entries.push({
      id: randomUUID(),
      webhook: body.data,
      url: to,
      startedAt,
      finishedAt: startedAt + took,
      isDelivered: report.accepted,
      attempts: report.attempts
    });
  }

  /** Answers one request; `url` is its address. */
  handle(request: IncomingMessage, url: URL, response: ServerResponse): void {
    if (!isAdmitted(request, response, this.#access)) return;
    const [, id] = /^\/v2\/webhook_deliveries(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (url.pathname === '/v2/webhook_deliveries' && request.method === 'GET') {
      sendPage(response, url.searchParams, {
        // Newest first.
        all: [...this.#entries].sort((a, b) => b.startedAt - a.startedAt),
        filters: readFilters(url.searchParams),
        describe: (entry) => this.garble?.(describe(entry)) ?? describe(entry)
      });
    } else if (id !== undefined && request.method === 'GET') {
      const entry = this.#entries.find((candidate) => candidate.id === id);
      if (entry) sendJson(response, 200, { data: describe(entry) });
      else sendError(response, 404, { code: '404', title: 'Not found' });
    } else {
      sendError(response, 404, { code: '10005', title: 'Resource not found' });
    }
  }
}

function describe({
  id,
  webhook,
  url,
  startedAt,
  finishedAt,
  isDelivered,
  attempts
}: Entry): Record<string, unknown> {
  const started_at = new Date(startedAt).toISOString();
  const finished_at = new Date(finishedAt).toISOString();
  const body = JSON.stringify({ data: webhook }).slice(0, LONGEST_BODY);
  return {
    id,
    user_id: 'c5b1b0b4-0000-4000-8000-000000000001',
    record_type: 'webhook_delivery',
    status: isDelivered ? 'delivered' : 'failed',
    started_at,
    finished_at,
    webhook,
    attempts: attempts
      .map(({ status }) => ({
        status: status === 200 ? 'delivered' : 'failed',
        started_at,
        finished_at,
        errors: status === 200 ? [] : [errorCode(status)],
        http: {
          request: { url, headers: [['content-type', 'application/json']], body },
          response: status === null ? null : { status, headers: [], body: '' }
        }
      }))
      .reverse()
  };
}

/** Telnyx's numbers for what can go wrong with an answer. */
function errorCode(status: number | null): number {
  if (status === null) return 75_002;
  if (status < 300) return 75_299;
  if (status < 400) return 75_300;
  return status < 500 ? 75_499 : 75_599;
}

type Condition = (entry: Entry) => boolean;

const TIMES: ReadonlyMap<string, (entry: Entry) => number> = new Map([
  ['started_at', ({ startedAt }: Entry) => startedAt],
  ['finished_at', ({ finishedAt }: Entry) => finishedAt]
]);

function readFilters(query: URLSearchParams): Filters<Entry> {
  const conditions: Condition[] = [];
  for (const [name, value] of query) {
    if (!name.startsWith('filter[')) continue;
    const condition = conditionOf(name, value);
    if (condition === undefined) return { ok: false, parameter: name };
    conditions.push(condition);
  }
  return { ok: true, matches: (entry) => conditions.every((condition) => condition(entry)) };
}

function conditionOf(name: string, value: string): Condition | undefined {
  if (name === 'filter[status][eq]')
    return ({ isDelivered }) => value === (isDelivered ? 'delivered' : 'failed');
  if (name === 'filter[event_type]') {
    const types = value.split(',');
    return ({ webhook }) => types.includes(String(webhook['event_type']));
  }
  if (name === 'filter[webhook][contains]') return ({ webhook }) => JSON.stringify(webhook).includes(value);
  if (name === 'filter[attempts][contains]') return ({ url }) => url.includes(value);
  const [, field = '', operator] = /^filter\[(\w+)\]\[(gte|lte)\]$/.exec(name) ?? [];
  const time = TIMES.get(field);
  const limit = Date.parse(value);
  if (time === undefined || Number.isNaN(limit)) return undefined;
  return operator === 'gte' ? (entry) => time(entry) >= limit : (entry) => time(entry) <= limit;
}
