import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import should from 'should';
import {
  ByteBudget,
  captureBody,
  type CapturedBody,
  isUntouched
} from '../../../src/receiving/captured-body';
import { exchange, type RawAnswer, type RawRequest } from '../../support/http-client';
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
    { maxBody = 1000, timeoutMs = 5000, budget = new ByteBudget(1e6) } = {}
  ): Promise<Captured> {
    const outcome = deferred<Omit<Captured, 'answer'>>();
    const port = await serve((request, response) => {
      void captureBody(request, { maxBody, timeoutMs, budget }).then((body) => {
        outcome.resolve({ body, request, wasRead: request.readableDidRead });
        response.writeHead(200, { Connection: 'close' }).end();
      });
    });
    const [answer, captured] = await Promise.all([exchange(port, { ...raw, path: '/' }), outcome.promise]);
    budget.take(1e6 - 1).should.equal(true, 'the budget is free again');
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

  it('has nothing of a request without a body', async () => {
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

  it('refuses compressed bodies unread, and takes identity for none', async () => {
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

  it('bounds what all unfinished bodies hold together', async () => {
    const budget = new ByteBudget(1000);
    const outcomes: Promise<CapturedBody>[] = [];
    const port = await serve((request, response) => {
      const outcome = captureBody(request, { maxBody: 1000, timeoutMs: 5000, budget });
      outcomes.push(outcome);
      void outcome.then(({ kind }) => response.writeHead(200, { 'X-Kind': kind, Connection: 'close' }).end());
    });
    const open = connect(port, '127.0.0.1');
    await once(open, 'connect');
    open.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 700\r\n\r\n');
    open.write(Buffer.alloc(600));
    // Only once the open one's 600 bytes count is there no room for 500 more.
    let refused = await exchange(port, { path: '/', body: Buffer.alloc(500) });
    while (refused.headers['x-kind'] === 'bytes') {
      refused = await exchange(port, { path: '/', body: Buffer.alloc(500) });
    }
    should(refused.headers['x-kind']).equal('overloaded');
    const small = await exchange(port, { path: '/', body: Buffer.alloc(300) });
    should(small.headers['x-kind']).equal('bytes');

    open.write(Buffer.alloc(100));
    should((await outcomes[0])?.kind).equal('bytes');
    open.destroy();
    const after = await exchange(port, { path: '/', body: Buffer.alloc(1000) });
    should(after.headers['x-kind']).equal('bytes');
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
