import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import should from 'should';
import type { PartialCopy } from '../../../src/store/destination';
import { nothingHeld, receiveBody } from '../../../src/transfer/transfer';
import { type LocalServer, localServer, sha256, wav } from '../../support/media';
import { Transfers, held, newCopy, testRequest } from './transfer-fixture';

describe('transfer/transfer: answers', () => {
  const file = wav({ seconds: 10 });
  let server: LocalServer | undefined;
  let transfers: Transfers;
  let copy: PartialCopy;

  beforeEach(async () => {
    transfers = new Transfers();
    copy = await newCopy();
  });
  afterEach(async () => {
    await transfers.close();
    await server?.close();
    server = undefined;
  });

  async function serve(
    answer: (request: IncomingMessage, response: ServerResponse) => void
  ): Promise<string> {
    server = await localServer(answer);
    return server.url;
  }
  function send(response: ServerResponse, body: Buffer | string, headers: Record<string, string> = {}): void {
    response.writeHead(200, {
      'content-type': 'audio/wav',
      'content-length': Buffer.byteLength(body),
      ...headers
    });
    response.end(body);
  }

  it('transfers a file completely, with its hash and its real format', async () => {
    const seen: IncomingMessage[] = [];
    const url = await serve((request, response) => {
      seen.push(request);
      send(response, file, { etag: '"v1"' });
    });
    const progress: [number, number | null][] = [];
    const validators: (string | null)[] = [];
    const result = await transfers.run(`${url}/a/./b%7e.wav?X-Amz-Signature=sigsecret&x='1'`, copy, {
      onProgress: (...step) => progress.push(step),
      onValidator: (etag) => validators.push(etag)
    });
    should(result).eql({
      size: file.length,
      sha256: sha256(file),
      contentType: 'audio/wav',
      format: 'wav',
      sourceHost: new URL(url).host,
      resumed: false
    });
    should((await held(copy)).equals(file)).be.true();
    should(progress.at(-1)).eql([file.length, file.length]);
    should(validators).eql(['"v1"']);
    should(seen[0]!.url).equal("/a/./b%7e.wav?X-Amz-Signature=sigsecret&x='1'");
    should(seen[0]!.headers).have.property('accept-encoding', 'identity');
    should(seen[0]!.headers).not.have.properties(['authorization', 'range']);
  });

  it('accepts a chunked body with an end mark', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav' });
      response.write(file.subarray(0, 100));
      response.end(file.subarray(100));
    });
    const result = await transfers.run(url, copy);
    should(result).have.properties({ size: file.length, sha256: sha256(file) });
  });

  it('rejects a chunked WAV file that ends before the length in its header', async () => {
    let sent = file.subarray(0, file.length / 2);
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav' });
      response.write(sent.subarray(0, 100));
      response.end(sent.subarray(100));
    });
    for (const size of [file.length / 2, file.length - 2, 60]) {
      sent = file.subarray(0, size);
      copy = await newCopy();
      const error = await transfers.fail(url, copy);
      should(error).have.properties({ code: 'TRUNCATED', retryable: true });
      should(error.message).match(
        new RegExp(`${size} bytes arrived, but its own header states ${file.length}`)
      );
      // Unless the event announced exactly this size.
      copy = await newCopy();
      await transfers.run(url, copy, { expected: { size, sha256: null } });
    }
  });

  it('accepts a chunked WAV file of a recorder that could not correct its header', async () => {
    for (const size of [0, 0xffff_ffff, 0x7fff_ffff]) {
      const open = Buffer.from(file);
      open.writeUInt32LE(size, 4);
      const url = await serve((_request, response) => {
        response.writeHead(200, { 'content-type': 'audio/wav' });
        response.write(open.subarray(0, 100));
        response.end(open.subarray(100));
      });
      copy = await newCopy();
      should((await transfers.run(url, copy)).sha256).equal(sha256(open));
      await server?.close();
      server = undefined;
    }
  });

  it('trusts the length from the server, whatever the header of the file says', async () => {
    const short = file.subarray(0, -100);
    const url = await serve((_request, response) => send(response, short));
    should((await transfers.run(url, copy)).sha256).equal(sha256(short));
  });

  it('accepts files shorter than the bytes it inspects first', async () => {
    const tiny = wav({ seconds: 0 });
    const url = await serve((_request, response) => send(response, tiny));
    should((await transfers.run(url, copy)).size).equal(44);
    should((await held(copy)).equals(tiny)).be.true();
  });

  it('waits for enough bytes to decide, however small the chunks', async () => {
    const pieces = Array.from(file, (byte) => Uint8Array.of(byte));
    const answer = {
      status: 200,
      headers: {},
      framing: 'length' as const,
      body: Readable.from(pieces),
      url: new URL('http://h.example.com')
    };
    const request = { ...testRequest('http://h.example.com', copy), maxSize: file.length };
    const frame = { total: file.length, endIsMarked: true, overlaps: false };
    should(await receiveBody(request, answer, nothingHeld(), frame)).equal('wav');
    should((await held(copy)).equals(file)).be.true();
  });

  it('rejects pages with status 200 before it writes a byte', async () => {
    const url = await serve((_request, response) => send(response, '<html>Sign in</html>'));
    const error = await transfers.fail(url, copy);
    should(error).have.properties({ code: 'NOT_MEDIA', retryable: false });
    should(copy.size).equal(0);
  });

  it('rejects empty bodies, but retries: the file may follow', async () => {
    const url = await serve((_request, response) => send(response, ''));
    should(await transfers.fail(url, copy)).have.properties({ code: 'NOT_MEDIA', retryable: true });
  });

  it('rejects compressed bodies', async () => {
    const url = await serve((_request, response) =>
      send(response, gzipSync(file), { 'content-encoding': 'gzip' })
    );
    const error = await transfers.fail(url, copy);
    should(error).have.properties({ code: 'NOT_MEDIA', retryable: false });
    should(error.message).match(/compressed/);
    should(copy.size).equal(0);
  });

  it('accepts plain bytes that some stores call "aws-chunked"', async () => {
    const url = await serve((_request, response) =>
      send(response, file, { 'content-encoding': 'aws-chunked' })
    );
    should((await transfers.run(url, copy)).sha256).equal(sha256(file));
  });

  describe('sizes', () => {
    it('rejects a declared size over the limit immediately, and hangs up', async () => {
      let connectionEnded: Promise<unknown> | undefined;
      const url = await serve((request, response) => {
        connectionEnded = once(request.socket, 'close');
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': file.length });
        response.write(file.subarray(0, 5000));
      });
      const error = await transfers.fail(url, copy, { maxSize: file.length - 1, stallTimeoutMs: 60_000 });
      should(error).have.properties({ code: 'TOO_LARGE', retryable: false });
      should(copy.size).equal(0);
      await connectionEnded;
    });

    it('stops at the limit when no size is declared', async () => {
      const url = await serve((_request, response) => {
        response.writeHead(200, { 'content-type': 'audio/wav' });
        response.write(file.subarray(0, 5000));
        response.write(file.subarray(5000));
      });
      should((await transfers.fail(url, copy, { maxSize: 10_000 })).code).equal('TOO_LARGE');
      should(copy.size).be.belowOrEqual(10_000);
    });

    it('allows exactly the limit', async () => {
      const url = await serve((_request, response) => send(response, file));
      should((await transfers.run(url, copy, { maxSize: file.length })).size).equal(file.length);
    });

    it('checks the size and hash that the event announced', async () => {
      const url = await serve((_request, response) => send(response, file));
      const right = { size: file.length, sha256: sha256(file).toUpperCase() };
      await transfers.run(url, copy, { expected: right });
      for (const wrong of [
        { ...right, size: file.length - 1 },
        { ...right, sha256: sha256(Buffer.from('other')) }
      ]) {
        copy = await newCopy();
        const error = await transfers.fail(url, copy, { expected: wrong });
        should(error).have.properties({ code: 'TRUNCATED', retryable: true });
        should(copy.size).equal(0); // resuming from wrong bytes would never end
      }
    });
  });

  describe('refusals', () => {
    const xml = (code: string, message = 'no'): string =>
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message><Key>sigsecret</Key></Error>`;
    const past = '?X-Amz-Date=20200101T000000Z&X-Amz-Expires=600';
    const justOver = (): string => {
      const signed = new Date(Date.now() - 610_000).toISOString().replace(/[-:]|\.\d+/g, '');
      return `?X-Amz-Date=${signed}&X-Amz-Expires=600`;
    };
    const cases: [string, number, string, Record<string, string>, object][] = [
      [
        'an S3 link that expired',
        403,
        xml('AccessDenied', 'Request has expired'),
        {},
        { code: 'LINK_EXPIRED' }
      ],
      ['an expired session token', 400, xml('ExpiredToken'), {}, { code: 'LINK_EXPIRED' }],
      [
        'an S3 object that is forbidden',
        403,
        xml('AccessDenied'),
        {},
        { code: 'LINK_REFUSED', retryable: true }
      ],
      [
        'a signature that does not match',
        403,
        xml('SignatureDoesNotMatch'),
        {},
        { code: 'LINK_REFUSED', retryable: false }
      ],
      [
        'an object that does not exist yet',
        404,
        xml('NoSuchKey'),
        {},
        { code: 'LINK_REFUSED', retryable: true }
      ],
      ['a plain 403', 403, 'no', {}, { code: 'LINK_REFUSED', retryable: false }],
      ['a 401 without a key', 401, 'no', {}, { code: 'LINK_REFUSED', retryable: false }],
      ['a 410', 410, 'gone', {}, { code: 'LINK_REFUSED', retryable: false }],
      ['a 204', 204, '', {}, { code: 'LINK_REFUSED', retryable: false }],
      ['an unrequested 206', 206, 'part', { 'content-range': 'bytes 0-3/10' }, { code: 'LINK_REFUSED' }],
      ['a 500', 500, 'oops', {}, { code: 'LINK_REFUSED', retryable: true, retryAfterMs: undefined }],
      [
        'a 503',
        503,
        'busy',
        { 'retry-after': '3' },
        { code: 'LINK_REFUSED', retryable: true, retryAfterMs: 3000 }
      ],
      ['S3 slowing down', 503, xml('SlowDown'), {}, { code: 'RATE_LIMITED', retryable: true }],
      [
        'a 429',
        429,
        '{}',
        { 'x-ratelimit-reset': '9' },
        { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 9000 }
      ]
    ];
    for (const [what, status, body, headers, expected] of cases)
      it(`explains ${what}`, async () => {
        const url = await serve((_request, response) => response.writeHead(status, headers).end(body));
        const error = await transfers.fail(`${url}/a.mp3?sig=sigsecret`, copy);
        should(error).have.properties(expected);
        should(copy.size).equal(0);
      });

    it('names a wrong API key', async () => {
      const url = await serve((_request, response) => response.writeHead(401).end());
      should((await transfers.fail(url, copy, { authorization: 'Bearer k' })).code).equal('API_UNAUTHORIZED');
    });

    it('does not request a link that expired long ago', async () => {
      const url = await serve((_request, response) => send(response, file));
      should((await transfers.fail(url + '/' + past, copy)).code).equal('LINK_EXPIRED');
      should(server!.requests).be.empty();
    });

    it('lets the server decide about a link that just expired', async () => {
      const url = await serve((request, response) =>
        request.url!.startsWith('/ok') ? send(response, file) : response.writeHead(403).end()
      );
      await transfers.run(`${url}/ok${justOver()}`, copy);
      should((await transfers.fail(`${url}/no${justOver()}`, await newCopy())).code).equal('LINK_EXPIRED');
    });
  });

  it('stops immediately when aborted, with the given reason', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': file.length });
      response.write(file.subarray(0, 20_000));
    });
    const controller = new AbortController();
    const reason = new Error('the node is closing');
    await transfers
      .run(url, copy, { signal: controller.signal, onProgress: () => controller.abort(reason) })
      .should.be.rejectedWith('the node is closing');
    await transfers
      .run(url, copy, { signal: controller.signal })
      .should.be.rejectedWith('the node is closing');
  });

  it('writes nothing from its buffers once aborted', async () => {
    const controller = new AbortController();
    const pieces = [file.subarray(0, 20_000), file.subarray(20_000)];
    const answer = {
      status: 200,
      headers: {},
      framing: 'length' as const,
      body: Readable.from(pieces),
      url: new URL('http://h.example.com')
    };
    const onProgress = (): void => controller.abort(new Error('the node is closing'));
    const request = {
      ...testRequest('http://h.example.com', copy),
      signal: controller.signal,
      onProgress
    };
    const frame = { total: file.length, endIsMarked: true, overlaps: false };
    await receiveBody(request, answer, nothingHeld(), frame).should.be.rejectedWith('the node is closing');
    should(copy.size).equal(20_000);
  });

  it('ends the connection when the store fails', async () => {
    let connectionEnded: Promise<unknown> | undefined;
    const url = await serve((request, response) => {
      connectionEnded = once(request.socket, 'close');
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': file.length });
      response.write(file.subarray(0, 20_000));
    });
    copy.write = () => Promise.reject(new Error('the disk is full'));
    const error = await transfers.fail(url, copy);
    should(error.code).equal('STORE_FAILED');
    should(error.message).match(/the disk is full/);
    await connectionEnded;
  });
});
