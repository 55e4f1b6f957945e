import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '../send-json';
import { isAdmitted, sendError, sendPage, type ApiAccess, type Filters } from './api-answers';

/** A text of a recording that the stand-in keeps. */
export interface StandInTranscription {
  id: string;
  recordingId: string;
  status: string;
  text: string;
  /** Milliseconds of speech. */
  millis: number;
  /** Milliseconds since 1970; it is listed by this time. */
  createdAt: number;
}

/** The texts of the made-up account's recordings, and the part of Telnyx's API v2 that lists them. */
export class TranscriptionsApi {
  readonly #access: ApiAccess;
  readonly #transcriptions = new Map<string, StandInTranscription>();

  constructor(access: ApiAccess) {
    this.#access = access;
  }

  /**
   * Adds a text without announcing it.
   *
   * @param recordingId of any recording, also of one that is gone
   * @param now milliseconds since 1970
   */
  add(recordingId: string, overrides: Partial<StandInTranscription>, now: number): StandInTranscription {
    const transcription = {
      id: randomUUID(),
      recordingId,
      status: 'completed',
      text: 'Good morning, how may I help you?',
      millis: 3000,
      createdAt: now,
      ...overrides
    };
    this.#transcriptions.set(transcription.id, transcription);
    return transcription;
  }

  /** Answers one request; `url` is its address. */
  handle(request: IncomingMessage, url: URL, response: ServerResponse): void {
    if (!isAdmitted(request, response, this.#access)) return;
    const [, id] = /^\/v2\/recording_transcriptions(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const { method } = request;
    if (url.pathname === '/v2/recording_transcriptions' && method === 'GET') {
      sendPage(response, url.searchParams, {
        // Newest first.
        all: [...this.#transcriptions.values()].sort((a, b) => b.createdAt - a.createdAt),
        filters: readFilters(url.searchParams),
        describe
      });
    } else if (id !== undefined && (method === 'GET' || method === 'DELETE')) {
      const transcription = this.#transcriptions.get(id);
      if (method === 'DELETE') this.#transcriptions.delete(id);
      if (transcription) sendJson(response, 200, { data: describe(transcription) });
      else sendError(response, 404, { code: '404', title: 'Not found' });
    } else {
      sendError(response, 404, { code: '10005', title: 'Resource not found' });
    }
  }
}

function describe({ id, recordingId, status, text, millis, createdAt }: StandInTranscription): object {
  const created_at = new Date(createdAt).toISOString();
  return {
    record_type: 'recording_transcription',
    id,
    recording_id: recordingId,
    status,
    transcription_text: text,
    duration_millis: millis,
    created_at,
    updated_at: created_at
  };
}

/** The filters of "List all recording transcriptions". */
function readFilters(query: URLSearchParams): Filters<StandInTranscription> {
  const conditions: ((transcription: StandInTranscription) => boolean)[] = [];
  for (const [name, value] of query) {
    if (!name.startsWith('filter[')) continue;
    const limit = Date.parse(value);
    if (name === 'filter[recording_id]') conditions.push(({ recordingId }) => recordingId === value);
    else if (Number.isNaN(limit)) return { ok: false, parameter: name };
    else if (name === 'filter[created_at][gte]') conditions.push(({ createdAt }) => createdAt >= limit);
    else if (name === 'filter[created_at][lte]') conditions.push(({ createdAt }) => createdAt <= limit);
    else return { ok: false, parameter: name };
  }
  return { ok: true, matches: (transcription) => conditions.every((condition) => condition(transcription)) };
}
