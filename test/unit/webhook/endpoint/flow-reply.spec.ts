import should from 'should';
import type { Response } from 'express';
import { ask, slowCommit } from './flow-reply-fixture';
import { closeServers } from '../express/real-http';

describe('FlowReply', () => {
  afterEach(closeServers);

  it('sends what the flow answers, and keeps it', async () => {
    const { response, client, outcome, committed } = await ask();
    response.status(201).set('Content-Type', 'application/xml').set('X-Own', 'y').send('<Response/>');
    const answer = await client;
    answer.status.should.equal(201);
    answer.body.toString().should.equal('<Response/>');
    answer.headers.should.have.properties({ 'x-own': 'y', 'content-length': '11' });
    const given = {
      status: 201,
      contentType: 'application/xml; charset=utf-8',
      body: Buffer.from('<Response/>')
    };
    should(answer.headers['content-type']).equal(given.contentType);
    should(await outcome).deepEqual({ kind: 'answered', answer: given });
    committed.should.deepEqual([given]);
  });

  for (const [how, answer, body] of [
    ['json()', (response: Response) => response.json({ a: '\u00e9' }), '{"a":"\u00e9"}'],
    ['send(Buffer)', (response: Response) => response.send(Buffer.from([0, 255])), '\u0000\u00ff'],
    ['end()', (response: Response) => response.end(), ''],
    ['end(text, encoding)', (response: Response) => response.end('4142', 'hex'), 'AB'],
    ['end(callback)', (response: Response) => response.end(() => undefined), ''],
    ['sendStatus()', (response: Response) => response.sendStatus(200), 'OK']
  ] as [string, (response: Response) => unknown, string][]) {
    it(`takes an answer by ${how}`, async () => {
      const asked = await ask();
      answer(asked.response);
      const encoding = how === 'send(Buffer)' ? 'latin1' : 'utf8';
      (await asked.client).body.toString(encoding).should.equal(body);
      asked.committed.map((given) => given.body.toString(encoding)).should.deepEqual([body]);
    });
  }

  it('takes an answer in pieces', async () => {
    const asked = await ask();
    asked.response.type('text/plain');
    asked.response.write('one ');
    asked.response.write(Buffer.from('two '));
    asked.response.end('746872 6565'.replace(' ', ''), 'hex');
    const answer = await asked.client;
    answer.body.toString().should.equal('one two three');
    asked.committed.map(({ body }) => body.toString()).should.deepEqual(['one two three']);
  });

  it('gives out nothing before the answer is recorded', async () => {
    const { gate, commit } = slowCommit();
    const asked = await ask({ commit });
    let answered = false;
    const client = asked.client.then((answer) => {
      answered = true;
      return answer;
    });
    asked.response.status(200).send('recorded');
    asked.response.headersSent.should.be.false();
    await new Promise((resolve) => setImmediate(resolve));
    answered.should.be.false();
    gate.resolve();
    (await client).body.toString().should.equal('recorded');
  });

  it('says "try again" when the answer cannot be recorded, and keeps it to itself', async () => {
    const { gate, commit } = slowCommit();
    const asked = await ask({ commit });
    asked.response.set('X-Secret', '1').type('text/xml').send('<Response/>');
    gate.reject(new Error('disk full'));
    const answer = await asked.client;
    answer.status.should.equal(503);
    answer.body.length.should.equal(0);
    Number(answer.headers['retry-after']).should.be.above(0);
    answer.headers.should.not.have.properties(['x-secret', 'content-type']);
    should(await asked.outcome).deepEqual({ kind: 'not-recorded' });
  });

  it('breaks the connection when an answer given in pieces cannot be recorded', async () => {
    const { gate, commit } = slowCommit();
    const asked = await ask({ commit });
    await new Promise((resolve) => asked.response.write('<Response>', resolve));
    asked.response.end('</Response>');
    gate.reject(new Error('disk full'));
    // Without the closing chunk no client takes this for a whole answer.
    const answer = await asked.client;
    answer.headers.should.have.property('transfer-encoding', 'chunked');
    answer.body.toString().should.equal('<Response>');
    should(await asked.outcome).deepEqual({ kind: 'not-recorded' });
    asked.response.writableFinished.should.be.false();
  });

  it('records only what the sender takes for success', async () => {
    for (const status of [200, 204, 299]) {
      const asked = await ask();
      asked.response.status(status).end();
      (await asked.client).status.should.equal(status);
      asked.committed.length.should.equal(1);
    }
    for (const status of [302, 404, 500]) {
      const asked = await ask();
      asked.response.status(status).send('no');
      const answer = await asked.client;
      answer.status.should.equal(status);
      answer.body.toString().should.equal('no');
      should(await asked.outcome).have.property('kind', 'answered');
      asked.committed.should.be.empty();
    }
  });

  it('takes the first of two answers; the second throws no exception in the flow', async () => {
    const asked = await ask();
    asked.response.status(200).send('first');
    asked.response.status(500).set('X-Second', '1').type('html').json({ second: true });
    asked.response.write('more');
    const answer = await asked.client;
    answer.status.should.equal(200);
    answer.body.toString().should.equal('first');
    answer.headers.should.not.have.property('x-second');
    asked.late.should.equal(2);
    asked.committed.length.should.equal(1);
  });

  it('takes the first of two answers while the first is being recorded', async () => {
    const { gate, commit } = slowCommit();
    const asked = await ask({ commit });
    asked.response.status(200).send('first');
    asked.response.status(500).send('second');
    gate.resolve();
    const answer = await asked.client;
    answer.status.should.equal(200);
    answer.body.toString().should.equal('first');
    asked.late.should.equal(1);
  });

  it('lets a flow that answers too late run without an exception', async () => {
    const asked = await ask({ timeoutMs: 20 });
    (await asked.client).status.should.equal(503);
    asked.response.status(200).set('X-Late', '1').cookie('a', 'b').append('X-Late', '2').send('late');
    asked.response.writeHead(200, { a: 'b' });
    asked.response.flushHeaders();
    asked.response.statusCode.should.equal(503);
    asked.late.should.equal(1);
    asked.committed.should.be.empty();
    should(await asked.outcome).deepEqual({ kind: 'timed-out' });
  });

  it('answers 503 when the time is up, and not before', async () => {
    const begun = performance.now();
    const asked = await ask({ timeoutMs: 120 });
    const answer = await asked.client;
    answer.status.should.equal(503);
    should(answer.headers).have.property('retry-after');
    (performance.now() - begun).should.be.aboveOrEqual(115);
  });

  it('has no time limit for the recording of an answer', async () => {
    const { gate, commit } = slowCommit();
    const asked = await ask({ commit, timeoutMs: 50 });
    asked.response.send('in time');
    // Its time started later, so when it is up, that of the first one is too.
    const later = await ask({ timeoutMs: 50 });
    should(await later.outcome).deepEqual({ kind: 'timed-out' });
    gate.resolve();
    (await asked.client).body.toString().should.equal('in time');
  });

  it('breaks the connection when the time is up in the middle of an answer', async () => {
    const asked = await ask({ timeoutMs: 50 });
    await new Promise((resolve) => asked.response.write('half', resolve));
    const answer = await asked.client;
    should(await asked.outcome).deepEqual({ kind: 'timed-out' });
    answer.body.toString().should.equal('half');
    asked.response.writableFinished.should.be.false();
  });

  it('asks the sender to try again when it is withdrawn', async () => {
    const asked = await ask();
    asked.reply.withdraw();
    (await asked.client).status.should.equal(503);
    should(await asked.outcome).deepEqual({ kind: 'withdrawn' });
    asked.reply.withdraw();
    asked.response.send('late');
    asked.late.should.equal(1);
  });

  it('still sends the answer when it is withdrawn afterwards', async () => {
    const { gate, commit } = slowCommit();
    const asked = await ask({ commit });
    asked.response.send('given');
    asked.reply.withdraw();
    gate.resolve();
    (await asked.client).body.toString().should.equal('given');
    should(await asked.outcome).have.property('kind', 'answered');
  });

  it('counts the answer of a flow whose sender has hung up', async () => {
    const asked = await ask();
    const closed = new Promise((resolve) => asked.response.once('close', resolve));
    asked.response.socket?.destroy();
    await closed;
    asked.response.status(200).send('nobody reads this');
    should(await asked.outcome).deepEqual({
      kind: 'answered',
      answer: {
        status: 200,
        contentType: 'text/html; charset=utf-8',
        body: Buffer.from('nobody reads this')
      }
    });
    await asked.client;
    asked.committed.length.should.equal(1);
  });

  it('keeps the type of an answer that is too long to keep', async () => {
    const asked = await ask();
    const long = 'x'.repeat(300 * 1024);
    asked.response.type('text/plain').send(long);
    (await asked.client).body.toString().should.equal(long);
    const [given] = asked.committed;
    should(given).have.properties({ status: 200, contentType: 'text/plain; charset=utf-8' });
    should(given?.body.length).equal(0);
  });
});
