import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LocalServer, localServer } from './media';

export interface SlowMediaOptions {
  /** Bytes per write. */
  piece: number;
  /** Milliseconds between two writes. */
  pause: number;
  /** Default: `audio/wav`. */
  contentType?: string;
  /** Answers requests for anything except a file; false for a file. */
  other?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface SlowMedia extends LocalServer {
  /** The number of requests for the rest of a file. */
  resumed(): number;
}

/** Serves files like S3, with strong ETags and ranges, but slowly. Ignores the query. */
export async function slowMedia(
  files: ReadonlyMap<string, Buffer>,
  { piece, pause, contentType = 'audio/wav', other = () => false }: SlowMediaOptions
): Promise<SlowMedia> {
  let resumed = 0;
  const server = await localServer((request, response) => {
    if (other(request, response)) return;
    const bytes = files.get((request.url ?? '').split('?')[0] ?? '');
    if (bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const from = range !== undefined && request.headers['if-range'] === etag ? Number(range) : 0;
    if (from > 0) resumed += 1;
    response.writeHead(from > 0 ? 206 : 200, {
      etag,
      'content-type': contentType,
      'content-length': bytes.length - from,
      ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
    });
    let sent = from;
    const send = (): void => {
      const next = Math.min(sent + piece, bytes.length);
      response.write(bytes.subarray(sent, next));
      sent = next;
      if (sent === bytes.length) {
        clearInterval(timer);
        response.end();
      }
    };
    const timer = setInterval(send, pause);
    response.on('close', () => clearInterval(timer));
    send();
  });
  return { ...server, resumed: () => resumed };
}
