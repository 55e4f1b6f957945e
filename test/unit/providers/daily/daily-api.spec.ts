import should from 'should';
import { completeDailyDetails } from '../../../../src/providers/daily/complete-details';
import { deleteAtDaily } from '../../../../src/providers/daily/delete-at-source';
import { createDailyLinkResolver } from '../../../../src/providers/daily/link-resolver';
import type { CodedError } from '../../../../src/errors/coded-error';
import { DAILY_KEY, dailyReference, DailyServer, LINK, recordingObject } from './daily-fixture';

const ACCESS = 'GET /v1/recordings/rec-1/access-link';
const OBJECT = 'GET /v1/recordings/rec-1';
const DELETE = 'DELETE /v1/recordings/rec-1';
const never = new AbortController().signal;

async function faultOf(work: Promise<unknown>): Promise<CodedError> {
  try {
    const result = await work;
    throw new Error(`It worked: ${JSON.stringify(result)}`);
  } catch (error) {
    should(error).have.property('code');
    should((error as CodedError).message).not.containEql(DAILY_KEY);
    return error as CodedError;
  }
}

describe("Daily's API", () => {
  let daily: DailyServer;
  const bucket = { link: (key: string) => Promise.resolve(`https://bucket.example.com/${key}?signed`) };

  beforeEach(async () => {
    daily = await DailyServer.start();
  });
  afterEach(() => daily.stop());

  const resolver = (options: object = {}) =>
    createDailyLinkResolver({ api: daily.api, bucket: null, ...options });

  it('lists at the pace that Daily allows for lists, and sends other requests meanwhile', async () => {
    const list = { method: 'GET', path: ['recordings'] } as const;
    daily.server.json('GET /v1/recordings', { data: [] });
    daily.server.json(OBJECT, recordingObject());
    await Promise.all(Array.from({ length: 45 }, () => daily.api.request({ ...list, signal: never })));
    const stop = new AbortController();
    const tooEarly = daily.api.request({ ...list, signal: stop.signal });
    await daily.api.request({ method: 'GET', path: ['recordings', 'rec-1'], signal: never });
    stop.abort(new Error('enough'));
    await tooEarly.should.be.rejectedWith('enough');
    should(daily.server.lines.filter((line) => line === 'GET /v1/recordings')).have.length(45);
  });

  it('sends at most 90 requests in five seconds', async () => {
    daily.server.json(OBJECT, recordingObject());
    const ask = (signal = never) =>
      daily.api.request({ method: 'GET', path: ['recordings', 'rec-1'], signal });
    await Promise.all(Array.from({ length: 90 }, () => ask()));
    const stop = new AbortController();
    const tooEarly = ask(stop.signal);
    // Lists have their own pace, and wait for no other requests.
    daily.server.json('GET /v1/recordings', { data: [] });
    await daily.api.request({ method: 'GET', path: ['recordings'], signal: never });
    stop.abort(new Error('enough'));
    await tooEarly.should.be.rejectedWith('enough');
    should(daily.server.lines.filter((line) => line === OBJECT)).have.length(90);
  });

  describe('links', () => {
    it('returns the link byte for byte, and sends the key only to the API', async () => {
      daily.server.json(ACCESS, { download_link: LINK, expires: 1772619302 });
      for (const why of ['missing', 'dead'] as const)
        should(await resolver()(dailyReference(), why, never)).deepEqual([
          { format: null, url: LINK, sha256: null, size: null }
        ]);
      should(daily.server.seen.map(({ authorization }) => authorization)).deepEqual([
        `Bearer ${DAILY_KEY}`,
        `Bearer ${DAILY_KEY}`
      ]);
    });

    for (const text of [
      'Error: the bucket denied access',
      `https is what it needs: ${'x'.repeat(400)}`,
      'see https://example.com/help?token=secret for\nmore',
      'https://example.com/help?token=secret tells why there is none',
      'ftp://example.com/a',
      '',
      null,
      42,
      'https://'
    ]) {
      it(`rejects ${JSON.stringify(text).slice(0, 50)} as a link`, async () => {
        daily.server.json(ACCESS, { download_link: text });
        const fault = await faultOf(resolver()(dailyReference(), 'missing', never));
        should([fault.code, fault.retryable]).deepEqual(['LINK_REFUSED', false]);
        should(fault.message.length).be.below(420);
        should(fault.message).not.match(/secret|\n/);
        if (text === 'Error: the bucket denied access') should(fault.message).containEql(text);
      });
    }

    const answers: [number, object, string, boolean][] = [
      [400, { error: 'authorization-header-error', info: 'no bearer' }, 'API_UNAUTHORIZED', false],
      [401, { error: 'authentication-error' }, 'API_UNAUTHORIZED', false],
      [403, { error: 'forbidden-error' }, 'API_UNAUTHORIZED', false],
      [400, { error: 'invalid-request-error', info: 'not finished' }, 'LINK_REFUSED', false],
      [404, { error: 'not-found' }, 'API_NOT_FOUND', false],
      [429, { error: 'rate-limit-error' }, 'RATE_LIMITED', true],
      [400, { error: 'rate-limit-error' }, 'RATE_LIMITED', true],
      [500, { error: 'server-error' }, 'LINK_REFUSED', true],
      [200, { error: 'server-error' }, 'LINK_REFUSED', false]
    ];
    for (const [status, body, code, retryable] of answers) {
      it(`reports ${code} for ${status} ${JSON.stringify(body)}`, async () => {
        daily.server.json(ACCESS, body, status);
        const fault = await faultOf(resolver()(dailyReference(), 'missing', never));
        should([fault.code, fault.retryable]).deepEqual([code, retryable]);
      });
    }

    it('obeys Retry-After, and sends no request until then', async () => {
      daily.server.json(ACCESS, { error: 'rate-limit-error' }, 429, { 'retry-after': '7' });
      const first = await faultOf(resolver()(dailyReference(), 'missing', never));
      should(first.retryAfterMs).equal(7000);
      const second = await faultOf(resolver()(dailyReference(), 'missing', never));
      should(second.code).equal('RATE_LIMITED');
      should(daily.server.seen).have.length(1);
    });

    it('first checks whether a file exists when no event announced one', async () => {
      const named = dailyReference({ event_type: null }, { storage_key: null });
      daily.server.json(ACCESS, { download_link: LINK });
      daily.server.json(OBJECT, recordingObject({ status: 'in-progress' }));
      const running = await faultOf(resolver()(named, 'missing', never));
      should([running.code, running.retryable]).deepEqual(['LINK_REFUSED', true]);
      daily.server.json(OBJECT, recordingObject({ status: 'canceled' }));
      daily.server.json(OBJECT, recordingObject({ tracks: [{ s3key: 'a' }, { s3key: 'b' }] }));
      daily.server.json(OBJECT, recordingObject());
      await faultOf(resolver()(named, 'missing', never));
      should((await faultOf(resolver()(named, 'missing', never))).message).match(/canceled/);
      should((await faultOf(resolver()(named, 'missing', never))).message).match(/2 raw tracks/);
      should((await resolver()(named, 'missing', never))[0]?.url).equal(LINK);
    });

    it('never mistakes another recording for the requested one', async () => {
      daily.server.json(OBJECT, recordingObject({ id: 'rec-2' }));
      const fault = await faultOf(resolver()(dailyReference({ event_type: null }), 'missing', never));
      should(fault.code).equal('LINK_REFUSED');
    });

    for (const id of ['../rooms', 'a/b', '..', 'a?b', 'a%2fb'])
      it(`does not request the id ${id}`, async () => {
        const fault = await faultOf(resolver()(dailyReference({ recording_id: id }), 'missing', never));
        should(fault.code).equal('NO_RECORDING');
        should(daily.server.seen).be.empty();
      });

    it('finds raw tracks in the bucket, without asking Daily', async () => {
      const track = dailyReference(
        { track: 'a-cam-audio' },
        { kind: 'track', storage_key: 'd/r/a-cam-audio' }
      );
      const [link] = await resolver({ bucket, api: null })(track, 'missing', never);
      should(link?.url).equal('https://bucket.example.com/d/r/a-cam-audio?signed');
      const missing = await faultOf(resolver()(track, 'missing', never));
      should(missing.code).equal('NO_RECORDING');
      should(missing.message).match(/Own bucket/);
      should((await faultOf(resolver()(track, 'dead', never))).code).equal('LINK_EXPIRED');
      should(daily.server.seen).be.empty();
    });

    it('reports a track without a key, and sends nothing for a key that no URL can contain', async () => {
      const link = (storage_key: string | null) =>
        resolver({ bucket })(dailyReference({}, { kind: 'track', storage_key }), 'missing', never);
      const keyless = await faultOf(link(null));
      should([keyless.code, /without its key/.test(keyless.message)]).deepEqual(['NO_RECORDING', true]);
      for (const key of ['../private/a', 'd/../../a', 'd/./a', 'd/..', '.', 'd/\ud800-cam-audio']) {
        const fault = await faultOf(link(key));
        should([key, fault.code, fault.retryable]).deepEqual([key, 'UNSAFE_URL', false]);
      }
      for (const key of [
        'd/..a',
        'd/a..b/c...',
        '.hidden',
        'd/Zo\u00eb \ud83c\udfa5',
        '/d//a',
        'a?b=c#d%2e%2e'
      ])
        should((await link(key))[0]?.url).equal(`https://bucket.example.com/${key}?signed`);
      should(daily.server.seen).be.empty();
    });

    it('finds a recording in the customer bucket when Daily may not read it', async () => {
      daily.server.json(ACCESS, { download_link: 'no access to the bucket' });
      const [link] = await resolver({ bucket })(dailyReference(), 'missing', never);
      should(link?.url).equal('https://bucket.example.com/made-up/standup/1?signed');
      daily.server.status(ACCESS, 401);
      daily.server.status(ACCESS, 401);
      await resolver({ bucket })(dailyReference(), 'missing', never);
      const fault = await faultOf(resolver({ bucket })(dailyReference(), 'missing', never));
      should(fault.code).equal('API_UNAUTHORIZED');
    });

    it('reports what is missing: key, account, name', async () => {
      const keyless = await DailyServer.start({ apiKey: () => null });
      const links = createDailyLinkResolver({ api: keyless.api, bucket: null });
      should((await faultOf(links(dailyReference(), 'missing', never))).message).match(/API key/);
      await keyless.stop();
      should((await faultOf(resolver({ api: null })(dailyReference(), 'missing', never))).code).equal(
        'NO_RECORDING'
      );
      const nameless = dailyReference({ recording_id: null }, { storage_key: null });
      should((await faultOf(resolver()(nameless, 'missing', never))).code).equal('NO_RECORDING');
      should(await resolver()(nameless, 'dead', never)).deepEqual([]);
      should(await resolver()(dailyReference({ provider: 'telnyx' }), 'missing', never)).deepEqual([]);
    });
  });

  describe('details', () => {
    it('adds what the event lacks, and overrides nothing', async () => {
      daily.server.json(OBJECT, recordingObject());
      const given = dailyReference({ room_name: 'as the event says' });
      const { details } = given;
      should(await completeDailyDetails(daily.api, given, never)).deepEqual({
        ...details,
        started_at: '2026-03-04T09:15:02.000Z',
        duration_seconds: 80,
        max_participants: 3,
        mtg_session_id: 'mtg-1'
      });
    });

    it('sends no request when everything is known, or nothing can be', async () => {
      const all = { room_name: 'a', started_at: 'b', duration_seconds: 1, max_participants: 1 };
      const { api } = daily;
      for (const each of [all, { recording_id: null }, { provider: 'telnyx' as const }]) {
        const given = dailyReference(each);
        should(await completeDailyDetails(api, given, never)).equal(given.details);
      }
      should(await completeDailyDetails(null, dailyReference(), never)).deepEqual(dailyReference().details);
      should(daily.server.seen).be.empty();
    });

    it('does not delay a recording', async () => {
      daily.server.status(OBJECT, 404).status(OBJECT, 429).status(OBJECT, 500);
      const given = dailyReference();
      const before = structuredClone(given.details);
      should(await completeDailyDetails(daily.api, given, never)).equal(given.details);
      // The caller decides what can wait.
      for (const code of ['RATE_LIMITED', 'LINK_REFUSED']) {
        const fault = await faultOf(completeDailyDetails(daily.api, given, never));
        [fault.code, fault.retryable].should.eql([code, true]);
      }
      should(given.details).eql(before);
    });
  });

  describe('deletion', () => {
    it('deletes a recording, and treats a missing one as deleted', async () => {
      daily.server.json(DELETE, { deleted: true, id: 'rec-1' });
      should(await deleteAtDaily(daily.api, dailyReference(), never)).deepEqual({
        ok: true,
        already_gone: false
      });
      should(await deleteAtDaily(daily.api, dailyReference({ recording_id: 'gone' }), never)).deepEqual({
        ok: true,
        already_gone: true
      });
    });

    for (const answer of [
      {},
      { deleted: false, id: 'rec-1' },
      { deleted: 'true' },
      [],
      { error: 'none' },
      { deleted: true, id: 'rec-2' }
    ])
      it(`does not trust ${JSON.stringify(answer)}`, async () => {
        daily.server.json(DELETE, answer);
        should(await deleteAtDaily(daily.api, dailyReference(), never)).have.property('ok', false);
      });

    it('trusts a confirmation without an id', async () => {
      daily.server.json(DELETE, { deleted: true });
      should(await deleteAtDaily(daily.api, dailyReference(), never)).have.property('ok', true);
    });

    it('reports that the file in a customer bucket stays', async () => {
      daily.server.json(DELETE, { deleted: true, id: 'rec-1', s3_bucket: 'made-up', s3_key: 'a' });
      const own = await deleteAtDaily(daily.api, dailyReference(), never);
      should(own).have.property('ok', false);
      should(own)
        .have.property('message')
        .match(/not deleted/);
      const track = await deleteAtDaily(daily.api, dailyReference({}, { kind: 'track' }), never);
      should(track).have.property('ok', false);
      should(daily.server.lines).deepEqual([DELETE]);
    });

    it('deletes nothing without a key, for a path, or after a rejection', async () => {
      should(await deleteAtDaily(null, dailyReference(), never)).have.property('ok', false);
      should(await deleteAtDaily(daily.api, dailyReference({ recording_id: null }), never)).have.property(
        'ok',
        false
      );
      const odd = await faultOf(
        deleteAtDaily(daily.api, dailyReference({ recording_id: '../rooms/a' }), never)
      );
      should(odd.code).equal('NO_RECORDING');
      daily.server.status(DELETE, 401);
      should((await faultOf(deleteAtDaily(daily.api, dailyReference(), never))).code).equal(
        'API_UNAUTHORIZED'
      );
    });
  });
});
