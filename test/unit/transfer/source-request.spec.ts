import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { LookupAddress } from 'node:dns';
import type { AddressInfo, Socket } from 'node:net';
import should from 'should';
import { certificate } from '../../support/certificate';
import { localServer, sha256, wav } from '../../support/media';
import { requireProgram } from '../../support/real-parts';
import { newCopy, Transfers } from './transfer-fixture';

describe('transfer/source-request: public-https at the socket', () => {
  const file = wav();
  const policy = { network: 'public-https' } as const;
  let server: Server | undefined;
  let port: number;
  let connections: number;
  let answer: (request: number) => LookupAddress[];
  let lookups: string[];
  let cert: Buffer;
  let transfers: Transfers;
  let sockets: Set<Socket>;
  let location: string | null;

  before(async function () {
    const pair = certificate(requireProgram(this, 'openssl'), 'DNS:media.example.com,IP:127.0.0.1');
    cert = pair.cert;
    sockets = new Set();
    server = createServer(pair, (_request, response) => {
      if (location !== null) response.writeHead(302, { location }).end();
      else response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': file.length }).end(file);
    });
    server.on('connection', (socket: Socket) => {
      connections++;
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  after(async () => {
    if (server === undefined) return;
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  function resolverFor(isPublic?: (address: string) => boolean): Transfers {
    return new Transfers({
      ca: cert,
      resolve: (hostname, callback) => {
        lookups.push(hostname);
        callback(null, answer(lookups.length));
      },
      ...(isPublic === undefined ? {} : { isPublic })
    });
  }
  const v4 = (address: string): LookupAddress => ({ address, family: 4 });

  beforeEach(() => {
    connections = 0;
    lookups = [];
    location = null;
    answer = () => [v4('127.0.0.1')];
  });
  afterEach(() => transfers.close());

  const url = (path = '/a.wav'): string => `https://media.example.com:${port}${path}`;

  it('downloads over TLS from a host with an allowed address', async () => {
    transfers = resolverFor((address) => address === '127.0.0.1');
    const result = await transfers.run(url(), await newCopy(), policy);
    should(result).have.properties({ sha256: sha256(file), sourceHost: `media.example.com:${port}` });
    should(lookups).eql(['media.example.com']);
  });

  it('never opens a socket to a name with a private address', async () => {
    for (const address of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '192.168.1.1']) {
      transfers = resolverFor();
      answer = () => [v4(address)];
      const error = await transfers.fail(url('/?X-Amz-Signature=sigsecret'), await newCopy(), policy);
      should(error).have.properties({ code: 'UNSAFE_URL', retryable: false });
      should(error.message)
        .match(/media\.example\.com/)
        .and.match(/not public/);
      await transfers.close();
    }
    should(connections).equal(0);
  });

  it('rejects a private IPv6 address of a name', async () => {
    transfers = resolverFor();
    answer = () => [
      { address: '::1', family: 6 },
      { address: '::ffff:127.0.0.1', family: 6 }
    ];
    should((await transfers.fail(url(), await newCopy(), policy)).code).equal('UNSAFE_URL');
  });

  it('contacts only public addresses when a name has both kinds', async () => {
    transfers = resolverFor((address) => address === '127.0.0.1');
    answer = () => [v4('127.0.0.2'), { address: '::1', family: 6 }, v4('127.0.0.1')];
    should((await transfers.run(url(), await newCopy(), policy)).sha256).equal(sha256(file));
  });

  it('gives DNS rebinding no second look-up to exploit', async () => {
    transfers = resolverFor((address) => address === '127.0.0.1');
    answer = (request) => [v4(request === 1 ? '127.0.0.1' : '127.0.0.2')];
    await transfers.run(url(), await newCopy(), policy);
    await transfers.close();
    transfers = resolverFor((address) => address === '127.0.0.1');
    should((await transfers.fail(url(), await newCopy(), policy)).code).equal('UNSAFE_URL');
    should(connections).equal(1);
  });

  it('rejects redirects to private, local and http addresses', async () => {
    const inner = await localServer((_request, response) => response.end('secret'));
    try {
      for (const target of [
        inner.url,
        'https://127.0.0.2/',
        'https://localhost/',
        'https://[::1]/',
        'http://example.com/'
      ]) {
        location = target;
        transfers = resolverFor((address) => address === '127.0.0.1');
        should((await transfers.fail(url(), await newCopy(), policy)).code).equal('UNSAFE_URL', target);
        await transfers.close();
      }
      should(inner.requests).be.empty();
    } finally {
      await inner.close();
    }
  });

  it('also checks literal addresses in the pool', async () => {
    transfers = resolverFor();
    await transfers.agents
      .client('public-https')
      .request({ origin: `https://127.0.0.1:${port}`, path: '/', method: 'GET' })
      .should.be.rejectedWith({ code: 'UNSAFE_URL' });
    should(connections).equal(0);
  });

  it('checks the connected address again before it sends the request', async () => {
    let asked = 0;
    transfers = resolverFor(() => ++asked === 1);
    const error = await transfers.fail(url(), await newCopy(), policy);
    should(error.code).equal('UNSAFE_URL');
    should(asked).equal(2);
  });

  it('reports an unknown name or an untrusted certificate; both may be temporary', async () => {
    transfers = new Transfers({
      resolve: (_hostname, callback) =>
        callback(
          Object.assign(new Error('getaddrinfo ENOTFOUND media.example.com'), { code: 'ENOTFOUND' }),
          []
        )
    });
    const missing = await transfers.fail(url(), await newCopy(), policy);
    should(missing).have.properties({ code: 'LINK_REFUSED', retryable: true });
    should(missing.message).match(/ENOTFOUND/);
    await transfers.close();

    transfers = new Transfers({
      isPublic: () => true,
      resolve: (_hostname, callback) => callback(null, answer(1))
    });
    const untrusted = await transfers.fail(url(), await newCopy(), policy);
    should(untrusted).have.properties({ code: 'LINK_REFUSED', retryable: true });
    should(untrusted.message).match(/certificate/);
  });

  it('resolves names through the system by default', async () => {
    transfers = new Transfers();
    const local = await localServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'audio/wav' }).end(file)
    );
    try {
      const named = local.url.replace('127.0.0.1', 'localhost');
      should((await transfers.run(named, await newCopy())).sha256).equal(sha256(file));
    } finally {
      await local.close();
    }
  });
});
