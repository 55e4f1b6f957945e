import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import should from 'should';
import type { HttpClientOptions, HttpRequest } from '../../../src/http/http-client';
import { until } from '../../support/until';
import { faultOf, HttpStage, readAll } from './http-fixture';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n';
const FINE = `${OK}\r\nok`;

describe('http/http-client', () => {
  let stage: HttpStage;
  afterEach(() => stage.close());

  type Answer = Parameters<typeof HttpStage.open>[0];
  const open = async (answer: Answer, options?: HttpClientOptions): Promise<void> => {
    stage = await HttpStage.open(answer, options);
  };

  describe('an answer', () => {
    it('returns status, headers and body as sent, including redirects', async () => {
      await open((socket) =>
        socket.write(
          'HTTP/1.1 302 Found\r\nLocation: /there\r\nX-Two: 1\r\nx-two: 2\r\nContent-Length: 2\r\n\r\nok'
        )
      );
      const { status, headers, framing, body } = await stage.ask();
      should([status, headers.location, headers['x-two'], framing]).eql([302, '/there', '1, 2', 'length']);
      should((await readAll(body)).toString()).equal('ok');
    });

    it('sends method, path, headers and body unchanged', async () => {
      await open((socket) => socket.write(FINE));
      const path = "/a/./b%7e.wav?x='1'";
      await stage.text({ method: 'POST', path, headers: { 'x-key': 'v' }, body: Buffer.from('{}') });
      const [head = ''] = stage.server.requests;
      should(head.startsWith(`POST ${path} HTTP/1.1\r\n`)).be.true();
      should(head)
        .match(/\r\nx-key: v\r\n/)
        .and.match(/\r\nContent-Length: 2\r\n/i);
    });

    it('says how its end is recognised', async () => {
      const answers = [
        ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'length'],
        ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'chunked'],
        ['HTTP/1.1 200 OK\r\n\r\nok', 'close'],
        ['HTTP/1.0 200 OK\r\n\r\nok', 'close'],
        ['HTTP/1.1 204 No Content\r\n\r\n', 'length'],
        ['HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 'length']
      ] as const;
      await open((socket, request) => {
        const path = /^GET \/(\d)/.exec(stage.server.requests[request - 1] ?? '')?.[1];
        socket.end(answers[Number(path)]![0]);
      });
      for (const [index, [bytes, framing]] of answers.entries()) {
        const answer = await stage.ask({ path: `/${index}` });
        should(answer.framing).equal(framing);
        should((await readAll(answer.body)).toString()).equal(/ 200 /.test(bytes) ? 'ok' : '');
      }
    });

    it('may follow a few interim responses', async () => {
      await open((socket) => {
        for (const status of [100, 102, 103]) socket.write(`HTTP/1.1 ${status} Wait\r\nLink: <a>\r\n\r\n`);
        socket.write(FINE);
      });
      should(await stage.text()).equal('ok');
    });

    it('may arrive in chunks as small as one byte', async () => {
      const text = '0123456789'.repeat(2000);
      await open((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        for (const letter of text) socket.write(`1\r\n${letter}\r\n`);
        socket.end('0\r\n\r\n');
      });
      should(await stage.text()).equal(text);
    });

    it('frees the connection once it is read or discarded completely', async () => {
      await open((socket) => socket.write(FINE));
      for (let request = 0; request < 5; request += 1) should(await stage.text()).equal('ok');
      (await stage.ask()).body.destroy();
      await until('the connection to be free', async () => {
        await stage.text();
        return stage.server.connections() <= 2 ? true : undefined;
      });
    });
  });

  describe('a response that is not HTTP', () => {
    const refused: [string, string, RegExp][] = [
      ['another protocol', '220 smtp.example.com ESMTP\r\n', /not HTTP/],
      ['a status that is not a number', 'HTTP/1.1 abc OK\r\n\r\n', /not HTTP/],
      ['the status 000', 'HTTP/1.1 000 None\r\nContent-Length: 2\r\n\r\nok', /status 000/],
      ['the status 099', 'HTTP/1.1 099 None\r\nContent-Length: 2\r\n\r\nok', /status 099/],
      ['the status 600', 'HTTP/1.1 600 None\r\nContent-Length: 2\r\n\r\nok', /status 600/],
      ['the status 999', 'HTTP/1.1 999 None\r\nContent-Length: 2\r\n\r\nok', /status 999/],
      [
        'a protocol switch',
        'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
        /101/
      ],
      [
        'two lengths',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
        /several lengths/
      ],
      ['a length and chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`, /./],
      ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok', /an invalid length/],
      [
        'two content types',
        `${OK}Content-Type: audio/wav\r\nContent-Type: text/html\r\n\r\nok`,
        /content-type/
      ],
      [
        'two content encodings',
        `${OK}Content-Encoding: gzip\r\nContent-Encoding: identity\r\n\r\nok`,
        /content-encoding/
      ],
      ['two ETags', `${OK}ETag: "a"\r\nETag: "b"\r\n\r\nok`, /etag/],
      [
        'two ranges',
        `${OK}Content-Range: bytes 0-1/2\r\nContent-Range: bytes 1-2/3\r\n\r\nok`,
        /content-range/
      ],
      ['two places', `${OK}Location: /a\r\nLocation: /b\r\n\r\nok`, /location/],
      ['an unrequested coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', /./],
      ['a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nok', /./],
      ['one long header', `${OK}X-Long: ${'x'.repeat(17_000)}\r\n\r\nok`, /too long/],
      ['many headers', `${OK}${'X-Many: x\r\n'.repeat(4000)}\r\nok`, /too long/],
      ['a long reason', `HTTP/1.1 200 ${'x'.repeat(100_000)}`, /./],
      ['nothing', '', /./],
      ['half a header', 'HTTP/1.1 200 OK\r\nContent-Le', /./]
    ];
    for (const [what, bytes, text] of refused)
      for (const how of ['end', 'stay', 'reset'] as const)
        it(`is explained: ${what}, then ${how}`, async () => {
          await open((socket) => {
            if (how === 'reset') socket.write(bytes, () => socket.resetAndDestroy());
            else if (how === 'end') socket.end(bytes);
            else socket.write(bytes);
          });
          const fault = await stage.fault({ responseTimeoutMs: 200, stallTimeoutMs: 200 });
          should(fault.retryable).be.true();
          should(fault.code).match(/^(LINK_REFUSED|STALLED|TRUNCATED)$/);
          if (how !== 'reset')
            should(how === 'stay' ? `${fault.message} ${String(text)}` : fault.message).match(text);
        });

    it('may have the same header twice with the same value', async () => {
      await open((socket) =>
        socket.write(`${OK}Content-Type: audio/wav\r\ncontent-type: audio/wav\r\n\r\nok`)
      );
      should((await stage.ask()).headers['content-type']).equal('audio/wav');
    });

    it('may have headers named like properties of an object', async () => {
      await open((socket) => socket.write(`${OK}__proto__: x\r\nconstructor: y\r\ntoString: z\r\n\r\nok`));
      should(await stage.text()).equal('ok');
    });
  });

  describe('deadlines', () => {
    it('ends endless interim responses, which restart the timers of sockets', async () => {
      for (const status of [100, 102, 103]) {
        let sent = 0;
        await open((socket) => {
          const announce = (): void => {
            sent += 1;
            socket.write(`HTTP/1.1 ${status} Wait\r\n\r\n`);
          };
          announce();
          const timer = setInterval(announce, 100);
          socket.on('close', () => clearInterval(timer));
        });
        const fault = await stage.fault({ responseTimeoutMs: 500 });
        should(fault).have.properties({ code: 'STALLED', retryable: true });
        should(fault.message).match(/no answer within 0.5 seconds/);
        should(sent).be.above(1);
        await stage.close();
      }
    });

    it('does not wait for the deadline when interim responses pour in', async () => {
      await open((socket) => {
        const pour = (): void => {
          if (!socket.destroyed) socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50), pour);
        };
        pour();
      });
      should((await stage.fault({ responseTimeoutMs: 600_000 })).code).equal('LINK_REFUSED');
    });

    it('ends a silent server, before and in the body', async () => {
      await open((socket, request) => {
        if (request === 2) socket.write(`${OK}\r\no`);
      });
      const before = await stage.fault({ responseTimeoutMs: 100 });
      should(before).have.properties({ code: 'STALLED', retryable: true });
      const within = await stage.fault({ stallTimeoutMs: 100 });
      should(within).have.properties({ code: 'STALLED', retryable: true });
      should(within.message).match(/stopped sending in the middle of the file/);
    });

    it('ends a handshake that never finishes', async () => {
      await open(() => undefined, { connectTimeoutMs: 100 });
      const origin = new URL(stage.server.url).origin.replace('http:', 'https:');
      should((await stage.fault({ origin })).code).equal('STALLED');
    });

    it('does not count the time of the reader', async () => {
      const half = Buffer.alloc(1_000_000, 'x');
      await open((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${2 * half.length}\r\n\r\n`);
        socket.write(half);
        socket.write(half);
      });
      const { body } = await stage.ask({ stallTimeoutMs: 100 });
      let size = 0;
      for await (const piece of body) {
        // Longer than the stall limit, like a slow disk: this proves that nothing happens meanwhile.
        if (size === 0) await new Promise((resolve) => setTimeout(resolve, 300));
        size += piece.length;
      }
      should(size).equal(2 * half.length);
    });

    it('leaves no timer behind', async () => {
      await open((socket) => socket.write(FINE));
      const count = (): number =>
        process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      const before = count();
      for (let request = 0; request < 20; request += 1) await stage.text();
      // One timer belongs to the idle connection.
      should(count()).be.belowOrEqual(before + 1);
    });
  });

  describe('an end from our side', () => {
    const cases: [string, Partial<HttpRequest>, Answer][] = [
      ['before an answer', {}, () => undefined],
      ['in the body', {}, (socket) => void socket.write(`${OK}\r\no`)]
    ];
    for (const [when, over, answer] of cases) {
      it(`by the signal ${when} keeps its reason`, async () => {
        const abort = new AbortController();
        await open((socket, request) => {
          answer(socket, request);
          setImmediate(() => abort.abort(new Error('the node is closing')));
        });
        await stage.text({ ...over, signal: abort.signal }).should.be.rejectedWith('the node is closing');
        await stage.text({ ...over, signal: abort.signal }).should.be.rejectedWith('the node is closing');
        should(stage.server.requests).have.length(1);
      });

      it(`by destroy ${when} is reported`, async () => {
        await open((socket, request) => {
          answer(socket, request);
          setImmediate(() => stage.client.destroy());
        });
        for (let request = 0; request < 2; request += 1)
          should(await stage.fault(over)).have.properties({ code: 'LINK_REFUSED', retryable: true });
      });
    }

    it('hangs up on an unwanted body', async () => {
      let closed: Promise<unknown> | undefined;
      await open((socket) => {
        closed = new Promise((resolve) => socket.on('close', resolve));
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
        socket.write(Buffer.alloc(1_000_000));
      });
      const { body } = await stage.ask();
      body.destroy();
      await closed;
      await readAll(body).should.be.rejected();
    });

    it('hangs up when its reader stops', async () => {
      let closed: Promise<unknown> | undefined;
      await open((socket) => {
        closed = new Promise((resolve) => socket.on('close', resolve));
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.write(Buffer.alloc(1_000_000));
      });
      const { body } = await stage.ask();
      for await (const piece of body) {
        should(piece.length).be.above(0);
        break;
      }
      await closed;
    });
  });

  describe('connections', () => {
    it('repeats a request sent on a kept connection that was already closed, unless it changes something', async () => {
      for (const method of ['GET', 'DELETE', 'POST', 'PATCH'] as const) {
        const isRepeated = method === 'GET' || method === 'DELETE';
        await open((socket, request) => {
          if (request === 2) socket.destroy();
          else socket.write(FINE);
        });
        await stage.text();
        if (isRepeated) should(await stage.text({ method })).equal('ok');
        else should((await stage.fault({ method })).code).equal('LINK_REFUSED');
        should(stage.server.requests).have.length(isRepeated ? 3 : 2);
        await stage.close();
      }
    });

    it('does not repeat a request on a new connection that is closed', async () => {
      await open((socket) => socket.destroy());
      should(await stage.fault()).have.properties({ code: 'LINK_REFUSED', retryable: true });
      should(stage.server.requests).have.length(1);
    });

    it('reports why it cannot be made', async () => {
      await open(() => undefined);
      const gone = createServer().listen(0, '127.0.0.1');
      await once(gone, 'listening');
      const { port } = gone.address() as AddressInfo;
      gone.close();
      await once(gone, 'close');
      const fault = await stage.fault({ origin: `http://127.0.0.1:${port}` });
      should(fault).have.properties({ code: 'LINK_REFUSED', retryable: true });
      should(fault.message).match(/ECONNREFUSED/);
    });

    it('never receives what no request may contain', async () => {
      await open((socket) => socket.write(FINE));
      for (const over of [{ path: '/a b' }, { path: '/\r\nX: y' }, { headers: { 'x-key': 'a\r\nb: c' } }])
        should((await stage.fault(over)).code).equal('LINK_REFUSED');
      should(stage.server.requests).be.empty();
    });
  });

  it('survives hundreds of connections that break together, each in a different place', async () => {
    const bytes = Buffer.from(`${OK}X-Filler: ${'x'.repeat(300)}\r\n\r\nok`);
    await open((socket, request) => {
      const cut = request % bytes.length;
      socket.write(bytes.subarray(0, cut), () => {
        if (request % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
      });
    });
    const faults = await Promise.all(Array.from({ length: 400 }, () => faultOf(stage.text())));
    for (const fault of faults) should(fault.code).match(/^(LINK_REFUSED|TRUNCATED)$/);
  });
});
