import should from 'should';
import { holdEvent, jsonDelivery, formDelivery } from '../../../support/deliveries';
import { signed, STRANGER } from '../../../support/sign';
import { EndpointStage } from './endpoint-fixture';
import { closeServers, deferred } from '../express/real-http';

describe('WebhookEndpoint', () => {
  afterEach(closeServers);

  describe('refuses', () => {
    let stage: EndpointStage;
    beforeEach(async () => {
      stage = await EndpointStage.start();
    });
    afterEach(() => {
      stage.emitted.should.be.empty();
      stage.journal.log.should.be.empty();
      stage.faults.should.be.empty();
    });

    const now = () => Math.floor(Date.now() / 1000);
    const rows: [
      what: string,
      request: () => Parameters<EndpointStage['send']>[0],
      status: number,
      code: string
    ][] = [
      ['an unsigned delivery', () => ({ body: Buffer.from('{}') }), 401, 'MISSING_SIGNATURE'],
      [
        'a malformed signature',
        () => ({ body: Buffer.from('{}'), headers: { ...signed('{}'), 'telnyx-signature-ed25519': 'AA' } }),
        401,
        'MALFORMED_SIGNATURE'
      ],
      ['a stranger', () => jsonDelivery('{}', { key: STRANGER }), 401, 'SIGNATURE_MISMATCH'],
      [
        'a changed body',
        () => ({ ...jsonDelivery('{}'), body: Buffer.from('{ }') }),
        401,
        'SIGNATURE_MISMATCH'
      ],
      ['a timestamp in words', () => jsonDelivery('{}', { timestamp: 'now' }), 401, 'BAD_TIMESTAMP'],
      [
        'an old delivery',
        () => jsonDelivery('{}', { timestamp: now() - 400 }),
        401,
        'TIMESTAMP_OUT_OF_RANGE'
      ],
      ['plain text', () => jsonDelivery('hello there'), 400, 'UNPARSABLE_BODY'],
      ['half a JSON', () => jsonDelivery('{"a":'), 400, 'UNPARSABLE_BODY'],
      ['a long body', () => ({ body: Buffer.alloc(10_001) }), 413, 'BODY_TOO_LARGE'],
      [
        'a compressed body',
        () => ({ ...jsonDelivery('{}'), headers: { ...signed('{}'), 'Content-Encoding': 'gzip' } }),
        415,
        'UNSUPPORTED_ENCODING'
      ],
      ['a GET', () => ({ method: 'GET' }), 405, 'METHOD_NOT_ALLOWED'],
      [
        'a PUT, even a signed one',
        () => ({ method: 'PUT', ...jsonDelivery('{}') }),
        405,
        'METHOD_NOT_ALLOWED'
      ]
    ];
    for (const [what, request, status, code] of rows) {
      it(`${what} with ${status}`, async () => {
        const answer = await stage.send(request());
        answer.status.should.equal(status);
        answer.body.length.should.equal(0);
        should(answer.headers['retry-after']).be.undefined();
        should(answer.headers['allow']).equal(status === 405 ? 'POST' : undefined);
        stage.refusals.map((refusal) => [refusal.code, refusal.status]).should.deepEqual([[code, status]]);
      });
    }

    it('with who, how and where, without the query', async () => {
      await stage.send({ path: '/telnyx?token=secret', body: Buffer.from('{}') });
      const [refusal] = stage.refusals;
      should(refusal).have.properties({ remote: '127.0.0.1', method: 'POST', path: '/telnyx' });
      JSON.stringify(refusal).should.not.match(/secret/);
    });

    it('the method before the body, the body before the signature, the signature before the content', async () => {
      await stage.send({ method: 'PUT', body: Buffer.alloc(10_001) });
      await stage.send({ body: Buffer.alloc(10_001), headers: { 'telnyx-signature-ed25519': 'AA' } });
      await stage.send(jsonDelivery('no json', { key: STRANGER }));
      stage.refusals
        .map(({ code }) => code)
        .should.deepEqual(['METHOD_NOT_ALLOWED', 'BODY_TOO_LARGE', 'SIGNATURE_MISMATCH']);
    });
  });

  it('answers 503 when nothing can be verified or read', async () => {
    const stage = await EndpointStage.start(
      {},
      { verifier: { verify: () => Promise.resolve({ ok: false, code: 'NO_PUBLIC_KEY', message: 'none' }) } }
    );
    const answer = await stage.deliver();
    answer.status.should.equal(503);
    Number(answer.headers['retry-after']).should.be.above(0);
    stage.refusals.map(({ code }) => code).should.deepEqual(['NO_PUBLIC_KEY']);
  });

  it('answers 503 instead of failing when a part of it fails', async () => {
    const broken = new Error('broken');
    const verifying = await EndpointStage.start({}, { verifier: { verify: () => Promise.reject(broken) } });
    (await verifying.deliver()).status.should.equal(503);
    const parsing = await EndpointStage.start(
      {},
      {
        parse: () => {
          throw broken;
        }
      }
    );
    (await parsing.deliver()).status.should.equal(503);
    for (const { faults } of [verifying, parsing]) {
      faults.map(({ code, cause }) => [code, cause]).should.deepEqual([['NOT_RECORDED', broken]]);
    }
  });

  describe('accepts', () => {
    it('an event: recorded, answered, handed over', async () => {
      const stage = await EndpointStage.start();
      const body = holdEvent('one');
      const answer = await stage.deliverRaw(jsonDelivery(body));
      answer.status.should.equal(200);
      answer.body.length.should.equal(0);
      const { message, rawBody, exchange } = await stage.emittedEvent(1);
      rawBody.toString().should.equal(body);
      should(exchange).be.null();
      message.topic.should.equal('call.hold');
      message.event.should.have.properties({
        id: 'one',
        verified: 'ed25519',
        key_index: 0,
        duplicate: false
      });
      Math.abs(Date.parse(message.event.received_at) - Date.now()).should.be.below(5000);
      stage.journal.log.should.deepEqual(['accept one', 'done one']);
      stage.refusals.should.be.empty();
    });

    it('a form, an unknown type, and JSON without any structure', async () => {
      const stage = await EndpointStage.start();
      const deliveries = [formDelivery('CallSid=v3%3Ax&A=b'), jsonDelivery('{"a":1}'), jsonDelivery('[1]')];
      for (const delivery of deliveries) (await stage.deliverRaw(delivery)).status.should.equal(200);
      stage.emitted.map(({ rawBody }) => rawBody).should.deepEqual(deliveries.map(({ body }) => body));
    });

    it('nothing before it is recorded', async () => {
      const stage = await EndpointStage.start();
      const gate = deferred();
      stage.journal.gate = gate.promise;
      let answered = false;
      const sent = stage.deliver('one').then((answer) => {
        answered = true;
        return answer;
      });
      await stage.arrived(1);
      answered.should.be.false();
      stage.emitted.should.be.empty();
      gate.resolve();
      (await sent).status.should.equal(200);
      stage.ids.should.deepEqual(['one']);
    });

    it('a GET where it is switched on, query and all', async () => {
      const stage = await EndpointStage.start({ acceptGet: true });
      const query = 'CallSid=v3%3Ax&To=%2B12025550103';
      const overQuery = await stage.send({ method: 'GET', path: `/telnyx?${query}`, headers: signed(query) });
      overQuery.status.should.equal(200);
      const overNothing = await stage.send({
        method: 'GET',
        path: `/telnyx?${query}&x=1`,
        headers: signed('')
      });
      overNothing.status.should.equal(200);
      stage.emitted.map(({ message }) => message.event.verified).should.deepEqual(['ed25519', 'partial']);
      should(stage.emitted[0]?.message.payload).have.property('To', '+12025550103');
      const head = await stage.send({ method: 'HEAD' });
      head.status.should.equal(405);
      should(head.headers['allow']).equal('GET, POST');
    });

    it("the provider's probe without a signature, and sends nothing on", async () => {
      const probe = '{"test":"test"}';
      const stage = await EndpointStage.start({}, { isProbe: (raw) => raw.toString() === probe });
      (await stage.send({ body: Buffer.from(probe) })).status.should.equal(200);
      (await stage.send({ body: Buffer.from('{"test":"tesT"}') })).status.should.equal(401);
      stage.emitted.should.be.empty();
      stage.journal.log.should.be.empty();
    });
  });
});
