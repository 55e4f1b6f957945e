import should from 'should';
import { holdEvent } from '../../../support/deliveries';
import { EndpointStage } from './endpoint-fixture';
import { closeServers, deferred } from '../express/real-http';

describe('WebhookEndpoint over time', () => {
  afterEach(closeServers);

  describe('when a delivery cannot be recorded', () => {
    for (const reply of ['at-once', 'flow'] as const) {
      it(`asks the sender to try again, and accepts the next attempt (${reply})`, async () => {
        const stage = await EndpointStage.start({ reply });
        const full = new Error('disk full');
        stage.journal.gate = Promise.reject(full);
        stage.journal.gate.catch(() => undefined);
        const first = stage.deliver('one');
        if (reply === 'flow') (await stage.emittedEvent(1)).exchange?.response.end('a');
        const refused = await first;
        refused.status.should.equal(503);
        should(refused.headers).have.property('retry-after');
        stage.faults.map(({ code, cause }) => [code, cause]).should.deepEqual([['NOT_RECORDED', full]]);
        should(stage.faults[0]?.about?.event.id).equal('one');
        if (reply === 'at-once') stage.emitted.should.be.empty();

        stage.journal.gate = Promise.resolve();
        const already = stage.emitted.length;
        const second = stage.deliver('one');
        const { message, exchange } = await stage.emittedEvent(already + 1);
        exchange?.response.end('a');
        (await second).status.should.equal(200);
        message.event.duplicate.should.be.false();
      });
    }
  });

  describe('in flow mode', () => {
    it('hands request and response to the flow and sends its answer', async () => {
      const stage = await EndpointStage.start({ reply: 'flow' });
      const sent = stage.deliver('one');
      const { exchange } = await stage.emittedEvent(1);
      should(exchange?.request.headers['content-type']).equal('application/json');
      exchange?.response.setHeader('Content-Type', 'text/xml');
      exchange?.response.end('<Response/>');
      const answer = await sent;
      answer.status.should.equal(200);
      answer.body.toString().should.equal('<Response/>');
      stage.journal.log.should.deepEqual(['remember one']);
    });

    it('names the event that was not answered in time, and accepts the next attempt', async () => {
      const stage = await EndpointStage.start({ reply: 'flow', replyTimeoutMs: 30 });
      (await stage.deliver('one')).status.should.equal(503);
      stage.faults
        .map(({ code, about }) => [code, about?.event.id])
        .should.deepEqual([['REPLY_TIMEOUT', 'one']]);
      should(stage.faults[0]?.message).match(/within 0.03 s/);
      stage.emitted[0]?.exchange?.response.end('late');
      stage.late.should.equal(1);

      const again = stage.deliver('one');
      const { message, exchange } = await stage.emittedEvent(2);
      exchange?.response.end('now');
      (await again).body.toString().should.equal('now');
      message.event.duplicate.should.be.false();
      stage.journal.log.should.deepEqual(['remember one']);
    });

    it('does not remember what the flow refused', async () => {
      const stage = await EndpointStage.start({ reply: 'flow' });
      const refused = stage.deliver('one');
      const { response } = (await stage.emittedEvent(1)).exchange!;
      response.statusCode = 500;
      response.end();
      (await refused).status.should.equal(500);
      const again = stage.deliver('one');
      (await stage.emittedEvent(2)).exchange?.response.end();
      (await again).status.should.equal(200);
      stage.ids.should.deepEqual(['one', 'one']);
    });
  });

  describe('when it closes', () => {
    it('asks everybody to try again', async () => {
      const stage = await EndpointStage.start();
      await stage.endpoint.close();
      const answer = await stage.deliver();
      answer.status.should.equal(503);
      should(answer.headers).have.property('retry-after');
      stage.emitted.should.be.empty();
      stage.refusals.should.be.empty();
    });

    it('asks those who wait for the flow to try again', async () => {
      const stage = await EndpointStage.start({ reply: 'flow' });
      const sent = stage.deliver('one');
      const { exchange } = await stage.emittedEvent(1);
      await stage.endpoint.close();
      (await sent).status.should.equal(503);
      exchange?.response.end('late');
      stage.late.should.equal(1);
      stage.journal.log.should.deepEqual(['written']);
      stage.faults.should.be.empty();
    });

    it('does not hand over what is still being verified', async () => {
      const verifying = deferred();
      const begun = deferred();
      const stage = await EndpointStage.start(
        {},
        {
          verifier: {
            verify: async () => {
              begun.resolve();
              await verifying.promise;
              return { ok: true, verified: 'ed25519', keyIndex: 0 };
            }
          }
        }
      );
      const sent = stage.deliver('one');
      await begun.promise;
      await stage.endpoint.close();
      verifying.resolve();
      (await sent).status.should.equal(503);
      stage.journal.log.should.deepEqual(['written']);
    });

    it('waits for what is being recorded, answers it, and leaves it to its successor', async () => {
      const stage = await EndpointStage.start();
      const gate = deferred();
      stage.journal.gate = gate.promise;
      const sent = stage.deliver('one');
      await stage.arrived(1);
      let closed = false;
      const closing = stage.endpoint.close().then(() => (closed = true));
      await new Promise((resolve) => setImmediate(resolve));
      closed.should.be.false();
      gate.resolve();
      await closing;
      (await sent).status.should.equal(200);
      stage.emitted.should.be.empty();
      stage.journal.log.should.deepEqual(['accept one', 'leave one', 'written']);
    });

    it('leaves a copy that is being recorded to its successor', async () => {
      const stage = await EndpointStage.start({ duplicates: 'pass' });
      (await stage.deliver('one')).status.should.equal(200);
      const gate = deferred();
      stage.journal.gate = gate.promise;
      const sent = stage.deliver('one');
      await stage.arrived(2);
      let closed = false;
      const closing = stage.endpoint.close().then(() => (closed = true));
      await new Promise((resolve) => setImmediate(resolve));
      closed.should.be.false();
      gate.resolve();
      await closing;
      (await sent).status.should.equal(200);
      stage.ids.should.deepEqual(['one']);
      stage.journal.log.slice(2).should.deepEqual(['accept one again', 'leave one again', 'written']);
    });

    for (const [duplicates, status] of [
      ['drop', 200],
      ['pass', 503]
    ] as const) {
      it(`answers ${status} to a copy that waits for what is being recorded (${duplicates})`, async () => {
        const stage = await EndpointStage.start({ duplicates });
        const gate = deferred();
        stage.journal.gate = gate.promise;
        const first = stage.deliver('one');
        await stage.arrived(1);
        const second = stage.deliver('one');
        await stage.arrived(2);
        const closing = stage.endpoint.close();
        gate.resolve();
        await closing;
        (await first).status.should.equal(200);
        (await second).status.should.equal(status);
        stage.emitted.should.be.empty();
      });
    }

    it('waits until it is on disk that the flow has a delivery; otherwise the next start would repeat it', async () => {
      const stage = await EndpointStage.start();
      const gate = deferred();
      await stage.deliver('one');
      stage.journal.writing = gate.promise;
      let closed = false;
      const closing = stage.endpoint.close().then(() => (closed = true));
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      closed.should.be.false();
      gate.resolve();
      await closing;
      stage.journal.log.should.deepEqual(['accept one', 'done one', 'written']);
    });
  });

  describe('when it starts', () => {
    const pending = (stage: EndpointStage, id: string, rawBody = Buffer.from(holdEvent(id))) =>
      stage.journal.left.push({
        delivery: {
          scope: 'node',
          id,
          receivedAt: Date.UTC(2026, 0, 2),
          verified: 'ed25519',
          keyIndex: 1,
          contentType: 'application/json',
          query: null,
          rawBody
        },
        done: () => stage.journal.log.push(`done ${id}`),
        leave: () => stage.journal.log.push(`leave ${id}`),
        name: id
      });

    it('hands over what its predecessor could not, in order and marked', async () => {
      const stage = await EndpointStage.start();
      for (let index = 0; index < 250; index += 1) pending(stage, `p${index}`);
      await stage.endpoint.recover();
      stage.ids.should.deepEqual(Array.from({ length: 250 }, (_, index) => `p${index}`));
      should(stage.emitted[7]?.message.event).have.properties({
        recovered: true,
        duplicate: false,
        key_index: 1,
        received_at: '2026-01-02T00:00:00.000Z',
        event_type: 'call.hold'
      });
      stage.journal.log.length.should.equal(250);
    });

    it('lets others have their turn meanwhile', async () => {
      const stage = await EndpointStage.start();
      for (let index = 0; index < 250; index += 1) pending(stage, `p${index}`);
      const seen: number[] = [];
      const look = (): void => {
        seen.push(stage.emitted.length);
        if (stage.emitted.length < 250) setImmediate(look);
      };
      setImmediate(look);
      await stage.endpoint.recover();
      seen.filter((count) => count > 0 && count < 250).length.should.be.above(3);
    });

    it('does not return to what can no longer be read', async () => {
      const stage = await EndpointStage.start();
      pending(stage, 'broken', Buffer.from('{"a":'));
      pending(stage, 'whole');
      await stage.endpoint.recover();
      stage.ids.should.deepEqual(['whole']);
      stage.journal.log.should.deepEqual(['done broken', 'done whole']);
    });

    it('stops when it closes, and leaves the rest', async () => {
      const stage = await EndpointStage.start();
      for (const id of ['a', 'b', 'c']) pending(stage, id);
      await stage.endpoint.close();
      await stage.endpoint.recover();
      stage.emitted.should.be.empty();
      stage.journal.log.filter((line) => line.startsWith('done')).should.be.empty();
    });
  });
});
