import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import should from 'should';
import { SAMPLE_KINDS, SEED_EVENTS } from '../../../src/simulator/telnyx/sample-catalogue';
import { TelnyxStandIn } from '../../../src/simulator/stand-in';

interface Received {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

describe('simulator deliveries', () => {
  const standIn = new TelnyxStandIn();
  let server: Server;
  let received: Received[];
  /** Statuses to respond with; the last one stays. `null`: no response. */
  let answers: (number | null)[];
  let to: string;

  before(() => standIn.start());
  after(() => standIn.stop());

  beforeEach(async () => {
    received = [];
    answers = [200];
    server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        received.push({ headers: request.headers, body: Buffer.concat(pieces) });
        const status = answers.length > 1 ? answers.shift() : answers[0];
        if (typeof status === 'number') response.writeHead(status, { location: '/elsewhere' }).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    to = `http://127.0.0.1:${(server.address() as AddressInfo).port}/telnyx`;
  });
  afterEach(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });

  const fast = { retryDelaysMs: [1, 1, 1], timeoutMs: 5000 };

  for (const { name } of SAMPLE_KINDS) {
    it(`sends ${name}, signed like Telnyx`, async () => {
      const sample = standIn.sample(name);
      const report = await standIn.deliver(sample, to, fast);
      should(report.accepted).be.true();
      should(report.attempts.length).equal(1);
      const { headers, body } = received[0]!;
      should(headers['user-agent']).equal('telnyx-webhooks');
      should(headers['telnyx-timestamp']).match(/^\d{10}$/);
      should(Math.abs(Number(headers['telnyx-timestamp']) - Date.now() / 1000)).be.below(5);
      should(verified(standIn.publicKey, received[0]!)).be.true();
      if (name.startsWith('texml.')) {
        should(headers['content-type']).equal('application/x-www-form-urlencoded');
        const fields = new URLSearchParams(body.toString());
        should(fields.get('CallSid')).match(/^v3:/);
        should(fields.get('AccountSid')).be.ok();
      } else {
        should(headers['content-type']).equal('application/json');
        const { data, meta } = JSON.parse(body.toString()) as Record<string, Record<string, unknown>>;
        should(data!['event_type']).equal(name);
        should(data!['id']).match(/^[-0-9a-f]{36}$/);
        should(meta).deepEqual({ attempt: 1, delivered_to: to });
      }
    });

    it(`makes ${name} with fresh ids and only documentation numbers`, () => {
      const [one, two] = [standIn.sample(name), standIn.sample(name)].map((sample) => sample.body(1, to));
      should(one!.equals(two!)).be.false();
      for (const number of decodeURIComponent(one!.toString()).match(/\+1\d{10}/g) ?? []) {
        should(number).match(/^\+120255501\d\d$/);
      }
    });
  }

  it('announces recordings that can be fetched and match their announcement', async () => {
    const events = ['call.recording.saved', 'conference.recording.saved', 'texml.recording.completed'];
    for (const name of events) {
      const sample = standIn.sample(name, { seconds: 1 });
      const text = sample.body(1, to).toString();
      const url = name.startsWith('texml.')
        ? new URLSearchParams(text).get('RecordingUrl')!
        : recordingUrl(text);
      const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
      const [expected] = standIn.expectedFiles(sample.recording!);
      should(bytes.length).equal(expected!.size);
      should(text).containEql(sample.recording!.id);
    }
  });

  it('repeats 503, 429, 408 with the same event id, the next attempt number and a valid signature', async () => {
    answers = [503, 429, 408, 200];
    const report = await standIn.deliver(standIn.sample('call.hangup'), to, fast);
    should(report.accepted).be.true();
    should(report.attempts.map(({ status }) => status)).deepEqual([503, 429, 408, 200]);
    const bodies = received.map(
      ({ body }) => JSON.parse(body.toString()) as { data: { id: string }; meta: { attempt: number } }
    );
    should(new Set(bodies.map(({ data }) => data.id)).size).equal(1);
    should(bodies.map(({ meta }) => meta.attempt)).deepEqual([1, 2, 3, 4]);
    for (const delivery of received) should(verified(standIn.publicKey, delivery)).be.true();
  });

  it('gives up after the last repeat', async () => {
    answers = [500];
    const report = await standIn.deliver(standIn.sample('call.hangup'), to, fast);
    should(report.accepted).be.false();
    should(report.attempts.length).equal(4);
    should(report.last.status).equal(500);
  });

  for (const status of [301, 400, 401, 403, 404]) {
    it(`treats ${status} as final`, async () => {
      answers = [status];
      const report = await standIn.deliver(standIn.sample('call.hangup'), to, fast);
      should(report.accepted).be.false();
      should(report.attempts.length).equal(1);
      should(received.length).equal(1);
    });
  }

  it('repeats a delivery that is not answered in time', async () => {
    answers = [null, 200];
    const report = await standIn.deliver(standIn.sample('call.hangup'), to, { ...fast, timeoutMs: 100 });
    should(report.accepted).be.true();
    should(report.attempts[0]!.problem).equal('no answer within 100 ms');
  });

  it('reports a receiver that is not there', async () => {
    const report = await standIn.deliver(standIn.sample('call.hangup'), 'http://127.0.0.1:1/', fast);
    should(report.accepted).be.false();
    should(report.last.problem).match(/ECONNREFUSED/);
  });

  it('stops when told to', async () => {
    answers = [null];
    const stop = new AbortController();
    const sending = standIn.deliver(standIn.sample('call.hangup'), to, { ...fast, signal: stop.signal });
    await once(server, 'request');
    stop.abort();
    await should(sending).be.rejectedWith({ name: 'AbortError' });
  });

  it('has a sample of every seed event, and lists them when asked for another', () => {
    for (const name of SEED_EVENTS) should(standIn.sample(name).name).equal(name);
    should(() => standIn.sample('call.sneezed')).throw(/no sample of "call.sneezed".*call\.hangup/);
  });
});

function recordingUrl(json: string): string {
  const { data } = JSON.parse(json) as {
    data: { payload: { recording_urls: Record<string, string | null> } };
  };
  const urls = Object.values(data.payload.recording_urls).filter((url) => url !== null);
  should(urls.length).equal(1);
  return urls[0]!;
}

function verified(publicKey: string, { headers, body }: Received): boolean {
  const x = Buffer.from(publicKey, 'base64').toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  const signed = Buffer.concat([Buffer.from(`${String(headers['telnyx-timestamp'])}|`), body]);
  return verify(null, signed, key, Buffer.from(String(headers['telnyx-signature-ed25519']), 'base64'));
}
