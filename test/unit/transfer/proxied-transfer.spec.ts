import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import should from 'should';
import { oneProxy } from '../../../src/http/proxy/proxy-choice';
import { readProxy } from '../../../src/http/proxy/proxy-server';
import { certificate } from '../../support/certificate';
import { LocalProxy } from '../../support/local-proxy';
import { sha256, wav } from '../../support/media';
import { requireProgram } from '../../support/real-parts';
import { held, newCopy, Transfers } from './transfer-fixture';

const NAME = 'media.example.com';
const FILE = wav({ seconds: 2, channels: 1, seed: 3 });

describe('transfer: through a proxy', () => {
  let storage: Server;
  let proxy: LocalProxy;
  let transfers: Transfers;
  const targets = new Map<string, string>();
  /** Bytes after which the next response stays silent. */
  let stopsAfter = Infinity;
  let names: Record<string, string>;

  let isReady = false;

  before(async function () {
    const pair = certificate(requireProgram(this, 'openssl'), `DNS:${NAME},DNS:*.example.com`);
    storage = createServer(pair, ({ url = '', headers }, response) => {
      const to = targets.get(url);
      if (to !== undefined) return void response.writeHead(302, { location: to }).end();
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
      const range = from === 0 ? {} : { 'content-range': `bytes ${from}-${FILE.length - 1}/${FILE.length}` };
      const fixed = { 'content-type': 'audio/wav', etag: '"a"', 'content-length': FILE.length - from };
      response.writeHead(from === 0 ? 200 : 206, { ...fixed, ...range });
      const end = Math.min(FILE.length, stopsAfter);
      stopsAfter = Infinity;
      response.write(FILE.subarray(from, end));
      if (end === FILE.length) response.end();
    });
    storage.listen(0, '127.0.0.1');
    await once(storage, 'listening');
    const { port } = storage.address() as AddressInfo;
    proxy = await LocalProxy.start({
      hosts: new Map([NAME, 'inner.example.com', 'unknown.example.com'].map((name) => [`${name}:443`, port]))
    });
    const server = readProxy({
      address: proxy.url,
      source: { place: 'the test', login: '', exceptions: 'the test' }
    });
    isReady = true;
    transfers = new Transfers({
      ca: pair.cert,
      proxy: oneProxy(server, ''),
      resolve: (name, callback) => {
        const address = name === '127.0.0.1' ? name : names[name];
        if (address === undefined)
          callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []);
        else callback(null, [{ address, family: 4 }]);
      }
    });
  });
  after(async () => {
    if (!isReady) return;
    await transfers.close();
    await proxy.close();
    storage.close();
    storage.closeAllConnections();
  });
  beforeEach(() => {
    proxy.requests.length = 0;
    targets.clear();
    names = { [NAME]: '8.8.8.8', 'inner.example.com': '10.0.0.1' };
  });

  const network = 'public-https' as const;

  it('brings a file, although this machine cannot reach or does not know the host', async () => {
    for (const host of [NAME, 'unknown.example.com']) {
      const copy = await newCopy();
      const { sha256: hash, sourceHost } = await transfers.run(`https://${host}/a`, copy, { network });
      should(hash).equal(sha256(FILE));
      should(sourceHost).equal(host);
    }
    should(proxy.requests).eql([`CONNECT ${NAME}:443`, 'CONNECT unknown.example.com:443']);
  });

  it('resumes when the proxy is killed in the middle', async () => {
    const copy = await newCopy();
    stopsAfter = 20_000;
    let etag: string | null = null;
    const onValidator = (known: string | null): void => void (etag = known);
    const onProgress = (received: number): void => {
      if (received > 8192) proxy.cut();
    };
    const fault = await transfers.fail(`https://${NAME}/a`, copy, { network, onValidator, onProgress });
    should(fault).have.properties({ code: 'TRUNCATED', retryable: true });
    should(copy.size).be.above(4096);
    const result = await transfers.run(`https://${NAME}/a`, copy, { network, resumeEtag: String(etag) });
    should(result).have.properties({ resumed: true, sha256: sha256(FILE) });
    should(await held(copy)).eql(FILE);
  });

  const refused = [
    'https://10.0.0.1/',
    'https://2130706433/',
    'https://[::ffff:10.0.0.1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://localhost/',
    'https://intranet/',
    'https://metadata.google.internal/',
    'https://inner.example.com/',
    `http://${NAME}/`,
    `https://user:pass@${NAME}/`
  ];
  for (const address of refused) {
    it(`asks the proxy for no other address: ${address}`, async () => {
      const straight = await transfers.fail(address, await newCopy(), { network });
      should(straight).have.properties({ code: 'UNSAFE_URL', retryable: false });
      should(proxy.requests).eql([]);
      targets.set('/moved', address);
      const moved = await transfers.fail(`https://${NAME}/moved`, await newCopy(), { network });
      should(moved.code).equal('UNSAFE_URL');
      should(proxy.requests).eql([`CONNECT ${NAME}:443`].slice(0, proxy.requests.length));
    });
  }
});
