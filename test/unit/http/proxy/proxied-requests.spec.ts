import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import should from 'should';
import { rootCause } from '../../../../src/errors/root-cause';
import { HttpClient, type HttpClientOptions } from '../../../../src/http/http-client';
import { oneProxy } from '../../../../src/http/proxy/proxy-choice';
import { readProxy } from '../../../../src/http/proxy/proxy-server';
import { certificate, type Certificate } from '../../../support/certificate';
import { LocalProxy, type LocalProxyOptions } from '../../../support/local-proxy';
import { type LocalServer, localServer } from '../../../support/media';
import { rawServer, type RawServer } from '../../../support/raw-server';
import { requireProgram } from '../../../support/real-parts';
import { until } from '../../../support/until';
import { faultOf, readAll } from '../http-fixture';

const SOURCE = { place: 'the test', login: 'Put them into the test', exceptions: 'the list of the test' };
const NAME = 'media.example.com';

describe('http: requests through a proxy', () => {
  let pair: Certificate;
  let secure: Server;
  let securePort: number;
  let plain: LocalServer;
  const toClose: { close(): unknown }[] = [];
  let proxy: LocalProxy;
  let client: HttpClient;

  let isReady = false;

  before(async function () {
    pair = certificate(requireProgram(this, 'openssl'), `DNS:${NAME},IP:127.0.0.1`);
    secure = createServer(pair, (request, response) =>
      response.end(`${request.headers.host} ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`)
    );
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    securePort = (secure.address() as AddressInfo).port;
    isReady = true;
    plain = await localServer((request, response) => {
      response.end(`${request.headers.host} ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`);
    });
  });
  after(async () => {
    if (!isReady) return;
    secure.close();
    secure.closeAllConnections();
    await plain.close();
  });
  afterEach(async () => {
    client.destroy();
    for (const each of toClose.splice(0)) await each.close();
  });

  interface Given extends LocalProxyOptions {
    user?: string | undefined;
    password?: string | undefined;
    except?: string;
    client?: HttpClientOptions | undefined;
  }

  async function through({
    user,
    password,
    except = '',
    client: own,
    ...options
  }: Given = {}): Promise<void> {
    const plainPort = Number(new URL(plain.url).port);
    const hosts = new Map([
      [`${NAME}:443`, securePort],
      [`${NAME}:80`, plainPort],
      [NAME, plainPort],
      [`${NAME}:8080`, plainPort]
    ]);
    proxy = await LocalProxy.start({ hosts, ...options });
    toClose.push(proxy);
    use(proxy.url, { user, password, except, client: own });
  }

  function use(address: string, { user, password, except = '', client: own }: Given): void {
    const server = readProxy({ address, source: SOURCE, username: user ?? '', password: password ?? '' });
    client = new HttpClient({ wanted: 'file', ca: pair.cert, proxy: oneProxy(server, except), ...own });
  }

  const get = async (origin: string, over: object = {}): Promise<string> => {
    const { body } = await client.request({ origin, path: '/a?b=1', method: 'GET', ...over });
    return (await readAll(body)).toString();
  };

  for (const kind of ['http', 'https'] as const) {
    const tls = (): object => (kind === 'https' ? { tls: pair } : {});

    describe(`an ${kind} proxy`, () => {
      it('is asked for a tunnel to https hosts, and sees only their names', async () => {
        await through(tls());
        should(await get(`https://${NAME}`)).equal(`${NAME} /a?b=1 -`);
        should(proxy.requests).eql([`CONNECT ${NAME}:443`]);
      });

      it('gets plain requests itself', async () => {
        await through(tls());
        should(await get(`http://${NAME}:8080`)).equal(`${NAME}:8080 /a?b=1 -`);
        should(proxy.requests).eql([`GET http://${NAME}:8080/a?b=1`]);
      });

      it('gets the login, and the host does not', async () => {
        await through({ ...tls(), login: 'us:er:pä$$', user: 'us', password: 'er:pä$$' });
        should(await get(`https://${NAME}`)).match(/ -$/);
        should(await get(`http://${NAME}`)).match(/ -$/);
        should(proxy.logins).have.length(2);
      });

      it('keeps its connections', async () => {
        await through(tls());
        for (let request = 0; request < 3; request += 1) {
          await get(`https://${NAME}`);
          await get(`http://${NAME}`);
        }
        should(proxy.requests.filter((line) => line.startsWith('CONNECT'))).have.length(1);
        // One for the tunnel, one for plain requests; each leads on by another one, or not yet.
        should(proxy.connections).be.belowOrEqual(3);
        client.destroy();
        await until('the end of all connections', () => (proxy.connections === 0 ? true : undefined));
      });
    });
  }

  it('does not get requests to exceptions', async () => {
    await through({ except: '127.0.0.0/8' });
    should(await get(`https://127.0.0.1:${securePort}`)).match(/^127/);
    should(await get(plain.url)).match(/^127/);
    should(proxy.requests).eql([]);
  });

  it('does not vouch for the certificate of a host', async () => {
    await through({ hosts: new Map([['other.example.com:443', securePort]]) });
    const fault = await faultOf(get('https://other.example.com'));
    should(fault).have.properties({ code: 'LINK_REFUSED', trouble: 'source-unreachable', retryable: true });
    should(fault.message).match(/other\.example\.com/);
  });

  describe('faults', () => {
    const explained = async (
      origin: string,
      wanted: { trouble: string; code?: string },
      text: RegExp
    ): Promise<void> => {
      const fault = await faultOf(get(origin));
      should(fault).have.properties({ code: 'LINK_REFUSED', retryable: true, ...wanted });
      should(fault.message)
        .match(text)
        .and.not.match(/secret/);
      should(rootCause(fault)).not.match(/secret/);
    };
    const raw = async (...args: Parameters<typeof rawServer>): Promise<RawServer> => {
      const server = await rawServer(...args);
      toClose.push(server);
      return server;
    };
    const address = ({ url }: RawServer): string => new URL(url).origin;

    for (const origin of [`https://${NAME}`, `http://${NAME}`]) {
      describe(`for ${origin}`, () => {
        it('a login that is missing, or wrong', async () => {
          await through({ login: 'user:right' });
          await explained(
            origin,
            { trouble: 'proxy-refuses' },
            /wants a user name and password \(407\)\. Put them/
          );
          client.destroy();
          use(proxy.url, { user: 'user', password: 'secret' });
          await explained(
            origin,
            { trouble: 'proxy-refuses' },
            /does not accept the user name and password \(407\)\. Correct them in the test/
          );
        });

        it('a login of another kind', async () => {
          const server = await raw((socket) =>
            socket.end('HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n')
          );
          use(address(server), { user: 'user', password: 'secret' });
          await explained(origin, { trouble: 'proxy-refuses' }, /kind of login that is not supported/);
        });

        it('a proxy that is away', async () => {
          await through();
          await proxy.close();
          toClose.pop();
          await explained(
            origin,
            { trouble: 'proxy-unreachable' },
            /No connection to the proxy 127.*ECONNREFUSED/
          );
        });

        it('a proxy whose name does not exist', async () => {
          use('http://proxy.invalid:3128', {
            client: {
              resolve: (_name, callback) =>
                callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), [])
            }
          });
          await explained(
            origin,
            { trouble: 'proxy-unreachable' },
            /proxy\.invalid:3128 \(getaddrinfo ENOTFOUND\)/
          );
        });
      });
    }

    it('a host that the proxy cannot reach', async () => {
      await through({ hosts: new Map([[`${NAME}:443`, 1]]) });
      await explained(
        `https://${NAME}`,
        { trouble: 'beyond-proxy' },
        /cannot reach media\.example\.com:443 \(it answered 502\)/
      );
    });

    it('a host that the proxy does not permit', async () => {
      const server = await raw((socket) => socket.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'));
      use(address(server), {});
      await explained(
        `https://${NAME}`,
        { trouble: 'proxy-refuses' },
        /does not let this computer connect to media\.example\.com:443.*the list of the test/
      );
    });

    const garbage: [string, string, RegExp][] = [
      ['another protocol', '220 smtp.example.com ESMTP\r\n', /not an HTTP proxy/],
      ['endless headers', `HTTP/1.1 200 OK\r\n${'X-Many: x\r\n'.repeat(4000)}`, /not an HTTP proxy/],
      ['an end', '', /closed the connection|socket hang up/],
      ['data of its own', 'HTTP/1.1 200 OK\r\n\r\n220 hello', /sends data before/],
      ['an interim response', 'HTTP/1.1 100 Continue\r\n\r\n', /status 100/]
    ];
    for (const [what, bytes, text] of garbage)
      it(`an answer that is none: ${what}`, async () => {
        const server = await raw((socket) => socket.end(bytes));
        use(address(server), {});
        await explained(`https://${NAME}`, { trouble: 'proxy-unreachable' }, text);
      });

    it('a proxy that hangs: before its answer, or after it', async () => {
      for (const bytes of ['', 'HTTP/1.1 200 OK\r\n\r\n']) {
        const server = await raw((socket) => {
          if (bytes !== '') socket.write(bytes);
        });
        use(address(server), { client: { connectTimeoutMs: 200 } });
        const fault = await faultOf(get(`https://${NAME}`));
        should(fault).have.properties({ code: 'STALLED', retryable: true });
        should(fault.message).match(
          bytes === '' ? /proxy 127.* does not answer/ : /media\.example\.com did not answer/
        );
        client.destroy();
      }
    });

    it('a proxy that is killed in the middle of a file', async () => {
      const slow = createServer(pair, (_request, response) => {
        response.writeHead(200, { 'content-length': 1_000_000 });
        response.write(Buffer.alloc(1000));
      });
      slow.listen(0, '127.0.0.1');
      await once(slow, 'listening');
      toClose.push(slow);
      await through({ hosts: new Map([[`${NAME}:443`, (slow.address() as AddressInfo).port]]) });
      const { body } = await client.request({ origin: `https://${NAME}`, path: '/', method: 'GET' });
      const read = async (): Promise<void> => {
        for await (const piece of body) if (piece.length > 0) proxy.cut();
      };
      should(await faultOf(read())).have.properties({ code: 'TRUNCATED', retryable: true });
    });
  });

  it('may be aborted while a tunnel is opened, and destroyed', async () => {
    let asked = (): void => undefined;
    await through({ instead: () => (asked(), true) });
    const abort = new AbortController();
    asked = () => abort.abort(new Error('the node is closing'));
    await get(`https://${NAME}`, { signal: abort.signal }).should.be.rejectedWith('the node is closing');
    asked = () => client.destroy();
    should(await faultOf(get(`https://${NAME}`))).have.property('code', 'LINK_REFUSED');
    await until('the end of all connections', () => (proxy.connections === 0 ? true : undefined));
  });
});
