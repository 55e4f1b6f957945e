import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a storage does with one request for a file. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A file as a storage has it. */
export interface SourceFile {
  bytes: Buffer;
  contentType: string;
  /** Quotes and all; null: the storage knows no ETags. */
  etag: string | null;
}

/** Where the answer begins. Whoever names no file by `If-Range` gets the part of whatever file is there. */
function startOf(request: IncomingMessage, { etag }: SourceFile): number {
  const condition = request.headers['if-range'];
  return condition === undefined || condition === etag ? rangeOf(request) : 0;
}

/** The first byte that is asked for. */
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

/** As it should be: the file, or the rest of it. */
export function whole(file: SourceFile): Answer {
  return (request, response) => {
    const from = startOf(request, file);
    begin(response, file, from);
    response.end(file.bytes.subarray(from));
  };
}

/** Sends so many bytes and breaks the connection off: `end` closes it, `reset` tears it. */
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

/** Sends all there is, has promised more, and closes in good order. */
export function promisesMore(file: SourceFile, more: number): Answer {
  return (request, response) => {
    const from = startOf(request, file);
    begin(response, file, from, file.bytes.length + more);
    response.write(file.bytes.subarray(from), () => request.socket.end());
  };
}

/** Sends so many bytes in chunks and closes in good order, without the chunk that marks the end. */
export function chunkedWithoutEnd(file: SourceFile, count: number): Answer {
  return (request, response) => {
    response.writeHead(200, { ...headersOf(file), 'transfer-encoding': 'chunked' });
    response.write(file.bytes.subarray(0, count), () => request.socket.end());
  };
}

/** As servers of old: no length, and nothing but the end of the connection marks the end of the body. */
export function withoutLength(file: SourceFile, count: number): Answer {
  return ({ socket }) => {
    const headers = Object.entries(headersOf(file)).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.0 200 OK\r\n${headers.join('')}\r\n`);
    socket.end(file.bytes.subarray(0, count));
  };
}

/** Sends the part that is asked for, of whatever file is there now. */
export function ignoresIfRange(file: SourceFile): Answer {
  return (request, response) => {
    const from = rangeOf(request);
    begin(response, file, from);
    response.end(file.bytes.subarray(from));
  };
}

export interface WrongPart {
  /** Of `Content-Range`, after the unit. */
  range: string;
  /** Where the bytes really begin. */
  from: number;
  /** Where they really end; default: with the file. */
  to?: number;
}

/** Answers the request for a part with a part that is not what it is called. */
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
