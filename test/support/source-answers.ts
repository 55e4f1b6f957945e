import type { IncomingMessage, ServerResponse } from 'node:http';

/** The behaviour of a storage for one request for a file. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A file in a storage. */
export interface SourceFile {
  bytes: Buffer;
  contentType: string;
  /** Including quotes; null: the storage has no ETags. */
  etag: string | null;
}

/** The offset of the response. Without `If-Range` it refers to the current file. */
function startOf(request: IncomingMessage, { etag }: SourceFile): number {
  const condition = request.headers['if-range'];
  return condition === undefined || condition === etag ? rangeOf(request) : 0;
}

/** The first requested byte. */
export function rangeOf({ headers }: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
}

function headersOf({ contentType, etag }: SourceFile): Record<string, string> {
  return { 'content-type': contentType, ...(etag !== null && { etag }) };
}

function begin(response: ServerResponse, file: SourceFile, from: number, size = file.bytes.length): void {
  response.writeHead(from > 0 ? 206 : 200, {
    ...headersOf(file),
    'content-length': size - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${size - 1}/${size}` })
  });
}

/** The correct response: the file, or the rest of it. */
export function whole(file: SourceFile): Answer {
  return (request, response) => {
    const from = startOf(request, file);
    begin(response, file, from);
    response.end(file.bytes.subarray(from));
  };
}

/** Sends this many bytes and ends the connection: `end` closes it, `reset` resets it. */
export function cutAfter(file: SourceFile, count: number, how: 'end' | 'reset' = 'end'): Answer {
  return (request, response) => {
    const from = startOf(request, file);
    begin(response, file, from);
    response.write(file.bytes.subarray(from, from + count), () => {
      if (how === 'reset') request.socket.resetAndDestroy();
      else request.socket.destroy();
    });
  };
}

/** Announces more than it has, sends it all, and closes cleanly. */
export function promisesMore(file: SourceFile, more: number): Answer {
  return (request, response) => {
    const from = startOf(request, file);
    begin(response, file, from, file.bytes.length + more);
    response.write(file.bytes.subarray(from), () => request.socket.end());
  };
}

/** Sends this many bytes in chunks and closes cleanly, without the final chunk. */
export function chunkedWithoutEnd(file: SourceFile, count: number): Answer {
  return (request, response) => {
    response.writeHead(200, { ...headersOf(file), 'transfer-encoding': 'chunked' });
    response.write(file.bytes.subarray(0, count), () => request.socket.end());
  };
}

/** Like old servers: no length; only the end of the connection marks the end of the body. */
export function withoutLength(file: SourceFile, count: number): Answer {
  return ({ socket }) => {
    const headers = Object.entries(headersOf(file)).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.0 200 OK\r\n${headers.join('')}\r\n`);
    socket.end(file.bytes.subarray(0, count));
  };
}

/** Sends the requested range of the current file. */
export function ignoresIfRange(file: SourceFile): Answer {
  return (request, response) => {
    const from = rangeOf(request);
    begin(response, file, from);
    response.end(file.bytes.subarray(from));
  };
}

export interface WrongPart {
  /** The value of `Content-Range`, after the unit. */
  range: string;
  /** The real offset of the bytes. */
  from: number;
  /** Their real end; default: that of the file. */
  to?: number;
}

/** Answers a range request with a mislabelled range. */
export function wrongPart(file: SourceFile, wrong: (from: number, bytes: Buffer) => WrongPart): Answer {
  return (request, response) => {
    const { range, from, to } = wrong(startOf(request, file), file.bytes);
    const part = file.bytes.subarray(from, to);
    response
      .writeHead(206, {
        ...headersOf(file),
        'content-length': part.length,
        'content-range': `bytes ${range}`
      })
      .end(part);
  };
}

export function redirect(location: string, status = 302): Answer {
  return (_request, response) => response.writeHead(status, { location }).end();
}
