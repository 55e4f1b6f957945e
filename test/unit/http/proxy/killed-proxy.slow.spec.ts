import { once } from 'node:events';
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server as PlainServer,
  type ServerResponse
} from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import should from 'should';
import type { CodedError } from '../../../../src/errors/coded-error';
import { HttpClient } from '../../../../src/http/http-client';
import { oneProxy } from '../../../../src/http/proxy/proxy-choice';
import { readProxy } from '../../../../src/http/proxy/proxy-server';
import { certificate, type Certificate } from '../../../support/certificate';
import { LocalProxy } from '../../../support/local-proxy';
import { requireProgram } from '../../../support/real-parts';
import { TinyProxy } from '../../../support/tinyproxy';
import { faultOf } from '../http-fixture';

const SOURCE = { place: 'the test', login: 'Put them into the test', exceptions: 'the list of the test' };
/** More than what waits on the way: in the systems' buffers, in the proxy, and for the reader. */
const SENT = 24 * 1024 * 1024;

/** A proxy whose process or connections can end. */
interface Mortal {
  url: string;
  die: () => Promise<void> | void;
  close: () => Promise<void>;
}

describe('http: a proxy that is killed', function () {
  // Far above what is needed, and below the deadlines of the client: those must not be what ends a request.
  this.timeout(60_000);
  const deadlines = { responseTimeoutMs: 600_000, stallTimeoutMs: 600_000 };
  let pair: Certificate;
  const servers: (Server | PlainServer)[] = [];
  const origins = new Map<string, string>();
  let client: HttpClient;
  let proxy: Mortal;
  /** Called when a request for `/silent` has arrived, which is never answered. */
  let arrived: () => void;

  before(async function () {
    pair = certificate(requireProgram(this, 'openssl'), 'IP:127.0.0.1');
    const answer = ({ url }: IncomingMessage, response: ServerResponse): void => {
      if (url === '/silent') arrived();
      else {
        response.writeHead(200, { 'content-length': 2 * SENT });
        response.write(Buffer.alloc(url === '/little' ? 1000 : SENT, 'x'));
      }
    };
    for (const [scheme, server] of [
      ['https', createServer(pair, answer)],
      ['http', createPlainServer(answer)]
    ] as const) {
      servers.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      origins.set(scheme, `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
  });
  after(() => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });
  afterEach(async () => {
    client.destroy();
    await proxy.close();
  });

  const kinds: [string, (context: Mocha.Context) => Promise<Mortal>][] = [
    [
      'a program',
      async (context) => {
        const program = await TinyProxy.start(context);
        return { url: program.url, die: () => program.kill(), close: () => program.close() };
      }
    ],
    [
      'one that is reached over https',
      async () => {
        const local = await LocalProxy.start({ tls: pair });
        return { url: local.url, die: () => local.cut(), close: () => local.close() };
      }
    ]
  ];

  for (const [kind, start] of kinds)
    for (const scheme of ['https', 'http'])
      describe(`${kind}, for ${scheme}`, () => {
        beforeEach(async function () {
          proxy = await start(this);
          const server = readProxy({ address: proxy.url, source: SOURCE });
          client = new HttpClient({ wanted: 'file', ca: pair.cert, proxy: oneProxy(server, '') });
        });

        const get = (path: string): ReturnType<HttpClient['request']> =>
          client.request({ origin: origins.get(scheme) ?? '', path, method: 'GET', ...deadlines });
        const isBrokenOff = (fault: CodedError): void => {
          should(fault).have.properties({ code: 'TRUNCATED', retryable: true });
          should(fault.message).match(/^The connection to 127.* broke off before the file was complete/);
        };

        it('is noticed at once while the reader waits for more', async () => {
          const { body } = await get('/little');
          const read = async (): Promise<void> => {
            let size = 0;
            for await (const piece of body) {
              size += piece.length;
              if (size === 1000) setImmediate(() => void proxy.die());
            }
          };
          isBrokenOff(await faultOf(read()));
        });

        it('is noticed at once in the middle of a stream', async () => {
          const { body } = await get('/much');
          let size = 0;
          const read = async (): Promise<void> => {
            for await (const piece of body) {
              if (size === 0) void proxy.die();
              size += piece.length;
            }
          };
          isBrokenOff(await faultOf(read()));
          should(size).be.below(SENT);
        });

        it('is noticed as soon as a slow reader reads again', async () => {
          const { body } = await get('/much');
          const read = async (): Promise<void> => {
            let isFirst = true;
            for await (const piece of body) {
              if (!isFirst || piece.length === 0) continue;
              isFirst = false;
              await proxy.die();
              // The end arrives while the reader keeps it waiting, and is told of nothing before it reads again.
              await new Promise((resolve) => setTimeout(resolve, 50));
            }
          };
          isBrokenOff(await faultOf(read()));
        });

        it('is noticed at once while the answer is awaited', async () => {
          arrived = () => void proxy.die();
          const fault = await faultOf(get('/silent'));
          should(fault).have.properties({ code: 'LINK_REFUSED', retryable: true });
        });
      });
});
