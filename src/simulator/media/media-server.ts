import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ByteRange, readRange } from '../../http/byte-range';
import type { Media } from '../../samples/media/media';
import type { SignedLinks } from '../signed-links';

/** What the stand-in does wrong on purpose, to show that the receiver notices. */
export type MediaFault = 'none' | 'corrupt-media';

/** A file to fetch. */
export interface ServedFile {
  media: Media;
  /** Unix milliseconds. */
  lastModified: number;
  /** Called when a response that reached the end of the file was sent completely. */
  onDownloaded: () => void;
}

export interface MediaServerOptions {
  /** @param path without a query */
  fileAt: (path: string) => ServedFile | undefined;
  links: SignedLinks;
  fault: MediaFault;
}

/** Serves the media of recordings as S3 serves them through pre-signed links: ranges, ETag, XML errors. */
export class MediaServer {
  readonly #options: MediaServerOptions;

  constructor(options: MediaServerOptions) {
    this.#options = options;
  }

  /** Answers one request; `url` is its address. Never rejects: a receiver that hangs up may come back. */
  async handle(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const refusal = this.#refusal(request, url);
    if (refusal) {
      sendXmlError(response, refusal);
      return;
    }
    const file = this.#options.fileAt(url.pathname);
    if (!file) {
      sendXmlError(response, [404, 'NoSuchKey', 'The specified key does not exist.']);
      return;
    }
    await this.#send(file, request, response);
  }

  #refusal(request: IncomingMessage, url: URL): XmlError | undefined {
    if (request.method !== 'GET') {
      return [405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.'];
    }
    if (request.headers.authorization !== undefined) {
      return [400, 'InvalidArgument', 'Only one auth mechanism allowed'];
    }
    switch (this.#options.links.check(url.pathname, url.searchParams)) {
      case 'unsigned':
        return [403, 'AccessDenied', 'Access Denied'];
      case 'wrong-signature':
        return [403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match.'];
      case 'expired':
        return [403, 'AccessDenied', 'Request has expired'];
      case 'valid':
        return undefined;
    }
  }

  async #send(file: ServedFile, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { media } = file;
    const ifRange = request.headers['if-range'];
    // If-Range names the version that the receiver has a part of; it needs all of any other.
    const wanted = ifRange === undefined || ifRange === media.etag ? request.headers.range : undefined;
    const range: ByteRange = wanted === undefined ? { kind: 'whole' } : readRange(wanted, media.size);
    if (range.kind === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${media.size}`);
      sendXmlError(response, [416, 'InvalidRange', 'The requested range is not satisfiable']);
      return;
    }
    const { start, end } = range.kind === 'part' ? range : { start: 0, end: media.size };
    if (range.kind === 'part') {
      response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${media.size}`);
    }
    response.writeHead(range.kind === 'part' ? 206 : 200, {
      'Accept-Ranges': 'bytes',
      'Content-Length': end - start,
      'Content-Type': media.contentType,
      ETag: media.etag,
      'Last-Modified': new Date(file.lastModified).toUTCString()
    });
    try {
      await pipeline(Readable.from(this.#pieces(media, start, end)), response);
    } catch {
      return; // The receiver hung up.
    }
    if (end === media.size) file.onDownloaded();
  }

  *#pieces(media: Media, start: number, end: number): Generator<Buffer> {
    if (this.#options.fault === 'none') {
      yield* media.pieces(start, end);
      return;
    }
    // One wrong bit in the last byte: length, type and first bytes stay right.
    const last = media.size - 1;
    yield* media.pieces(start, Math.min(end, last));
    if (end > last) {
      for (const piece of media.pieces(last, end)) yield Buffer.from([piece.readUInt8(0) ^ 1]);
    }
  }
}

type XmlError = readonly [status: number, code: string, message: string];

function sendXmlError(response: ServerResponse, [status, code, message]: XmlError): void {
  const body =
    `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>STANDIN</RequestId></Error>`;
  response.writeHead(status, {
    'Content-Type': 'application/xml',
    'Content-Length': Buffer.byteLength(body)
  });
  response.end(body);
}
