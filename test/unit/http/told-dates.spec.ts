import { once } from 'node:events';
import {
  createServer as createPlainServer,
  type RequestListener,
  type Server as PlainServer
} from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import should from 'should';
import { HttpClient, type HttpClientOptions } from '../../../src/http/http-client';
import { type Certificate, certificate } from '../../support/certificate';
import { requireProgram } from '../../support/real-parts';
import { readAll } from './http-fixture';

const DATE = 'Mon, 30 Nov 2026 12:00:00 GMT';

describe('the times that servers tell', () => {
  let pair: Certificate;
  let other: Certificate;
  let headers: Record<string, string>;
  let told: [string, string][];
  let servers: (Server | PlainServer)[];
  let clients: HttpClient[];

  before(function () {
    const openssl = requireProgram(this, 'openssl');
    [pair, other] = [certificate(openssl, 'IP:127.0.0.1'), certificate(openssl, 'IP:127.0.0.1')];
  });
  beforeEach(() => {
    [told, servers, clients, headers] = [[], [], [], { date: DATE }];
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  /** @returns its port */
  async function serve(isTls: boolean): Promise<number> {
    const answer: RequestListener = (_request, response) => {
      response.sendDate = false;
      response.writeHead(200, headers).end('ok');
    };
    const server = isTls ? createServer(pair, answer) : createPlainServer(answer);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function ask(origin: string, options: HttpClientOptions = {}): Promise<void> {
    const onDate = (date: string, host: string): void => void told.push([date, host]);
    const client = new HttpClient({ ca: pair.cert, onDate, ...options });
    clients.push(client);
    await readAll((await client.request({ origin, path: '/', method: 'GET' })).body);
  }

  it('are passed on when the certificate was checked', async () => {
    const port = await serve(true);
    await ask(`https://127.0.0.1:${port}`);
    should(told).eql([[DATE, `127.0.0.1:${port}`]]);
  });

  it('are not passed on from a cache, nor when there is none', async () => {
    const port = await serve(true);
    headers['age'] = '0';
    await ask(`https://127.0.0.1:${port}`);
    headers = {};
    await ask(`https://127.0.0.1:${port}`);
    should(told).eql([]);
  });

  it('are not passed on over plain http', async () => {
    await ask(`http://127.0.0.1:${await serve(false)}`);
    should(told).eql([]);
  });

  it('are not passed on when certificates are not checked', async () => {
    const port = await serve(true);
    const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env;
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      await ask(`https://127.0.0.1:${port}`, { ca: other.cert });
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
    should(told).eql([]);
  });
});
