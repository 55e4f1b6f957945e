import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LocalServer, localServer } from './media';

export const DAILY_API_KEY = 'made-up-daily-api-key-0123456789abcdef';

/** Faults, once each in this order; after the last one everything works. */
export interface DailyFaults {
  api?: ((response: ServerResponse) => void)[];
  media?: ('cut' | 'stall' | 'html' | 'expired' | 'busy')[];
  /** In place of a link. */
  linkText?: string;
  /** The first links have already expired. */
  deadLinks?: number;
}

export interface DailyServer extends LocalServer {
  /** Method, address and authorization of every request, in order. */
  seen: { line: string; authorization: string | undefined }[];
  /** The faults of the recordings, by id. */
  faults: Map<string, DailyFaults>;
}

/** `%7e` and the order of the fields show whether a link is used byte for byte. */
const ODD_QUERY = 'x-id=GetObject&odd=%7e+%2B&a=1';

/**
 * A server that is Daily's API, the storage for its links, and a bucket `tracks` with raw tracks.
 *
 * @param listed the only page of `GET /recordings`
 */
export async function dailyServer(
  files: ReadonlyMap<string, Buffer>,
  listed: object[] = []
): Promise<DailyServer> {
  const seen: DailyServer['seen'] = [];
  const faults: DailyServer['faults'] = new Map();
  const server = await localServer((request, response) => {
    const url = request.url ?? '';
    const { authorization } = request.headers;
    seen.push({ line: `${request.method} ${url}`, authorization });
    const [, id = ''] = /^\/(?:v1\/recordings|media|tracks)\/([^/?]+)/.exec(url) ?? [];
    const fault = faults.get(id) ?? {};
    if (/^\/v1\/recordings\?/.test(url)) {
      json(response, 200, { data: url.includes('starting_after') ? [] : listed });
      return;
    }
    if (!url.startsWith('/v1/')) {
      sendFile(files.get(id), fault, request, response);
      return;
    }
    const broken = fault.api?.shift();
    const refusal = authorization === `Bearer ${DAILY_API_KEY}` ? null : [401, 'authentication-error'];
    const [status, error] = refusal ?? (files.has(id) ? [200, ''] : [404, 'not-found']);
    if (broken !== undefined) broken(response);
    else if (status !== 200) json(response, Number(status), { error });
    else if (request.method === 'DELETE') json(response, 200, { deleted: true, id });
    else if (url.includes('/access-link')) json(response, 200, accessLink(id, fault, request));
    else json(response, 200, recordingObject(id));
  });
  return { ...server, seen, faults };
}

function accessLink(id: string, fault: DailyFaults, { headers }: IncomingMessage): object {
  const dead = (fault.deadLinks ?? 0) > 0;
  if (dead) fault.deadLinks = (fault.deadLinks ?? 0) - 1;
  const date = dead ? '20200101T000000Z' : '20990101T000000Z';
  const signed = `X-Amz-Date=${date}&X-Amz-Expires=3600&X-Amz-Signature=secret`;
  const link = `http://${headers.host}/media/${id}?${signed}&${ODD_QUERY}`;
  return { download_link: fault.linkText ?? link, expires: 4_000_000_000 };
}

export function json(response: ServerResponse, status: number, value: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

/** In the form of GET /recordings/:id; not every event has room and participants. */
function recordingObject(id: string): object {
  return { id, room_name: 'from the API', start_ts: 1_790_000_000, duration: 61, max_participants: 4 };
}

function sendFile(
  bytes: Buffer | undefined,
  fault: DailyFaults,
  request: IncomingMessage,
  response: ServerResponse
): void {
  const next = fault.media?.shift();
  if (bytes === undefined) {
    xml(response, 404, 'NoSuchKey', 'The specified key does not exist.');
    return;
  }
  if (next === 'expired') return xml(response, 403, 'AccessDenied', 'Request has expired');
  if (next === 'busy') return xml(response, 503, 'SlowDown', 'Please reduce your request rate.');
  if (next === 'html') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><html>Sign in</html>');
    return;
  }
  const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  const from = range !== undefined && request.headers['if-range'] === etag ? Number(range) : 0;
  response.writeHead(from > 0 ? 206 : 200, {
    etag,
    // Storage returns few details of a track.
    'content-type': 'binary/octet-stream',
    'content-length': bytes.length - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
  });
  const half = from + Math.floor((bytes.length - from) / 2);
  if (next === undefined) response.end(bytes.subarray(from));
  else response.write(bytes.subarray(from, half), () => next === 'cut' && response.destroy());
}

function xml(response: ServerResponse, status: number, code: string, message: string): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
}
