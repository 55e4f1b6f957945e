import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import should from 'should';
import { ByteBudget, captureBody, isUntouched } from '../../../../src/webhook/express/body-capture';
import type { CapturedBody } from '../../../../src/webhook/endpoint/delivery-receiver';
import { type RawAnswer, type RawRequest, exchange } from '../../../support/http-client';
import { closeServers, deferred, serve } from './real-http';

interface Captured {
  body: CapturedBody;
  request: IncomingMessage;
  /** Whether anything had been read from the stream when the outcome was there. */
  wasRead: boolean;
  answer: RawAnswer;
}

describe('captureBody', () => {
  afterEach(closeServers);

  async function capture(
    raw: Omit<RawRequest, 'path'>,
    { maxBody = 1000, timeoutMs = 60_000, budget = new ByteBudget(1e6) } = {}
  ): Promise<Captured> {
    const outcome = deferred<Omit<Captured, 'answer'>>();
    const port = await serve((request, response) => {
      captureBody(request, { maxBody, timeoutMs, budget }, (body) => {
        outcome.resolve({ body, request, wasRead: request.readableDidRead });
        response.writeHead(200, { Connection: 'close' }).end();
      });
    });
    const [answer, captured] = await Promise.all([exchange(port, { ...raw, path: '/' }), outcome.promise]);
    budget
      .take({ held: 0, timeoutMs: 0, giveUp: () => undefined }, 1e6)
      .should.equal(true, 'the budget is free again');
    return { ...captured, answer };
  }

  const bytes = Buffer.from([0, 1, 0xff, 0x0d, 0x0a, 0xc3, 0x28]);

  it('keeps every byte, however it is framed', async () => {
    should((await capture({ body: bytes })).body).deepEqual({ kind: 'bytes', bytes });
    should((await capture({ body: bytes, framing: 'chunked' })).body).deepEqual({ kind: 'bytes', bytes });
    const long = Buffer.alloc(300_000, 'abc');
    const captured = await capture({ body: long, framing: 'chunked' }, { maxBody: 300_000 });
    should(captured.body).deepEqual({ kind: 'bytes', bytes: long });
  });

  it('gives no bytes for a request without a body', async () => {
    should((await capture({})).body).deepEqual({ kind: 'bytes', bytes: Buffer.alloc(0) });
  });

  it('leaves no listener behind', async () => {
    for (const raw of [{ body: bytes }, { body: Buffer.alloc(2000), framing: 'chunked' as const }]) {
      const { request } = await capture(raw);
      // One of each may belong to Node.js itself.
      for (const event of ['data', 'end', 'error', 'close'])
        request.listenerCount(event).should.be.below(2, event);
    }
  });

  it('draws the line at the limit', async () => {
    for (const framing of ['length', 'chunked'] as const) {
      should((await capture({ body: Buffer.alloc(1000), framing })).body.kind).equal('bytes');
      should((await capture({ body: Buffer.alloc(1001), framing })).body.kind).equal('too-large');
    }
  });

  it('refuses a declared length over the limit before it reads', async () => {
    const { body, wasRead } = await capture({ declaredLength: 1001 });
    body.kind.should.equal('too-large');
    wasRead.should.be.false();
  });

  it('refuses compressed bodies unread, and does not count identity as compression', async () => {
    for (const encoding of ['gzip', 'br', 'deflate', 'identity, gzip', 'GZIP']) {
      const { body, wasRead } = await capture({ body: bytes, headers: { 'Content-Encoding': encoding } });
      body.kind.should.equal('encoded');
      wasRead.should.be.false();
    }
    const plain = await capture({ body: bytes, headers: { 'Content-Encoding': ' Identity ' } });
    plain.body.kind.should.equal('bytes');
  });

  it('gives up on a sender that goes on slowly for ever', async () => {
    const slow = { body: Buffer.alloc(1000), bytePause: 10 };
    const { body, answer } = await capture(slow, { timeoutMs: 100 });
    body.kind.should.equal('too-slow');
    answer.elapsed.should.be.below(5000);
  });

  it('knows a sender that hung up', async () => {
    const { body } = await capture({ body: Buffer.alloc(900), hangUpAfter: 100 });
    body.kind.should.equal('lost');
  });

  it('refuses a body in pieces so small that they take far more memory than the body itself', async () => {
    const pieces = (count: number) => `1\r\nx\r\n`.repeat(count);
    const kindOf = async (count: number): Promise<string> => {
      const outcome = deferred<CapturedBody>();
      const port = await serve((request, response) => {
        const limits = { maxBody: 1e6, timeoutMs: 60_000, budget: new ByteBudget(1e8) };
        captureBody(request, limits, (body) => {
          outcome.resolve(body);
          response.writeHead(200, { Connection: 'close' }).end();
        });
      });
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
      socket.write(`${pieces(count)}0\r\n\r\n`);
      const { kind } = await outcome.promise;
      socket.destroy();
      return kind;
    };
    (await kindOf(4000)).should.equal('bytes');
    (await kindOf(50_000)).should.equal('fragmented');
  });

  describe('when all unfinished bodies together use up the room', () => {
    const limits = { maxBody: 5000, timeoutMs: 60_000, budget: new ByteBudget(0) };
    let port: number;

    beforeEach(async () => {
      limits.budget = new ByteBudget(5000);
      port = await serve((request, response) => {
        captureBody(request, limits, ({ kind }) =>
          response.writeHead(200, { 'X-Kind': kind, Connection: 'close' }).end()
        );
      });
    });

    /** Announces more than it sends. */
    async function hold(bytes: number) {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
      await once(socket, 'connect');
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4900\r\n\r\n');
      socket.write(Buffer.alloc(bytes));
      return { socket, kind: () => /X-Kind: (\S+)/.exec(answer)?.[1], closed: once(socket, 'close') };
    }
    const send = async (bytes: number): Promise<string | undefined> =>
      (await exchange(port, { path: '/', body: Buffer.alloc(bytes) })).headers['x-kind'];

    it('the oldest one gives way, and no new sender has to wait', async () => {
      const first = await hold(2000);
      const second = await hold(2000);
      // Repeated until both have been read: before that there is still room.
      while (first.kind() === undefined) should(await send(1500)).equal('bytes');
      await first.closed;
      should(first.kind()).equal('overloaded');
      should(second.kind()).equal(undefined);
      should(await send(2500)).equal('bytes');
      second.socket.destroy();
    });

    it('one that fills it alone gives way itself', async () => {
      should(await send(4900)).equal('overloaded');
      should(await send(4700)).equal('bytes');
    });
  });
});

describe('isUntouched', () => {
  afterEach(closeServers);

  async function untouchedAfter(change: (request: IncomingMessage) => unknown): Promise<boolean> {
    const seen = deferred<boolean>();
    const port = await serve((request, response) => {
      void Promise.resolve(change(request)).then(() => {
        seen.resolve(isUntouched(request));
        response.end();
      });
    });
    await exchange(port, { path: '/', body: Buffer.from('{}') });
    return seen.promise;
  }

  it('is true for a request that nobody looked at', async () => {
    (await untouchedAfter(() => undefined)).should.be.true();
  });

  it('is false once somebody has read, parsed, destroyed or decoded it', async () => {
    const changes: ((request: IncomingMessage) => unknown)[] = [
      (request) => Object.assign(request, { _body: true }),
      (request) => once(request.resume(), 'end'),
      (request) => request.destroy(),
      (request) => request.setEncoding('utf8')
    ];
    for (const change of changes) (await untouchedAfter(change)).should.equal(false, String(change));
  });
});
