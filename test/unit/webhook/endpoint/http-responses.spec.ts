import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import should from 'should';
import { WEBHOOK_ERROR_CODES } from '../../../../src/errors/codes';
import { answer, repeatAnswer, retryAfter, STATUS_OF } from '../../../../src/webhook/endpoint/http-responses';
import { rejectionOf, whyNoBytes } from '../../../../src/webhook/endpoint/rejection';
import { exchange } from '../../../support/http-client';
import { closeServers, express, serve } from '../express/real-http';

describe('answer', () => {
  afterEach(closeServers);

  it('has a status, no body, and the headers it is given', async () => {
    const port = await serve((request, response) => answer(request, response, 405, { Allow: 'POST' }));
    const got = await exchange(port, { path: '/' });
    should(got).have.properties({ status: 405, body: Buffer.alloc(0) });
    got.headers.should.have.properties({ allow: 'POST', 'content-length': '0' });
    got.headers.should.not.have.property('retry-after');
  });

  it('says with 503, and only then, when to try again', async () => {
    const port = await serve((request, response) => answer(request, response, 503));
    should((await exchange(port, { path: '/' })).headers['retry-after']).equal(retryAfter());
    retryAfter().should.match(/^[1-9]\d*$/);
  });

  it('does nothing where the answer has gone out already', async () => {
    const port = await serve((request, response) => {
      response.writeHead(204).end();
      answer(request, response, 500);
      repeatAnswer(response, { status: 500, contentType: null, body: Buffer.from('x') });
    });
    (await exchange(port, { path: '/' })).status.should.equal(204);
  });

  it('reaches a sender that goes on sending 5 MB', async () => {
    const port = await serve((request, response) => answer(request, response, 413));
    const got = await exchange(port, { path: '/', body: Buffer.alloc(5_000_000) });
    got.status.should.equal(413);
    should(got.headers['connection']).equal('close');
  });

  it('reaches a client that reads only after it has written everything', async () => {
    const port = await serve((request, response) => answer(request, response, 413));
    // More than the buffers of both sides hold, so that the client writes after the answer was given.
    const size = 5_000_000;
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const failed = new Promise((_, reject) => socket.once('error', reject));
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
    for (let sent = 0; sent < size; sent += 100_000) {
      if (!socket.write(Buffer.alloc(100_000))) await Promise.race([once(socket, 'drain'), failed]);
    }
    const [chunk] = (await Promise.race([once(socket, 'data'), failed])) as [Buffer];
    chunk.toString('latin1').should.match(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it('does not take bytes for ever from a sender that never ends', async () => {
    let taken = 0;
    const port = await serve((request, response) => {
      request.on('data', (chunk: Buffer) => (taken += chunk.length));
      answer(request, response, 413);
    });
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => undefined).resume();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536), Buffer.from('\r\n')]);
    const more = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', more);
    more();
    await closed;
    taken.should.be.below(8 * 1024 * 1024);
  });

  it('does not take small pieces for ever, either', async () => {
    let pieces = 0;
    const port = await serve((request, response) => {
      request.on('data', () => (pieces += 1));
      answer(request, response, 413);
    });
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => undefined).resume();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write('1\r\nx\r\n'.repeat(100_000));
    await closed;
    // What is parsed together with the last piece that counts may come on top.
    pieces.should.be.below(20_000);
  });

  it('ends a connection whose sender stops in the middle', async () => {
    const port = await serve((request, response) => answer(request, response, 413));
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf');
    const closed = once(socket, 'close');
    const [head] = (await once(socket, 'data')) as [Buffer];
    head.toString('latin1').should.match(/\r\nConnection: close\r\n/);
    await closed;
  });

  it('keeps a connection whose request is complete', async () => {
    const port = await serve((request, response) => {
      request.resume().on('end', () => answer(request, response, 401));
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports: (number | undefined)[] = [];
    for (let round = 0; round < 2; round += 1) {
      const client = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent });
      client.end('body');
      const [response] = (await once(client, 'response')) as [IncomingMessage];
      ports.push(response.socket.localPort);
      response.resume();
      await once(response, 'end');
    }
    agent.destroy();
    should(ports[0]).equal(ports[1]);
  });
});

describe('repeatAnswer', () => {
  afterEach(closeServers);

  it('gives status, type and bytes', async () => {
    const body = Buffer.from([0, 255, 10]);
    const port = await serve((_request, response) => {
      repeatAnswer(response, { status: 201, contentType: 'application/x-made-up', body });
    });
    const got = await exchange(port, { path: '/' });
    should(got).have.properties({ status: 201, body });
    should(got.headers['content-type']).equal('application/x-made-up');
  });

  it('gives an answer without content no length', async () => {
    const port = await serve((_request, response) => {
      repeatAnswer(response, { status: 204, contentType: null, body: Buffer.alloc(0) });
    });
    const got = await exchange(port, { path: '/' });
    got.status.should.equal(204);
    should(got.headers).not.have.property('content-length');
  });

  it('invents no type', async () => {
    const port = await serve((_request, response) => {
      repeatAnswer(response, { status: 200, contentType: null, body: Buffer.alloc(0) });
    });
    should((await exchange(port, { path: '/' })).headers).not.have.property('content-type');
  });
});

describe('STATUS_OF', () => {
  it('has a status for every code: 4xx where the sender is at fault, 503 where we are', () => {
    should(Object.keys(STATUS_OF).sort()).deepEqual([...WEBHOOK_ERROR_CODES].sort());
    for (const code of WEBHOOK_ERROR_CODES) [400, 401, 405, 413, 415, 503].should.containEql(STATUS_OF[code]);
  });
});

describe('refusals', () => {
  afterEach(closeServers);

  it('name the sender that a trusted proxy names, and the path as it was asked for', async () => {
    const app = express();
    app.set('trust proxy', true);
    app.use('/api', (request, response) => {
      response.json(rejectionOf(request, 'MISSING_SIGNATURE', 'why'));
    });
    const got = await exchange(await serve(app), {
      method: 'GET',
      path: '/api/telnyx?x=secret',
      headers: { 'X-Forwarded-For': '192.0.2.7' }
    });
    should(JSON.parse(got.body.toString())).deepEqual({
      code: 'MISSING_SIGNATURE',
      message: 'why',
      status: 401,
      remote: '192.0.2.7',
      method: 'GET',
      path: '/api/telnyx'
    });
  });

  it('have a reason for every body that is not there', () => {
    should(whyNoBytes('too-large', 77)).deepEqual({
      code: 'BODY_TOO_LARGE',
      message: 'The body has more than the 77 bytes of "Body limit". Raise it if the provider sent this one.'
    });
    whyNoBytes('encoded', 1).code.should.equal('UNSUPPORTED_ENCODING');
    const messages = (['too-slow', 'fragmented', 'overloaded', 'lost'] as const).map((kind) => {
      const { code, message } = whyNoBytes(kind, 1);
      code.should.equal('RAW_BODY_UNAVAILABLE');
      return message;
    });
    new Set(messages).size.should.equal(4);
  });
});
