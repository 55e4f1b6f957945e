import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  request as send,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse
} from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client
} from '@aws-sdk/client-s3';
import { requireCeph, S3_USER } from './ceph';

/** A request from the code under test. */
export interface S3Call {
  method: string;
  /** Decoded, without the bucket; empty for requests to the bucket itself. */
  key: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  size: number;
  /** The S3 request: `PutObject`, `UploadPart`, … */
  name: string;
}

/** What happens to a request instead of normal handling. */
export type Fault =
  | { answer: number; code: string; header?: string; headers?: Record<string, string> }
  /** The connection breaks before anything happens. */
  | 'cut'
  /** The request is handled, and the connection breaks before the response. */
  | 'lose-answer'
  /** The request is handled, and the connection breaks in the middle of the body. */
  | 'half'
  /** The server says that it did it, and did not. */
  | 'pretend'
  /** No response ever arrives. */
  | 'stall';

/**
 * A separate bucket on a real S3 server (see ceph.ts), behind a proxy that records requests, causes faults, and
 * adds features of AWS that Debian's Ceph lacks: `If-None-Match` on CompleteMultipartUpload and SHA-256
 * checksums in responses.
 */
export class S3Server {
  readonly calls: S3Call[] = [];
  /** Called for every request; undefined passes it on. */
  fault: (call: S3Call) => Fault | undefined = () => undefined;
  /** Awaited before every request is handled. */
  pause: (call: S3Call) => Promise<void> | undefined = () => undefined;
  /** The checksum that it reports for a stored object. */
  checksumSaid: (sent: string) => string = (sent) => sent;
  /** False: the unmodified server. */
  addsToday = true;
  readonly #server = createServer({ keepAlive: true });

  private constructor(
    private readonly behind: string,
    readonly bucket: string,
    /** Without the proxy. */
    readonly direct: S3Client
  ) {}

  /** Skips the test when there is no Ceph on the machine. @param bucket `locked`: with object lock, and versions */
  static async start(context: Mocha.Context, bucket: { locked?: boolean } = {}): Promise<S3Server> {
    const behind = await requireCeph(context);
    const direct = new S3Client({
      endpoint: behind,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: S3_USER,
      requestChecksumCalculation: 'WHEN_REQUIRED'
    });
    number += 1;
    const server = new S3Server(behind, `archive-${process.pid}-${number}`, direct);
    await direct.send(
      new CreateBucketCommand({ Bucket: server.bucket, ObjectLockEnabledForBucket: bucket.locked === true })
    );
    server.#server.on('request', (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const body = Buffer.concat(pieces);
        const call = server.#call(request.method ?? '', request.url ?? '', request.headers, body.length);
        server.calls.push(call);
        server.#handle(call, request.url ?? '', body, response).catch(() => response.destroy());
      });
      request.on('error', () => undefined);
    });
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.direct.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** The names of the requests so far, without read-only ones. */
  names(): string[] {
    return this.calls.map(({ name }) => name).filter((name) => name !== 'GetObject');
  }

  /** All keys in the bucket. */
  async keys(): Promise<string[]> {
    const { Contents = [] } = await this.direct.send(new ListObjectsV2Command({ Bucket: this.bucket }));
    return Contents.map(({ Key }) => Key ?? '').sort();
  }

  async bytes(key: string): Promise<Buffer> {
    const { Body } = await this.direct.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  /** Keys of the uploads that are neither completed nor dropped. */
  async incompleteUploads(): Promise<string[]> {
    const { Uploads = [] } = await this.direct.send(new ListMultipartUploadsCommand({ Bucket: this.bucket }));
    return Uploads.map(({ Key }) => Key ?? '');
  }

  /** Drops all incomplete uploads, like a lifecycle rule of the bucket. */
  async dropUploads(): Promise<void> {
    const { Uploads = [] } = await this.direct.send(new ListMultipartUploadsCommand({ Bucket: this.bucket }));
    for (const { Key, UploadId } of Uploads)
      await this.direct.send(new AbortMultipartUploadCommand({ Bucket: this.bucket, Key, UploadId }));
  }

  #call(method: string, url: string, headers: IncomingHttpHeaders, size: number): S3Call {
    const [path = '', search = ''] = url.split('?');
    const query = new URLSearchParams(search);
    const key = decodeURIComponent(path.split('/').slice(2).join('/'));
    return { method, key, query, headers, size, name: requestName(method, key, query) };
  }

  async #handle(call: S3Call, url: string, body: Buffer, response: ServerResponse): Promise<void> {
    const fault = this.fault(call);
    if (fault === 'stall') return;
    if (fault === 'cut') {
      response.destroy();
      return;
    }
    if (fault === 'pretend') {
      response.writeHead(200, { 'content-length': 0 }).end();
      return;
    }
    if (typeof fault === 'object') {
      refuse(response, fault);
      return;
    }
    await this.pause(call);
    const refused = this.addsToday ? await this.#todaysRefusal(call, body) : undefined;
    if (refused !== undefined) {
      refuse(response, refused);
      return;
    }
    const answer = await this.#forward(call, url, body);
    if (fault === 'lose-answer') {
      response.destroy();
      return;
    }
    const headers = { ...answer.headers };
    let content = answer.body;
    if (this.addsToday && answer.status === 200) {
      const sent = call.headers['x-amz-checksum-sha256'];
      if (typeof sent === 'string') headers['x-amz-checksum-sha256'] = this.checksumSaid(sent);
      if (call.name === 'CompleteMultipartUpload') content = withChecksum(content, body);
    }
    delete headers['transfer-encoding'];
    response.writeHead(answer.status, { ...headers, 'content-length': content.length });
    if (fault === 'half') {
      // The other end has to have the half before the connection breaks, and does not say so.
      response.write(content.subarray(0, content.length / 2), () =>
        setTimeout(() => response.destroy(), 200)
      );
      return;
    }
    response.end(call.method === 'HEAD' ? undefined : content);
  }

  /** The rules of "Conditional requests" and "Checking object integrity" in the Amazon S3 User Guide. */
  async #todaysRefusal(call: S3Call, body: Buffer): Promise<(Fault & object) | undefined> {
    const checksum = call.headers['x-amz-checksum-sha256'];
    if (typeof checksum === 'string' && createHash('sha256').update(body).digest('base64') !== checksum)
      return { answer: 400, code: 'BadDigest' };
    const isConditional = call.name === 'CompleteMultipartUpload' && call.headers['if-none-match'] === '*';
    if (isConditional && (await this.#exists(call.key))) return { answer: 412, code: 'PreconditionFailed' };
    return undefined;
  }

  async #exists(key: string): Promise<boolean> {
    try {
      await this.direct.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }));
      return true;
    } catch {
      return false;
    }
  }

  async #forward(
    call: S3Call,
    url: string,
    body: Buffer
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
    // Keeps the signed host.
    const request = send(this.behind + url, { method: call.method, headers: call.headers, path: url });
    // A rejection may arrive before the body is sent, and end the connection.
    request.on('error', () => undefined);
    if (call.headers.expect === undefined) request.end(body);
    else {
      request.once('continue', () => request.end(body));
      request.flushHeaders();
    }
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece as Buffer);
    if (!request.writableEnded) request.destroy();
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) };
  }
}

let number = 0;

function requestName(method: string, key: string, query: URLSearchParams): string {
  if (query.has('versioning')) return 'GetBucketVersioning';
  if (query.has('retention')) return method === 'PUT' ? 'PutObjectRetention' : 'GetObjectRetention';
  if (query.has('legal-hold')) return method === 'PUT' ? 'PutObjectLegalHold' : 'GetObjectLegalHold';
  if (query.has('object-lock')) return 'GetObjectLockConfiguration';
  if (query.has('versions')) return 'ListObjectVersions';
  if (query.has('uploads')) return method === 'POST' ? 'CreateMultipartUpload' : 'ListMultipartUploads';
  if (query.has('uploadId'))
    return (
      { PUT: 'UploadPart', POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload' }[method] ?? method
    );
  const verb = { PUT: 'Put', GET: 'Get', HEAD: 'Head', DELETE: 'Delete' }[method] ?? method;
  return `${verb}${key === '' ? 'Bucket' : 'Object'}`;
}

function refuse(response: ServerResponse, { answer, code, header, headers }: Fault & object): void {
  const detail = header === undefined ? '' : `<Header>${header}</Header>`;
  response.writeHead(answer, { 'content-type': 'application/xml', ...headers });
  response.end(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>made by the test</Message>${detail}</Error>`
  );
}

/** The checksum of a multipart object: the hash of the hashes that the request lists. */
function withChecksum(answer: Buffer, request: Buffer): Buffer {
  const parts = [...request.toString('utf8').matchAll(/<ChecksumSHA256>([^<]+)</g)].map(
    ([, hash]) => hash ?? ''
  );
  if (parts.length === 0) return answer;
  const hash = createHash('sha256');
  for (const part of parts) hash.update(Buffer.from(part, 'base64'));
  const checksum = `<ChecksumSHA256>${hash.digest('base64')}-${parts.length}</ChecksumSHA256>`;
  return Buffer.from(answer.toString('utf8').replace('</CompleteMultipartUploadResult>', `${checksum}$&`));
}
