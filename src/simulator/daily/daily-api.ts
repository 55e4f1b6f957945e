import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DailyRecording, type DailyShelf, storageKey } from './daily-shelf';
import type { DailyWebhooksApi } from './daily-webhooks-api';
import type { DailyTextsApi } from './daily-texts-api';
import type { SideFileName } from './daily-texts';
import type { RequestLimit } from '../request-limit';
import { sendJson } from '../send-json';

export interface DailyApiOptions {
  shelf: DailyShelf;
  webhooks: DailyWebhooksApi;
  texts: DailyTextsApi;
  apiKey: string;
  /** Makes a fresh link to a file. @param seconds how long it works */
  link: (recording: DailyRecording, seconds: number) => string;
  /** As `link`, to a side file. */
  sideLink: (recording: DailyRecording, name: SideFileName) => string;
  /** Unix milliseconds. */
  clock: () => number;
  limit?: RequestLimit;
}

const LARGEST_PAGE = 100;
const LINK_SECONDS = 3600;

/** The recordings part of Daily's REST API (docs: "Recordings"): list, one, access link, delete. */
export class DailyRecordingsApi {
  readonly #options: DailyApiOptions;

  constructor(options: DailyApiOptions) {
    this.#options = options;
  }

  /** Answers one request; `url` is its address. */
  handle(request: IncomingMessage, url: URL, response: ServerResponse): void {
    const { apiKey, limit } = this.#options;
    const { authorization } = request.headers;
    if (authorization === undefined)
      sendError(response, 400, 'authorization-header-error', 'no authorization header');
    else if (authorization !== `Bearer ${apiKey}`) sendError(response, 401, 'authentication-error', null);
    else if (limit?.take().allowed === false) sendError(response, 429, 'rate-limit-error', null);
    else if (/^\/v1\/webhooks(?:\/|$)/.test(url.pathname))
      void this.#options.webhooks.handle(request, url, response);
    else if (this.#options.texts.has(url.pathname)) this.#options.texts.handle(request, url, response);
    else this.#answer(request.method ?? '', url, response);
  }

  #answer(method: string, url: URL, response: ServerResponse): void {
    const [, id, link] = /^\/v1\/recordings(?:\/([^/]+)(\/access-link)?)?$/.exec(url.pathname) ?? [];
    const recording = id === undefined ? undefined : this.#options.shelf.get(id);
    if (method === 'GET' && url.pathname === '/v1/recordings') this.#list(url.searchParams, response);
    else if (recording === undefined) sendError(response, 404, 'not-found', null);
    else if (method === 'GET' && link !== undefined) this.#link(recording, url.searchParams, response);
    else if (method === 'GET') sendJson(response, 200, describe(recording));
    else if (method === 'DELETE' && link === undefined) {
      this.#options.shelf.delete(recording.id);
      sendJson(response, 200, { deleted: true, id: recording.id });
    } else sendError(response, 404, 'not-found', null);
  }

  #link(recording: DailyRecording, query: URLSearchParams, response: ServerResponse): void {
    const seconds = Number(query.get('valid_for_secs') ?? LINK_SECONDS);
    if (!Number.isInteger(seconds) || seconds < 1) {
      sendError(response, 400, 'invalid-request-error', 'valid_for_secs must be a positive integer');
      return;
    }
    const { clock, link, sideLink } = this.#options;
    const { dataOutputs, sideFilesAt } = recording;
    const there = clock() < sideFilesAt ? [] : dataOutputs;
    sendJson(response, 200, {
      download_link: link(recording, seconds),
      expires: Math.floor(clock() / 1000) + seconds,
      ...(dataOutputs.length > 0 && {
        data_outputs: Object.fromEntries(there.map((name) => [name, sideLink(recording, name)]))
      })
    });
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const limit = Number(query.get('limit') ?? LARGEST_PAGE);
    if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_PAGE) {
      sendError(response, 400, 'invalid-request-error', `limit must be from 1 to ${LARGEST_PAGE}`);
      return;
    }
    const room = query.get('room_name');
    const all = this.#options.shelf.all().filter(({ roomName }) => room === null || roomName === room);
    const after = all.findIndex(({ id }) => id === query.get('starting_after'));
    const before = all.findIndex(({ id }) => id === query.get('ending_before'));
    const end = before === -1 ? all.length : before;
    // The page before an object ends right before it; the page after one begins right after it.
    const start = before === -1 ? after + 1 : Math.max(0, end - limit);
    const data = all.slice(start, Math.min(end, start + limit)).map(describe);
    sendJson(response, 200, { total_count: all.length, data });
  }
}

function describe(recording: DailyRecording): Record<string, unknown> {
  return {
    id: recording.id,
    room_name: recording.roomName,
    start_ts: Math.floor(recording.startedAt / 1000),
    status: 'finished',
    max_participants: recording.maxParticipants,
    duration: recording.seconds,
    s3key: storageKey(recording),
    tracks: [],
    data_outputs: recording.dataOutputs
  };
}

function sendError(response: ServerResponse, status: number, error: string, info: string | null): void {
  sendJson(response, status, info === null ? { error } : { error, info });
}
