import { randomUUID } from 'node:crypto';
import should from 'should';
import { dailyAccount, DAILY_HMAC, dailyDelivery, dailyWebhookIn, STRANGER_SECRET } from '../support/daily';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { account, catchAll, node, recorder, tab, webhookIn } from '../support/flows';
import type { RecordedMessage } from '../support/node-red-process';
import { TRUSTED } from '../support/sign';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';
import { loadFixtures } from '../unit/events/fixtures';

const PROBE = '{"test":"test"}';
const trusted = { credentials: { hmac: DAILY_HMAC } };
const event = (id: string, type = 'meeting.ended') =>
  JSON.stringify({ version: '1.0.0', type, id, payload: { room: 'made-up' }, event_ts: 1790000123.5 });

/** Routes the messages of both webhook nodes; the first match wins. */
const SWITCH = node('switch', 'telnyx-event-switch', {
  property: 'event.event_type',
  propertyType: 'msg',
  rules: [
    { t: 'recording' },
    { t: 'event', v: 'meeting.*' },
    { t: 'family', v: 'participant' },
    { t: 'family', v: 'recording' },
    { t: 'unknown' },
    { t: 'else' }
  ],
  checkall: 'false',
  outputs: 6,
  wires: ['stored', 'meetings', 'people', 'recordings', 'unknown', 'rest'].map((name) => [name])
});

describe('daily-webhook-in in a real Node-RED', () => {
  let instance: WebhookInstance;
  const refused = async (count: number) => instance.nodeRed.messages(count, { file: 'refused.jsonl' });
  const deliver = (body: string, options = {}, path = '/daily') =>
    instance.deliver(dailyDelivery(body, options), path);

  /** Everything the Daily node sent, once nothing is in flight: waits for one more event, and leaves it out. */
  async function settled(): Promise<RecordedMessage[]> {
    const id = `last-${randomUUID()}`;
    should((await deliver(event(id))).status).equal(200);
    const all = await until('the last message', () => {
      const seen = instance.nodeRed.recorded();
      return seen.some((message) => message.event?.['id'] === id) ? seen : undefined;
    });
    return all.filter(({ event: seen }) => !String(seen?.['id']).startsWith('last-'));
  }

  before(async function () {
    this.timeout(60_000);
    const other = (name: string, properties: object) =>
      dailyWebhookIn({ id: name, path: `/${name}`, wires: [[]], ...properties });
    instance = await WebhookInstance.start({
      env: { DAILY_HMAC_SECRET: DAILY_HMAC },
      flow: [
        tab(),
        dailyAccount(trusted),
        dailyWebhookIn({ rejectedOutput: true, outputs: 2, wires: [['seen'], ['refused']] }),
        ...recorder(),
        ...recorder('refused', 'refused.jsonl'),
        ...catchAll(),
        dailyAccount({ id: 'bad', credentials: { hmac: 'not-base64!' } }),
        other('bad-secret', { account: 'bad' }),
        other('no-account', { account: '' }),
        dailyAccount({ id: 'by-variable' }),
        other('variable', { account: 'by-variable' }),
        other('passing', { duplicates: 'pass', wires: [['passed']] }),
        ...recorder('passed', 'passed.jsonl'),
        other('raw', { rawBody: true, wires: [['raw-seen']] }),
        ...recorder('raw-seen', 'raw.jsonl'),
        other('mixed', { wires: [['switch']] }),
        account({ publicKeys: TRUSTED.publicKey }),
        webhookIn({ path: '/telnyx-mixed', wires: [['switch']] }),
        SWITCH,
        ...['stored', 'meetings', 'people', 'recordings', 'unknown', 'rest'].flatMap((name) =>
          recorder(name, `${name}.jsonl`)
        )
      ]
    });
  });
  after(() => instance.stop());

  it('every signed fixture becomes the expected event', async function () {
    this.timeout(60_000);
    const fixtures = loadFixtures('daily');
    for (const { bytes, file } of fixtures) {
      const { status, body } = await instance.deliver(dailyDelivery(bytes), '/passing');
      should([file, status, body.length]).deepEqual([file, 200, 0]);
    }
    const seen = await instance.nodeRed.messages(fixtures.length, { file: 'passed.jsonl' });
    fixtures.forEach(({ expected, file, bytes }, index) => {
      const { own_id, ...fields } = expected;
      const sent = seen[index];
      should(sent?.event).containDeep({ ...fields, provider: 'daily', verified: 'hmac', key_index: 0 });
      if (own_id !== null) should(sent?.event?.['id']).equal(own_id);
      should([file, sent?.topic]).deepEqual([file, expected.event_type]);
      const body = JSON.parse(bytes.toString()) as { payload?: unknown };
      should(sent?.payload).deepEqual(body.payload ?? body);
    });
  });

  it('accepts seconds and milliseconds, up to half an hour old, and recognises repeats', async () => {
    const now = Date.now();
    for (const [index, timestamp] of [
      Math.floor(now / 1000),
      now,
      now - 1_790_000,
      now + 1_790_000
    ].entries())
      should((await deliver(event(`time-${index}`), { timestamp })).status).equal(200);
    should((await deliver(event('time-0'))).status).equal(200);
    const ids = (await settled()).map((message) => String(message.event?.['id']));
    should(ids.filter((id) => id.startsWith('time-'))).deepEqual(['time-0', 'time-1', 'time-2', 'time-3']);
  });

  it('rejects forged, stale and unsigned deliveries, and none reaches the first output', async () => {
    const body = event('forged');
    const good = dailyDelivery(body);
    const { 'x-webhook-signature': signature = '', ...unsigned } = good.headers;
    const before = instance.nodeRed.recorded('refused.jsonl').length;
    const attempts: [string, object][] = [
      ['SIGNATURE_MISMATCH', dailyDelivery(body, { secret: STRANGER_SECRET })],
      ['SIGNATURE_MISMATCH', dailyDelivery(body, { secret: Buffer.from(DAILY_HMAC) })],
      ['SIGNATURE_MISMATCH', { ...good, body: Buffer.from(`${body} `) }],
      ['MISSING_SIGNATURE', { ...good, headers: unsigned }],
      ['MALFORMED_SIGNATURE', { ...good, headers: { ...good.headers, 'x-webhook-signature': 'c2hvcnQ=' } }],
      [
        'MALFORMED_SIGNATURE',
        { body: good.body, headers: [...Object.entries(good.headers), ['X-Webhook-Signature', signature]] }
      ],
      ['TIMESTAMP_OUT_OF_RANGE', dailyDelivery(body, { timestamp: Date.now() - 1_810_000 })],
      ['TIMESTAMP_OUT_OF_RANGE', dailyDelivery(body, { timestamp: Math.floor(Date.now() / 1000) + 1810 })],
      ['BAD_TIMESTAMP', dailyDelivery(body, { timestamp: 'now' })],
      ['UNPARSABLE_BODY', dailyDelivery('{"type":')],
      ['METHOD_NOT_ALLOWED', { ...good, method: 'GET' }]
    ];
    for (const [, request] of attempts) await instance.request('/daily', request);
    const told = (await refused(before + attempts.length)).slice(before);
    should(told.map(({ payload }) => (payload as { code: string }).code)).deepEqual(
      attempts.map(([code]) => code)
    );
    const statuses = told.map(({ payload }) => (payload as { status: number }).status);
    should(statuses).deepEqual([...Array<number>(9).fill(401), 400, 405]);
    const ids = (await settled()).map((message) => message.event?.['id']);
    should(ids).not.containEql('forged');
  });

  it("answers Daily's test request with 200, whatever its signature, and sends nothing on", async () => {
    const count = (await settled()).length;
    const forged = dailyDelivery(PROBE, { secret: STRANGER_SECRET });
    for (const path of ['/daily', '/bad-secret', '/no-account']) {
      for (const { body, headers } of [dailyDelivery(PROBE), forged, { ...forged, headers: {} }])
        should((await instance.request(path, { body, headers })).status).equal(200);
    }
    should((await deliver('{"test":"test","more":1}', { secret: STRANGER_SECRET })).status).equal(401);
    should(await settled()).have.length(count);
  });

  it('asks Daily to retry while there is no usable secret, and reports what is missing', async () => {
    for (const path of ['/bad-secret', '/no-account']) {
      const answer = await deliver(event('x'), {}, path);
      should([answer.status, Number(answer.headers['retry-after']) > 0]).deepEqual([503, true]);
    }
    const errors = (await instance.nodeRed.messages(3, { file: 'errors.jsonl' })).map(({ error }) => error);
    // The fault of the account reaches the Catch nodes of the node that uses it.
    should(errors.map((error) => error?.code).sort()).deepEqual([
      'BAD_PUBLIC_KEY',
      'BAD_PUBLIC_KEY',
      'NO_PUBLIC_KEY'
    ]);
    should(instance.nodeRed.log).not.containEql('not-base64!');
    should(instance.nodeRed.log).not.match(/MaxListenersExceeded/);
  });

  it('reads the secret from the environment when the account has none', async () => {
    should((await deliver(event('by-variable'), {}, '/variable')).status).equal(200);
    const stranger = await deliver(event('x'), { secret: STRANGER_SECRET }, '/variable');
    should(stranger.status).equal(401);
  });

  it('adds the exact bytes if enabled', async () => {
    const body = event('raw').replace('1790000123.5', '1790000123.500');
    await deliver(body, {}, '/raw');
    const [message] = await instance.nodeRed.messages(1, { file: 'raw.jsonl' });
    should(message?.['rawBody']).deepEqual({ base64: Buffer.from(body).toString('base64') });
  });

  it('one switch routes the events of both providers', async () => {
    const finished = {
      recording_id: 'a3d1b6a2-made-up',
      status: 'finished',
      room_name: 'made-up',
      start_ts: 1790000000
    };
    const daily = (type: string, payload: object = {}) =>
      dailyDelivery(JSON.stringify({ version: '1.0.0', type, id: type, payload, event_ts: 1790000123 }));
    const telnyx = (type: string, payload: object = {}) =>
      jsonDelivery(JSON.stringify({ data: { record_type: 'event', event_type: type, id: type, payload } }));
    const saved = { recording_id: 'b', recording_urls: { mp3: 'https://example.com/b.mp3' } };
    const expected: Record<string, string[]> = {
      stored: ['daily recording.ready-to-download', 'telnyx call.recording.saved'],
      meetings: ['daily meeting.started', 'telnyx meeting.session.status_changed'],
      people: ['daily participant.left'],
      recordings: ['daily recording.error', 'telnyx call.recording.error'],
      unknown: ['daily brand.new', 'telnyx call.brand-new'],
      rest: ['daily dialin.ready', 'telnyx call.hold']
    };
    for (const names of Object.values(expected)) {
      for (const name of names) {
        const [provider, type = ''] = name.split(' ');
        const delivery =
          provider === 'daily'
            ? daily(type, type.endsWith('download') ? finished : {})
            : telnyx(type, type.endsWith('saved') ? saved : {});
        const path = provider === 'daily' ? '/mixed' : '/telnyx-mixed';
        should((await instance.deliver(delivery, path)).status).equal(200);
      }
    }
    for (const [output, names] of Object.entries(expected)) {
      const seen = await instance.nodeRed.messages(names.length, { file: `${output}.jsonl` });
      should(seen.map((message) => `${String(message.event?.['provider'])} ${message.topic}`)).deepEqual(
        names
      );
    }
  });

  it('does not accept a delivery of Telnyx as one of Daily', async () => {
    should((await instance.deliver(jsonDelivery(holdEvent()), '/daily')).status).equal(401);
  });
});
