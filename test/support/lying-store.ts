import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface LiarCall {
  /** S3's name of the request: `PutObject`, `UploadPart`, … */
  name: string;
  key: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Answers instead of the store; false: the store answers honestly. */
export type Lie = (call: LiarCall, response: ServerResponse, store: LyingStore) => boolean;

/**
 * A stand-in for a bucket that can lie in every way that HTTP allows; honest as long as no lie is set. It
 * checks no signatures: a real server (s3-server.ts) tests correct S3, and this one tests faults.
 */
export class LyingStore {
  readonly calls: LiarCall[] = [];
  readonly objects = new Map<string, Buffer>();
  lie: Lie | undefined;
  readonly #uploads = new Map<string, Map<number, Buffer>>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #count = 0;

  private constructor() {
    this.#server = createServer({ keepAlive: true }, (request, response) => {
      response.on('error', () => undefined);
      request.on('error', () => undefined);
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://store');
        const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'));
        const query = url.searchParams;
        const name = nameOf(request.method ?? '', key, query);
        const call = { name, key, query, headers: request.headers, body: Buffer.concat(pieces) };
        this.calls.push(call);
        if (this.lie?.(call, response, this) !== true) this.answer(call, response);
      });
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
  }

  static async start(): Promise<LyingStore> {
    const store = new LyingStore();
    store.#server.listen(0, '127.0.0.1');
    await once(store.#server, 'listening');
    return store;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.endLies();
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Ends slow and endless responses, and every lie. */
  endLies(): void {
    this.lie = undefined;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
  }

  /** Breaks all connections, also those of requests that it never answers. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Sends a byte now and then, forever. The pauses are the lie. */
  drip(response: ServerResponse, everyMs = 200): void {
    const timer = setInterval(() => response.write('x'), everyMs);
    this.#timers.add(timer);
    response.on('close', () => clearInterval(timer));
  }

  /** Sends without end, as fast as it is read. */
  pour(response: ServerResponse, piece = Buffer.alloc(64 * 1024, 120)): void {
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  }

  /** Handles a request like an S3 store without versions. */
  answer({ name, key, query, headers, body }: LiarCall, response: ServerResponse): void {
    const held = this.objects.get(key);
    const etag = (bytes: Buffer): string => `"${createHash('md5').update(bytes).digest('hex')}"`;
    switch (name) {
      case 'GetObject': {
        if (held === undefined) return refuse(response, 404, 'NoSuchKey');
        const isRange = headers.range === 'bytes=0-0' && held.length > 0;
        const bytes = isRange ? held.subarray(0, 1) : held;
        response.writeHead(isRange ? 206 : 200, {
          etag: etag(held),
          'content-length': bytes.length,
          ...(isRange ? { 'content-range': `bytes 0-0/${held.length}` } : {})
        });
        return void response.end(bytes);
      }
      case 'PutObject':
        if (headers['if-none-match'] === '*' && held !== undefined)
          return refuse(response, 412, 'PreconditionFailed');
        this.objects.set(key, body);
        return void response
          .writeHead(200, {
            etag: etag(body),
            'x-amz-checksum-sha256': createHash('sha256').update(body).digest('base64')
          })
          .end();
      case 'CreateMultipartUpload': {
        const id = `upload-${++this.#count}`;
        this.#uploads.set(id, new Map());
        return xml(
          response,
          `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`
        );
      }
      case 'UploadPart':
        this.#uploads.get(query.get('uploadId') ?? '')?.set(Number(query.get('partNumber')), body);
        return void response.writeHead(200, { etag: etag(body) }).end();
      case 'CompleteMultipartUpload': {
        const id = query.get('uploadId') ?? '';
        const parts = this.#uploads.get(id);
        if (parts === undefined) return refuse(response, 404, 'NoSuchUpload');
        if (headers['if-none-match'] === '*' && held !== undefined)
          return refuse(response, 412, 'PreconditionFailed');
        const bytes = Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, part]) => part));
        this.objects.set(key, bytes);
        this.#uploads.delete(id);
        return xml(
          response,
          `<CompleteMultipartUploadResult><ETag>${etag(bytes)}</ETag></CompleteMultipartUploadResult>`
        );
      }
      case 'AbortMultipartUpload':
        this.#uploads.delete(query.get('uploadId') ?? '');
        return void response.writeHead(204).end();
      case 'DeleteObject':
        this.objects.delete(key);
        return void response.writeHead(204).end();
      case 'GetBucketVersioning':
        return xml(response, '<VersioningConfiguration/>');
      case 'GetObjectLockConfiguration':
        return refuse(response, 404, 'ObjectLockConfigurationNotFoundError');
      case 'ListMultipartUploads':
        return xml(response, '<ListMultipartUploadsResult/>');
      case 'ListObjectVersions':
        return xml(response, '<ListVersionsResult/>');
      default:
        return xml(response, '<ListBucketResult/>');
    }
  }
}

function xml(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${text}`);
}

export function refuse(response: ServerResponse, status: number, code: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>by the test</Message></Error>`);
}

function nameOf(method: string, key: string, query: URLSearchParams): string {
  if (query.has('versioning')) return 'GetBucketVersioning';
  if (query.has('object-lock')) return 'GetObjectLockConfiguration';
  if (query.has('versions')) return 'ListObjectVersions';
  if (query.has('uploads')) return method === 'POST' ? 'CreateMultipartUpload' : 'ListMultipartUploads';
  if (query.has('uploadId'))
    return (
      {
        PUT: 'UploadPart',
        POST: 'CompleteMultipartUpload',
        DELETE: 'AbortMultipartUpload',
        GET: 'ListParts'
      }[method] ?? method
    );
  if (key === '') return 'ListObjectsV2';
  return `${{ PUT: 'Put', GET: 'Get', HEAD: 'Head', DELETE: 'Delete' }[method] ?? method}Object`;
}

/**
 * Faults of a store, by name. Each one sees every request and ignores those it is not about; none of them
 * stores anything that it claims to store.
 */
export const LIES: Readonly<Record<string, Lie>> = {
  'ignores Range and pours': ({ name }, response, store) => {
    if (name !== 'GetObject') return false;
    response.writeHead(200, { etag: '"a"', 'content-length': 2 ** 40 });
    store.pour(response);
    return true;
  },
  'pours an object without length': ({ name }, response, store) => {
    if (name !== 'GetObject') return false;
    response.writeHead(200, { etag: '"a"' });
    store.pour(response);
    return true;
  },
  'refuses with 20 MB of XML': (_call, response) => {
    const text = `<?xml version="1.0"?><Error><Code>AccessDenied</Code>${'<a>b</a>'.repeat(2_500_000)}</Error>`;
    response.writeHead(403, { 'content-type': 'application/xml' }).end(text);
    return true;
  },
  'refuses without end': (_call, response, store) => {
    response.writeHead(500, { 'content-type': 'application/xml' });
    store.pour(response);
    return true;
  },
  'takes writes with an endless answer': ({ name }, response, store) => {
    if (!name.startsWith('Put') && name !== 'CreateMultipartUpload') return false;
    response.writeHead(200, { etag: '"a"' });
    store.pour(response);
    return true;
  },
  'says 200 and means an error': ({ name }, response) => {
    if (name === 'GetObject') return false;
    xml(response, '<Error><Code>InternalError</Code><Message>none</Message></Error>');
    return true;
  },
  'takes and forgets': ({ name, headers }, response) => {
    if (name !== 'PutObject') return false;
    const checksum = String(headers['x-amz-checksum-sha256'] ?? '');
    response.writeHead(200, { etag: '"0"', 'x-amz-checksum-sha256': checksum }).end();
    return true;
  },
  'names the wrong checksum and keeps less': (call, response, store) => {
    if (call.name !== 'PutObject') return false;
    store.objects.set(call.key, call.body.subarray(0, -1));
    response.writeHead(200, { etag: '"0"', 'x-amz-checksum-sha256': 'AAAA' }).end();
    return true;
  },
  'changes its ETag and the bytes': (call, response, store) => {
    if (call.name !== 'PutObject') return false;
    const checksum = String(call.headers['x-amz-checksum-sha256'] ?? '');
    store.objects.set(call.key, Buffer.alloc(call.body.length, 7));
    response.writeHead(200, { etag: '"0"', 'x-amz-checksum-sha256': checksum }).end();
    return true;
  },
  'claims that every key is taken': ({ name }, response) => {
    if (name !== 'PutObject' && name !== 'CompleteMultipartUpload') return false;
    refuse(response, 412, 'PreconditionFailed');
    return true;
  },
  'has versions all of a sudden': ({ name }, response) => {
    if (name !== 'PutObject') return false;
    response.writeHead(200, { etag: '"0"', 'x-amz-version-id': 'x'.repeat(9000) }).end();
    return true;
  },
  'has errors named like properties': (_call, response) => {
    refuse(response, 400, 'constructor');
    return true;
  },
  'sends nothing but 1xx': (_call, response, store) => {
    const storm = Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(200));
    store.pour(response.socket as unknown as ServerResponse, storm);
    return true;
  },
  'cuts in the middle of an answer': (_call, response) => {
    response.writeHead(403, { 'content-length': 1000 }).write('<Error>');
    setImmediate(() => response.socket?.destroy());
    return true;
  },
  'cuts before an answer': (_call, response) => {
    response.socket?.destroy();
    return true;
  },
  'says a length that is too long': ({ name }, response, store) => {
    if (name !== 'GetObject') return false;
    response.writeHead(206, { etag: '"a"', 'content-length': 5, 'content-range': 'bytes 7-9/abc' });
    response.write('abc');
    store.drip(response, 500);
    return true;
  },
  'is no HTTP': (_call, response) => {
    response.socket?.end('\u0000\u0001 this is not HTTP\r\n\r\n');
    return true;
  },
  'has headers without end': (_call, response, store) => {
    response.socket?.write('HTTP/1.1 200 OK\r\n');
    store.pour(response.socket as unknown as ServerResponse, Buffer.from('x-a: b\r\n'.repeat(1000)));
    return true;
  },
  'has a body that is compressed': (_call, response) => {
    response.writeHead(500, { 'content-encoding': 'gzip' }).end(Buffer.from('1f8b0800', 'hex'));
    return true;
  },
  'answers 200 to a page of HTML': (_call, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<html>${'<p>hello'.repeat(20)}</html>`);
    return true;
  },
  'drips its errors': (_call, response, store) => {
    response.writeHead(403, { 'content-type': 'application/xml' }).write('<Error>');
    store.drip(response);
    return true;
  },
  'drips its objects': ({ name }, response, store) => {
    if (name !== 'GetObject') return false;
    response.writeHead(200, { etag: '"a"', 'content-length': 2 ** 30 });
    store.drip(response);
    return true;
  },
  'never answers': () => true
};
