import type { IncomingMessage, ServerResponse } from 'node:http';
import { isAdmitted, sendError, sendPage, type ApiAccess } from './api-answers';
import { readFilters } from './recording-filters';
import type { RecordingShelf, ShelvedFile, StandInRecording } from './recording-shelf';
import { sendJson } from '../send-json';

export interface RecordingsApiOptions extends ApiAccess {
  shelf: RecordingShelf;
  /** Makes a fresh link to a file. */
  link: (file: ShelvedFile) => string;
}

/** The recordings part of Telnyx's API v2 (docs: "Call Recordings"): list, one, delete. */
export class RecordingsApi {
  readonly #options: RecordingsApiOptions;

  constructor(options: RecordingsApiOptions) {
    this.#options = options;
  }

  /** Answers one request; `url` is its address. */
  handle(request: IncomingMessage, url: URL, response: ServerResponse): void {
    if (isAdmitted(request, response, this.#options)) this.#answer(request, url, response);
  }

  #answer(request: IncomingMessage, url: URL, response: ServerResponse): void {
    const [, id] = /^\/v2\/recordings(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const { method } = request;
    if (url.pathname === '/v2/recordings' && method === 'GET') {
      sendPage(response, url.searchParams, {
        all: this.#options.shelf.all(),
        filters: readFilters(url.searchParams),
        describe: (recording) => this.#describe(recording)
      });
    } else if (id !== undefined && (method === 'GET' || method === 'DELETE')) {
      const recording = method === 'GET' ? this.#options.shelf.get(id) : this.#options.shelf.delete(id);
      if (recording) sendJson(response, 200, { data: this.#describe(recording) });
      else
        sendError(response, 404, {
          code: '404',
          title: 'Not found',
          detail: 'The recording does not exist.'
        });
    } else {
      sendError(response, 404, { code: '10005', title: 'Resource not found' });
    }
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
