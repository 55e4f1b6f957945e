import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import should from 'should';
import { localServer, sha256, wav, type LocalServer } from '../../support/media';
import { newCopy, Transfers } from './transfer-fixture';

describe('transfer/answer: redirects', () => {
  const file = wav();
  let api: LocalServer;
  let storage: LocalServer;
  let transfers: Transfers;
  let location: string;
  let seen: IncomingMessage[];

  beforeEach(async () => {
    transfers = new Transfers();
    seen = [];
    storage = await localServer((request, response) => {
      seen.push(request);
      if (request.url === '/back') response.writeHead(302, { location: `${api.url}/file` }).end();
      else response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': file.length }).end(file);
    });
    api = await localServer((request, response) => {
      seen.push(request);
      if (request.url === '/file')
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': file.length }).end(file);
      else
        response
          .writeHead(Number(request.url!.slice(1, 4)) || 302, location === '' ? {} : { location })
          .end('moved');
    });
  });
  afterEach(async () => {
    await transfers.close();
    await api.close();
    await storage.close();
  });

  for (const status of [301, 302, 303, 307, 308])
    it(`follows ${status} to a signed link, without the key`, async () => {
      location = `${storage.url}/f%7e.wav?X-Amz-Signature='1'`;
      const result = await transfers.run(`${api.url}/${status}`, await newCopy(), {
        authorization: 'Bearer k'
      });
      should(result).have.properties({ sha256: sha256(file), sourceHost: new URL(storage.url).host });
      should(seen[0]!.headers.authorization).equal('Bearer k');
      should(seen[1]!.headers).not.have.property('authorization');
      should(seen[1]!.url).equal("/f%7e.wav?X-Amz-Signature='1'");
    });

  it('keeps the key on the same origin, and accepts a relative location', async () => {
    location = '/file';
    await transfers.run(`${api.url}/start`, await newCopy(), { authorization: 'Bearer k' });
    should(seen.map(({ headers }) => headers.authorization)).eql(['Bearer k', 'Bearer k']);
  });

  it('does not send the key again after a redirect elsewhere', async () => {
    location = `${storage.url}/back`;
    await transfers.run(`${api.url}/start`, await newCopy(), { authorization: 'Bearer k' });
    should(seen.map(({ headers }) => headers.authorization)).eql(['Bearer k', undefined, undefined]);
  });

  it('hangs up on a redirect whose body has no end', async () => {
    let connectionEnded: Promise<unknown> | undefined;
    const endless = await localServer((request, response) => {
      connectionEnded = once(request.socket, 'close');
      response.writeHead(302, { location: `${storage.url}/file` });
      response.write('moved');
    });
    try {
      await transfers.run(endless.url, await newCopy(), { stallTimeoutMs: 60_000 });
      await connectionEnded;
    } finally {
      await endless.close();
    }
  });

  it('gives up on redirect loops', async () => {
    location = `/round`;
    should(await transfers.fail(`${api.url}/round`, await newCopy())).have.properties({
      code: 'LINK_REFUSED',
      retryable: false
    });
    should(seen).have.length(6);
  });

  it('does not follow to an address that is not http', async () => {
    for (const [target, code] of [
      ['file:///etc/passwd', 'UNSAFE_URL'],
      ['s3://bucket/key', 'UNSUPPORTED_URL'],
      ['http://[', 'UNSAFE_URL'],
      ['//[', 'LINK_REFUSED'],
      ['', 'LINK_REFUSED']
    ] as const) {
      location = target;
      should((await transfers.fail(`${api.url}/start`, await newCopy())).code).equal(code, target);
    }
  });
});
