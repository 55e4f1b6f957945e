import { connect, type Socket } from 'node:net';

export interface RawRequest {
  method?: string;
  /** Sent unchanged: no normalising, no escaping. */
  path: string;
  /** A list when a name appears twice. */
  headers?: Record<string, string> | [string, string][];
  body?: Uint8Array;
  /** Default `length`. `none` sends neither Content-Length nor Transfer-Encoding. */
  framing?: 'length' | 'chunked' | 'none';
  /** Announces the full length, sends only this many bytes and hangs up. */
  hangUpAfter?: number;
  /** Announces this length without sending a body; waits for the response. */
  declaredLength?: number;
  /** Sends the body one byte at a time with this pause in milliseconds. */
  bytePause?: number;
  /** Milliseconds until the client gives up; default 30 s. */
  deadline?: number;
}

export interface RawAnswer {
  /** 0 when the server closes the connection without a response. */
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Milliseconds from connecting to the end of the connection. */
  elapsed: number;
}

/**
 * One HTTP/1.1 exchange on its own connection, byte for byte as requested, valid or not. Resolves when the
 * server has responded and closed, or closed without a response.
 */
export async function exchange(port: number, request: RawRequest): Promise<RawAnswer> {
  const begun = Date.now();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const chunks: Buffer[] = [];
  return new Promise<RawAnswer>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`No answer within ${request.deadline ?? 30_000} ms`));
    }, request.deadline ?? 30_000);
    socket.on('connect', () => {
      socket.write(head(request));
      void sendBody(socket, request);
    });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A server that rejects a body may reset the connection; the response before that counts.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ ...parse(Buffer.concat(chunks)), elapsed: Date.now() - begun });
    });
  });
}

function head(request: RawRequest): string {
  const headers = Array.isArray(request.headers) ? request.headers : Object.entries(request.headers ?? {});
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  const framing = request.framing ?? (request.body || request.declaredLength ? 'length' : 'none');
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked');
  if (framing === 'length')
    lines.push(`Content-Length: ${request.declaredLength ?? request.body?.length ?? 0}`);
  const first = `${request.method ?? 'POST'} ${request.path} HTTP/1.1`;
  return [first, 'Host: 127.0.0.1', 'Connection: close', ...lines, '', ''].join('\r\n');
}

async function sendBody(socket: Socket, request: RawRequest): Promise<void> {
  const { body, framing, hangUpAfter, bytePause } = request;
  if (!body || request.declaredLength !== undefined) return;
  if (bytePause !== undefined) {
    for (const byte of body) {
      if (socket.destroyed) return;
      socket.write(Buffer.of(byte));
      // Not a wait for anything: the request simulates a client this slow.
      await new Promise((resolve) => setTimeout(resolve, bytePause));
    }
    return;
  }
  if (hangUpAfter !== undefined) {
    socket.write(body.subarray(0, hangUpAfter), () => socket.destroy());
    return;
  }
  if (framing !== 'chunked') {
    socket.write(body);
    return;
  }
  for (let offset = 0; offset < body.length; offset += 1000) {
    const part = body.subarray(offset, offset + 1000);
    socket.write(`${part.length.toString(16)}\r\n`);
    socket.write(part);
    socket.write('\r\n');
  }
  socket.write('0\r\n\r\n');
}

function parse(bytes: Buffer): Omit<RawAnswer, 'elapsed'> {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return { status: 0, headers: {}, body: Buffer.alloc(0) };
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const rest = bytes.subarray(end + 4);
  const chunked = headers['transfer-encoding'] === 'chunked';
  return { status: Number(first.split(' ')[1]), headers, body: chunked ? joined(rest) : rest };
}

function joined(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let offset = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', offset);
    const size = lineEnd < 0 ? 0 : parseInt(bytes.toString('latin1', offset, lineEnd), 16);
    if (!size) return Buffer.concat(parts);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    offset = lineEnd + 2 + size + 2;
  }
}
