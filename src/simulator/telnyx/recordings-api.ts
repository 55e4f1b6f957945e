import type { IncomingMessage, ServerResponse } from 'node:http';
import { readFilters } from './recording-filters';
import type { RecordingShelf, ShelvedFile, StandInRecording } from './recording-shelf';
import type { RequestLimit } from '../request-limit';
import { sendJson } from '../send-json';

export interface RecordingsApiOptions {
  shelf: RecordingShelf;
  apiKey: string;
  /** Makes a fresh link to a file. */
  link: (file: ShelvedFile) => string;
  limit?: RequestLimit;
}

const DEFAULT_PAGE_SIZE = 20;
const LARGEST_PAGE = 250;

/** The recordings part of Telnyx's API v2 (docs: "Call Recordings"): list, one, delete. */
export class RecordingsApi {
  readonly #options: RecordingsApiOptions;

  constructor(options: RecordingsApiOptions) {
    this.#options = options;
  }

  /** Answers one request; `url` is its address. */
  handle(request: IncomingMessage, url: URL, response: ServerResponse): void {
    const limited = this.#options.limit?.take();
    for (const [name, value] of Object.entries(limited?.headers ?? {})) response.setHeader(name, value);
    if (request.headers.authorization !== `Bearer ${this.#options.apiKey}`) {
      sendError(response, 401, '401', 'Authentication failed', 'The API key is missing or wrong.');
    } else if (limited && !limited.allowed) {
      sendError(response, 429, '10011', 'Too many requests', 'You have exceeded the rate limit.');
    } else {
      this.#answer(request, url, response);
    }
  }

  #answer(request: IncomingMessage, url: URL, response: ServerResponse): void {
    const [, id] = /^\/v2\/recordings(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const { method } = request;
    if (url.pathname === '/v2/recordings' && method === 'GET') {
      this.#list(url.searchParams, response);
    } else if (id !== undefined && (method === 'GET' || method === 'DELETE')) {
      const recording = method === 'GET' ? this.#options.shelf.get(id) : this.#options.shelf.delete(id);
      if (recording) sendJson(response, 200, { data: this.#describe(recording) });
      else sendError(response, 404, '404', 'Not found', 'The recording does not exist.');
    } else {
      sendError(response, 404, '10005', 'Resource not found', 'The stand-in does not know this address.');
    }
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const number = Number(query.get('page[number]') ?? 1);
    const size = Number(query.get('page[size]') ?? DEFAULT_PAGE_SIZE);
    const filters = readFilters(query);
    if (!Number.isInteger(number) || number < 1) {
      sendInvalid(response, 'page[number]');
    } else if (!Number.isInteger(size) || size < 1 || size > LARGEST_PAGE) {
      sendInvalid(response, 'page[size]');
    } else if (!filters.ok) {
      sendInvalid(response, filters.parameter);
    } else {
      const found = this.#options.shelf.all().filter(filters.matches);
      this.#sendPage(found, number, size, response);
    }
  }

  #sendPage(found: StandInRecording[], number: number, size: number, response: ServerResponse): void {
    const page = found.slice((number - 1) * size, number * size);
    sendJson(response, 200, {
      data: page.map((recording) => this.#describe(recording)),
      meta: {
        page_number: number,
        page_size: size,
        total_pages: Math.ceil(found.length / size),
        total_results: found.length
      }
    });
  }

  #describe(recording: StandInRecording): Record<string, unknown> {
    const files = this.#options.shelf.files(recording);
    const startedAt = new Date(recording.startedAt).toISOString();
    const endedAt = new Date(recording.startedAt + recording.seconds * 1000).toISOString();
    const createdAt = new Date(recording.createdAt).toISOString();
    return {
      record_type: 'recording',
      id: recording.id,
      status: 'completed',
      source: recording.source,
      channels: recording.channels,
      duration_millis: Math.round(recording.seconds * 1000),
      download_urls: Object.fromEntries(files.map((file) => [file.format, this.#options.link(file)])),
      conference_id: recording.conferenceId,
      initiated_by: 'StartCallRecordingAPI',
      ...recording.call,
      recording_started_at: startedAt,
      recording_ended_at: endedAt,
      created_at: createdAt,
      updated_at: createdAt
    };
  }
}

function sendInvalid(response: ServerResponse, parameter: string): void {
  sendError(response, 422, '422', 'Invalid parameter', `The value of ${parameter} is not valid.`);
}

function sendError(
  response: ServerResponse,
  status: number,
  code: string,
  title: string,
  detail: string
): void {
  sendJson(response, status, { errors: [{ code, title, detail }] });
}
