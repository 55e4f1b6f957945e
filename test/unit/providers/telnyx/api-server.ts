import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonApiOptions } from '../../../../src/providers/http/json-api';
import { TelnyxApi } from '../../../../src/providers/telnyx/api-client';
import { unknownDetails } from '../../../../src/recording/extract/announcement';
import type { RecordingDetails } from '../../../../src/recording/recording-details';
import type { RecordingReference } from '../../../../src/recording/recording-reference';

export const API_KEY = 'KEY0189AF23EXAMPLEONLY';

export interface SeenRequest {
  /** `GET /v2/recordings/rec-1`, without the query. */
  line: string;
  query: URLSearchParams;
  authorization: string | undefined;
}

type Reply = (response: ServerResponse, request: IncomingMessage) => void;

/** A server whose responses a test sets one by one; it answers anything else with 404, like Telnyx. */
export class ApiServer {
  readonly seen: SeenRequest[] = [];
  readonly #replies = new Map<string, Reply[]>();
  readonly #apis: TelnyxApi[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ApiServer> {
    const server = createServer();
    const api = new ApiServer(server);
    server.on('request', (request, response) => api.#answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return api;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#apis.map((api) => api.close()));
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get apiUrl(): string {
    return `${this.origin}/v2`;
  }

  /** A client of this server, closed with it. */
  client(options: Partial<JsonApiOptions> = {}): TelnyxApi {
    const api = new TelnyxApi({ apiUrl: this.apiUrl, apiKey: () => API_KEY, ...options });
    this.#apis.push(api);
    return api;
  }

  /** Sets the next response to a request; the last one set stays. */
  on(line: string, reply: Reply): this {
    this.#replies.set(line, [...(this.#replies.get(line) ?? []), reply]);
    return this;
  }

  json(line: string, value: unknown, status = 200, headers: Record<string, string> = {}): this {
    return this.on(line, (response) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    });
  }

  status(line: string, status: number, headers: Record<string, string> = {}): this {
    return this.on(line, (response) => response.writeHead(status, headers).end());
  }

  get lines(): string[] {
    return this.seen.map(({ line }) => line);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '';
    const [path = '', query = ''] = url.split('?');
    const line = `${request.method ?? ''} ${path}`;
    const { authorization } = request.headers;
    this.seen.push({ line, query: new URLSearchParams(query), authorization });
    const replies = this.#replies.get(line) ?? [];
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    if (reply) {
      reply(response, request);
      return;
    }
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code: '10005', title: 'Resource not found' }] }));
  }
}

/** A reference as the extractors return it, with the fields of the test. */
export function reference(
  details: Partial<RecordingDetails> = {},
  rest: Partial<Omit<RecordingReference, 'details'>> = {}
): RecordingReference {
  return {
    kind: 'audio',
    identity: 'telnyx:test',
    details: {
      ...unknownDetails({
        provider: 'telnyx',
        event_type: 'call.recording.saved',
        event_id: 'evt-1',
        announced_at: null
      }),
      ...details
    },
    links: [],
    media_index: null,
    announced_at: null,
    storage_key: null,
    resource: 'recording',
    ...rest
  };
}

/** An item of the recordings API. */
export function recordingItem(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    record_type: 'recording',
    id: 'rec-1',
    status: 'completed',
    channels: 'dual',
    duration_millis: 61_500,
    source: 'call',
    initiated_by: 'StartCallRecordingAPI',
    call_control_id: 'v3:leg-1',
    call_leg_id: 'leg-1',
    call_session_id: 'ses-1',
    conference_id: null,
    connection_id: '1893004417265530001',
    from: '+12025550101',
    to: '+12025550102',
    recording_started_at: '2026-03-04T09:15:02.118204Z',
    recording_ended_at: '2026-03-04T09:16:03.6Z',
    download_urls: { mp3: link('rec-1-1772615702.mp3') },
    ...fields
  };
}

export function link(file: string): string {
  return `https://media.example.com/telephony-recorder-prod/acc-1/2026-03-04/${file}?X-Amz-Signature=fresh`;
}

export const never = new AbortController().signal;
