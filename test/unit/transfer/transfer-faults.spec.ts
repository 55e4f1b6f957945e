import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import should from 'should';
import type { PartialCopy } from '../../../src/store/destination';
import { transfer } from '../../../src/transfer/transfer';
import { sha256, wav } from '../../support/media';
import { held, newCopy, rawServer, Transfers, type RawServer } from './transfer-fixture';

describe('transfer/transfer: broken connections', () => {
  const file = wav({ seconds: 4 });
  const ok = 'HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n';
  let server: RawServer | undefined;
  let transfers: Transfers;
  let copy: PartialCopy;

  beforeEach(async () => {
    transfers = new Transfers({ connectTimeoutMs: 1000 });
    copy = await newCopy();
  });
  afterEach(async () => {
    await transfers.close();
    await server?.close();
    server = undefined;
  });

  async function holdsOnlyTrueBytes(): Promise<void> {
    should((await held(copy)).equals(file.subarray(0, copy.size))).be.true();
  }

  it('notices a cut at any point of the body', async () => {
    const points = [0, 1, 43, 511, 512, 1023, 1024, 1025, 30_000, file.length - 1];
    server = await rawServer((socket, request) => {
      socket.write(`${ok}Content-Length: ${file.length}\r\n\r\n`);
      socket.end(file.subarray(0, points[request - 1]));
    });
    for (const point of points) {
      copy = await newCopy();
      should(await transfers.fail(server.url, copy)).have.properties({ code: 'TRUNCATED', retryable: true });
      should(copy.size).be.belowOrEqual(point);
      await holdsOnlyTrueBytes();
    }
  });

  it('notices a reset in the body', async () => {
    server = await rawServer((socket) => {
      socket.write(`${ok}Content-Length: ${file.length}\r\n\r\n`);
      socket.write(file.subarray(0, 30_000), () => socket.resetAndDestroy());
    });
    should(await transfers.fail(server.url, copy)).have.properties({ code: 'TRUNCATED', retryable: true });
    await holdsOnlyTrueBytes();
  });

  it('notices a chunked body without its last chunk', async () => {
    server = await rawServer((socket) => {
      socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n${file.length.toString(16)}\r\n`);
      socket.write(file);
      socket.end('\r\n');
    });
    should(await transfers.fail(server.url, copy)).have.properties({ code: 'TRUNCATED', retryable: true });
  });

  it('does not accept more than the declared length', async () => {
    server = await rawServer((socket) => {
      socket.write(`${ok}Content-Length: ${file.length - 10}\r\n\r\n`);
      socket.end(file);
    });
    const result = await transfers.run(server.url, copy).catch(() => null);
    if (result !== null) should(result.size).equal(file.length - 10);
    should(copy.size).be.belowOrEqual(file.length - 10);
  });

  it('rejects two lengths that disagree', async () => {
    server = await rawServer((socket) => {
      socket.end(`${ok}Content-Length: 100\r\nContent-Length: 200\r\n\r\n${'x'.repeat(200)}`);
    });
    should((await transfers.fail(server.url, copy)).retryable).be.true();
    should(copy.size).equal(0);
  });

  describe('a body that ends with the connection', () => {
    const old = 'HTTP/1.0 200 OK\r\nContent-Type: audio/wav\r\n\r\n';
    const serve = async (body: Buffer): Promise<string> => {
      server = await rawServer((socket) => {
        socket.write(old);
        socket.end(body);
      });
      return server.url;
    };

    it('is complete when its own header says so', async () => {
      should((await transfers.run(await serve(file), copy)).sha256).equal(sha256(file));
    });
    it('is not complete when its header says otherwise', async () => {
      const error = await transfers.fail(await serve(file.subarray(0, -2)), copy);
      should(error).have.properties({ code: 'TRUNCATED', retryable: true });
    });
    it('proves nothing for MP3, unless the event announced its size', async () => {
      const mp3 = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(5000, 1)]);
      const url = await serve(mp3);
      should((await transfers.fail(url, copy)).code).equal('TRUNCATED');
      const expected = { size: mp3.length, sha256: null };
      should((await transfers.run(url, await newCopy(), { expected })).size).equal(mp3.length);
    });
  });

  it('gives up on a server that stops in the middle', async () => {
    server = await rawServer((socket) => {
      socket.write(`${ok}Content-Length: ${file.length}\r\n\r\n`);
      socket.write(file.subarray(0, 20_000));
    });
    const error = await transfers.fail(server.url, copy, { stallTimeoutMs: 300 });
    should(error).have.properties({ code: 'STALLED', retryable: true });
    should(copy.size).equal(20_000);
    await holdsOnlyTrueBytes();
  });

  it('gives up on a server that never answers', async () => {
    server = await rawServer(() => undefined);
    const error = await transfers.fail(server.url, copy, { stallTimeoutMs: 300 });
    should(error).have.properties({ code: 'STALLED', retryable: true });
  });

  it('gives up on a server that never finishes the TLS handshake', async () => {
    server = await rawServer(() => undefined);
    const error = await transfers.fail(server.url.replace('http:', 'https:'), copy);
    should(error).have.properties({ code: 'STALLED', retryable: true });
  });

  it('reports why there is no connection', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const error = await transfers.fail(`http://127.0.0.1:${port}/a?sig=sigsecret`, copy);
    should(error).have.properties({ code: 'LINK_REFUSED', retryable: true });
    should(error.message).match(/ECONNREFUSED/);
  });

  it('reports that the server is not a web server', async () => {
    server = await rawServer((socket) => socket.end('220 smtp.example.com ESMTP\r\n'));
    should(await transfers.fail(server.url, copy)).have.properties({ code: 'LINK_REFUSED', retryable: true });
  });

  it('reads no more of an error page than necessary, however slowly it arrives', async () => {
    let written = 0;
    server = await rawServer((socket) => {
      socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000000\r\n\r\n');
      const piece = Buffer.alloc(64 * 1024, 'x');
      const more = (): void => {
        if (socket.destroyed || written > 64 * 1024 * 1024) return;
        written += piece.length;
        socket.write(piece, more);
      };
      more();
    });
    should((await transfers.fail(server.url, copy)).code).equal('LINK_REFUSED');
    should(written).be.below(32 * 1024 * 1024);
  });

  it('works without given pools, and leaves none behind', async () => {
    server = await rawServer((socket) => {
      socket.write(`${ok}Content-Length: ${file.length}\r\n\r\n`);
      socket.write(file);
    });
    const result = await transfer({
      url: server.url,
      network: 'any',
      kind: 'audio',
      maxSize: 0,
      stallTimeoutMs: 1000,
      into: copy,
      signal: new AbortController().signal
    });
    should(result.sha256).equal(sha256(file));
  });
});
