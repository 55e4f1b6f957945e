import should from 'should';
import { formDelivery } from '../../../support/deliveries';
import { signed } from '../../../support/sign';
import type { RawAnswer } from '../../../support/http-client';
import { EndpointStage } from './endpoint-fixture';
import { closeServers, deferred } from '../express/real-http';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Whether a promise is still open after everything that could settle it had its turn. */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
  let open = true;
  void promise.then(
    () => (open = false),
    () => (open = false)
  );
  for (let turns = 0; turns < 20; turns += 1) await turn();
  return open;
}

describe('duplicates', () => {
  afterEach(closeServers);

  describe('answered at once', () => {
    it('are dropped and answered 200', async () => {
      const stage = await EndpointStage.start();
      for (let copy = 0; copy < 3; copy += 1) (await stage.deliver('one')).status.should.equal(200);
      (await stage.deliver('two')).status.should.equal(200);
      stage.ids.should.deepEqual(['one', 'two']);
      stage.dropped.should.deepEqual(['one', 'one']);
      stage.refusals.should.be.empty();
    });

    it('are passed on, marked, where that is wanted', async () => {
      const stage = await EndpointStage.start({ duplicates: 'pass' });
      for (let copy = 0; copy < 3; copy += 1) (await stage.deliver('one')).status.should.equal(200);
      stage.ids.should.deepEqual(['one', 'one again', 'one again']);
      stage.dropped.should.be.empty();
    });

    it('are recorded before they are answered and passed on', async () => {
      const stage = await EndpointStage.start({ duplicates: 'pass' });
      (await stage.deliver('one')).status.should.equal(200);
      const gate = deferred();
      stage.journal.gate = gate.promise;
      const second = stage.deliver('one');
      await stage.arrived(2);
      (await isOpen(second)).should.be.true();
      stage.ids.should.deepEqual(['one']);
      gate.resolve();
      (await second).status.should.equal(200);
      stage.ids.should.deepEqual(['one', 'one again']);
      stage.journal.log.should.deepEqual(['accept one', 'done one', 'accept one again', 'done one again']);
    });

    it('are sent again by their sender when they cannot be recorded', async () => {
      const stage = await EndpointStage.start({ duplicates: 'pass' });
      (await stage.deliver('one')).status.should.equal(200);
      stage.journal.gate = Promise.reject(new Error('disk full'));
      stage.journal.gate.catch(() => undefined);
      (await stage.deliver('one')).status.should.equal(503);
      stage.faults.map(({ code }) => code).should.deepEqual(['NOT_RECORDED']);
      stage.ids.should.deepEqual(['one']);
      stage.journal.gate = Promise.resolve();
      (await stage.deliver('one')).status.should.equal(200);
      stage.ids.should.deepEqual(['one', 'one again']);
    });

    it('are accepted while the nodes that get them are away', async () => {
      const stage = await EndpointStage.start({ duplicates: 'pass' }, { isFlowThere: () => false });
      for (let copy = 0; copy < 2; copy += 1) (await stage.deliver('one')).status.should.equal(200);
      stage.ids.should.deepEqual(['one', 'one again']);
    });

    it('are known by their bytes where the body has no id', async () => {
      const stage = await EndpointStage.start();
      for (const body of ['CallSid=a&Digits=1', 'CallSid=a&Digits=2', 'CallSid=a&Digits=1'])
        (await stage.deliverRaw(formDelivery(body))).status.should.equal(200);
      stage.emitted
        .map(({ rawBody }) => rawBody.toString())
        .should.deepEqual(['CallSid=a&Digits=1', 'CallSid=a&Digits=2']);
    });

    it('never include a signed event whose id an unsigned query has guessed', async () => {
      const stage = await EndpointStage.start({ acceptGet: true });
      const guess = '/telnyx?data[event_type]=call.hold&data[id]=one';
      const invented = await stage.send({ method: 'GET', path: guess, headers: signed('') });
      invented.status.should.equal(200);
      (await stage.deliver('one')).status.should.equal(200);
      (await stage.send({ method: 'GET', path: guess, headers: signed('') })).status.should.equal(200);
      stage.emitted
        .map(({ message: { event } }) => [event.id, event.verified])
        .should.deepEqual([
          ['one', 'partial'],
          ['one', 'ed25519']
        ]);
    });

    it('never include a signed event whose id is the one that such a query was remembered under', async () => {
      const stage = await EndpointStage.start({ acceptGet: true });
      const query = '/telnyx?data[event_type]=call.hold&data[id]=one';
      (await stage.send({ method: 'GET', path: query, headers: signed('') })).status.should.equal(200);
      for (let copy = 0; copy < 2; copy += 1) (await stage.deliver('partial one')).status.should.equal(200);
      stage.emitted.map(({ message: { event } }) => event.id).should.deepEqual(['one', 'partial one']);
    });

    it('wait for a first copy that is still being recorded', async () => {
      const stage = await EndpointStage.start();
      const gate = deferred();
      stage.journal.gate = gate.promise;
      const copies = Promise.all([stage.deliver('one'), stage.deliver('one'), stage.deliver('one')]);
      await stage.arrived(3);
      (await isOpen(copies)).should.be.true();
      stage.emitted.should.be.empty();
      gate.resolve();
      (await copies).map(({ status }) => status).should.deepEqual([200, 200, 200]);
      stage.ids.should.deepEqual(['one']);
      stage.journal.log.should.deepEqual(['accept one', 'done one']);
    });

    it('share the failure of a first copy, and the next one is accepted', async () => {
      const stage = await EndpointStage.start();
      const gate = deferred();
      stage.journal.gate = gate.promise;
      const copies = Promise.all([stage.deliver('one'), stage.deliver('one')]);
      await stage.arrived(2);
      (await isOpen(copies)).should.be.true();
      gate.reject(new Error('disk full'));
      for (const { status, headers } of await copies) {
        status.should.equal(503);
        headers.should.have.property('retry-after');
      }
      stage.emitted.should.be.empty();
      stage.journal.gate = Promise.resolve();
      (await stage.deliver('one')).status.should.equal(200);
      stage.ids.should.deepEqual(['one']);
    });

    it('of different events do not wait for each other', async () => {
      const stage = await EndpointStage.start();
      const gate = deferred();
      stage.journal.gate = gate.promise;
      const first = stage.deliver('one');
      await stage.arrived(1);
      stage.journal.gate = Promise.resolve();
      (await stage.deliver('two')).status.should.equal(200);
      stage.ids.should.deepEqual(['two']);
      gate.resolve();
      (await first).status.should.equal(200);
    });
  });

  describe('answered by the flow', () => {
    const xml = (answer: RawAnswer) => ({
      status: answer.status,
      type: answer.headers['content-type'],
      body: answer.body.toString()
    });
    const given = { status: 200, type: 'text/xml', body: '<Response>\u00e9</Response>' };
    const reply = async (stage: EndpointStage, count: number, status = 200, body = given.body) => {
      const response = (await stage.emittedEvent(count)).exchange!.response;
      response.statusCode = status;
      response.setHeader('Content-Type', given.type);
      response.end(body);
    };

    it('get the same answer again, byte for byte', async () => {
      const stage = await EndpointStage.start({ reply: 'flow' });
      const first = stage.deliver('one');
      await reply(stage, 1);
      xml(await first).should.deepEqual(given);
      xml(await stage.deliver('one')).should.deepEqual(given);
      stage.ids.should.deepEqual(['one']);
    });

    it('wait for the answer that the first copy gets', async () => {
      const stage = await EndpointStage.start({ reply: 'flow' });
      const first = stage.deliver('one');
      await stage.emittedEvent(1);
      const second = stage.deliver('one');
      await stage.arrived(2);
      (await isOpen(second)).should.be.true();
      await reply(stage, 1);
      xml(await first).should.deepEqual(given);
      xml(await second).should.deepEqual(given);
      stage.ids.should.deepEqual(['one']);
    });

    it('get the answer even when the sender of the first copy has hung up', async () => {
      const stage = await EndpointStage.start({ reply: 'flow' });
      const first = stage.deliver('one');
      const { response } = (await stage.emittedEvent(1)).exchange!;
      const second = stage.deliver('one');
      await stage.arrived(2);
      (await isOpen(second)).should.be.true();
      response.socket?.destroy();
      await first;
      await reply(stage, 1);
      xml(await second).should.deepEqual(given);
      xml(await stage.deliver('one')).should.deepEqual(given);
      stage.ids.should.deepEqual(['one']);
    });

    it('share a refusal of the flow and its text; the next one is a new attempt', async () => {
      const stage = await EndpointStage.start({ reply: 'flow' });
      const first = stage.deliver('one');
      await stage.emittedEvent(1);
      const second = stage.deliver('one');
      await stage.arrived(2);
      (await isOpen(second)).should.be.true();
      await reply(stage, 1, 422, 'unknown caller');
      for (const answer of [await first, await second]) {
        xml(answer).should.deepEqual({ ...given, status: 422, body: 'unknown caller' });
      }
      const third = stage.deliver('one');
      await reply(stage, 2);
      xml(await third).should.deepEqual(given);
      stage.ids.should.deepEqual(['one', 'one']);
    });

    it('also share a refusal of the flow where they are passed on', async () => {
      const stage = await EndpointStage.start({ reply: 'flow', duplicates: 'pass' });
      const first = stage.deliver('one');
      await stage.emittedEvent(1);
      const second = stage.deliver('one');
      await stage.arrived(2);
      await reply(stage, 1, 422, 'unknown caller');
      (await first).status.should.equal(422);
      (await second).status.should.equal(422);
      stage.ids.should.deepEqual(['one']);
    });

    it('share the 503 of a flow that does not answer', async () => {
      const stage = await EndpointStage.start({ reply: 'flow', replyTimeoutMs: 1000 });
      const first = stage.deliver('one');
      await stage.emittedEvent(1);
      const second = await stage.deliver('one');
      (await first).status.should.equal(503);
      second.status.should.equal(503);
      should(second.headers).have.property('retry-after');
      stage.ids.should.deepEqual(['one']);
    });

    it('share the 503 of a closing node', async () => {
      const stage = await EndpointStage.start({ reply: 'flow' });
      const first = stage.deliver('one');
      await stage.emittedEvent(1);
      const second = stage.deliver('one');
      await stage.arrived(2);
      (await isOpen(second)).should.be.true();
      await stage.endpoint.close();
      (await first).status.should.equal(503);
      (await second).status.should.equal(503);
    });

    it('are each answered by the flow where they are passed on', async () => {
      const stage = await EndpointStage.start({ reply: 'flow', duplicates: 'pass' });
      for (const [count, body] of ['a', 'b', 'c'].entries()) {
        const sent = stage.deliver('one');
        await reply(stage, count + 1, 200, body);
        (await sent).body.toString().should.equal(body);
      }
      stage.ids.should.deepEqual(['one', 'one again', 'one again']);
      stage.journal.log.should.deepEqual(['remember one']);
    });
  });
});
