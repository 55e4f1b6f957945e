import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { dailyAccount, DAILY_HMAC, dailyDelivery, dailyWebhookIn } from '../support/daily';
import {
  DAILY_API_KEY,
  dailyServer,
  json,
  type DailyFaults,
  type DailyServer
} from '../support/daily-server';
import { catchAll, config, node, recorder, tab } from '../support/flows';
import type { RecordedMessage } from '../support/node-red-process';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';
import { mp4Media } from '../../src/simulator/media/media-mp4';

const MP4 = mp4Media({ title: 'made-up meeting', seconds: 3600, channels: 2 }).bytes();
/** Enough of a Matroska file to be recognised, and to be cut. */
const webm = (seed: string) =>
  Buffer.concat([
    Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d', 'hex'),
    Buffer.from(seed.repeat(5000))
  ]);

/** Faults that a recording survives, with the minimum number of requests for its file. */
const SURVIVED: Record<string, DailyFaults> = {
  'all-well': {},
  'not-for-daily': { linkText: 'Error: bucket not accessible' },
  'cut-twice': { media: ['cut', 'cut'] },
  stalled: { media: ['stall'] },
  busy: { media: ['busy'] },
  'link-over-by-its-date': { deadLinks: 1 },
  'link-over-for-the-storage': { media: ['expired'] },
  'too-many-requests': {
    api: [(response) => json(response, 429, { error: 'rate-limit-error' }, { 'retry-after': '1' })]
  },
  'api-down': {
    api: [(response) => json(response, 500, { error: 'server-error' }), (response) => response.destroy()]
  }
};

/** Faults that end it, with the code for Catch nodes. */
const FATAL: Record<string, [DailyFaults, code: string, message: RegExp]> = {
  'html-page': [{ media: ['html'] }, 'NOT_MEDIA', /an HTML page arrived/],
  'text-for-a-link': [{ linkText: 'Error: bucket not accessible' }, 'LINK_REFUSED', /bucket not accessible/],
  'not-there': [{}, 'API_NOT_FOUND', /404/],
  'key-revoked': [
    { api: [(response) => json(response, 401, { error: 'authentication-error' })] },
    'API_UNAUTHORIZED',
    /API key/
  ]
};

const ready = (id: string, more: object = {}, type = 'recording.ready-to-download') =>
  JSON.stringify({
    version: '1.0.0',
    type,
    id: `event of ${id}`,
    payload: {
      type: 'cloud',
      recording_id: id,
      room_name: 'Daily standup',
      max_participants: 2,
      start_ts: 1_790_000_123,
      status: 'finished',
      duration: 80,
      s3_key: id,
      tracks: null,
      ...more
    },
    event_ts: 1_790_000_300.5
  });

describe('a Daily recording', function () {
  this.timeout(60_000);
  let instance: WebhookInstance;
  let daily: DailyServer;
  const files = new Map<string, Buffer>();

  before(async () => {
    for (const id of [...Object.keys(SURVIVED), ...Object.keys(FATAL), 'audio', 'to-delete', 'twice'])
      files.set(id, MP4);
    files.delete('not-there');
    for (const track of ['1-cam-audio-9', '1-screen-video-9']) files.set(track, webm(track));
    daily = await dailyServer(files);
    for (const [id, faults] of Object.entries(SURVIVED)) daily.faults.set(id, faults);
    for (const [id, [faults]] of Object.entries(FATAL)) daily.faults.set(id, faults);
    const download = (id: string, properties: object) =>
      node(id, 'telnyx-recording-download', {
        account: '',
        dailyAccount: 'daily',
        dailyBucket: 'own-bucket',
        destination: 'folder',
        folder: 'archive',
        filename: '{{room_name}}/{{recording_id}}_{{track}}.{{ext}}',
        sidecar: true,
        stallTimeout: '0.5',
        network: 'any',
        wires: [['seen']],
        ...properties
      });
    instance = await WebhookInstance.start({
      flow: [
        tab(),
        dailyAccount({
          apiUrl: `${daily.url}/v1`,
          credentials: { hmac: DAILY_HMAC, apiKey: DAILY_API_KEY }
        }),
        config('own-bucket', 'telnyx-bucket', {
          endpoint: daily.url,
          region: '',
          bucket: 'tracks',
          prefix: 'not/for/tracks',
          forcePathStyle: true,
          sse: '',
          kmsKeyId: '',
          credentials: { accessKeyId: 'AKIAMADEUP', secretAccessKey: 'made-up-secret' }
        }),
        dailyWebhookIn({ wires: [['archive']] }),
        download('archive', {}),
        dailyWebhookIn({ id: 'deleting', path: '/deleting', wires: [['deleter']] }),
        download('deleter', { folder: 'deleted', deleteAtSource: true }),
        ...recorder(),
        ...catchAll()
      ]
    });
  });
  after(async () => {
    await instance.stop();
    await daily.close();
  });

  async function deliver(body: string, to = '/daily'): Promise<void> {
    should((await instance.deliver(dailyDelivery(body), to)).status).equal(200);
  }

  async function message(
    found: (message: RecordedMessage) => boolean,
    file?: string
  ): Promise<RecordedMessage> {
    return until('the message', () => instance.nodeRed.recorded(file).find(found), { deadline: 40_000 });
  }

  const stored = (id: string) => message(({ recording }) => recording?.['recording_id'] === id);
  const failed = (id: string) => message(({ event }) => event?.['id'] === `event of ${id}`, 'errors.jsonl');
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

  describe('is stored completely', () => {
    before(async () => {
      await Promise.all(Object.keys(SURVIVED).map((id) => deliver(ready(id))));
    });

    for (const id of Object.keys(SURVIVED)) {
      it(id, async () => {
        const { recording, payload } = await stored(id);
        should(readFileSync(String(payload)).equals(MP4)).equal(true);
        should(path.relative(instance.nodeRed.userDir, String(payload))).equal(
          path.join('archive', 'Daily standup', `${id}_unknown.mp4`)
        );
        const sidecar = JSON.parse(readFileSync(`${String(payload)}.json`, 'utf8')) as Record<
          string,
          unknown
        >;
        const expected = {
          provider: 'daily',
          recording_id: id,
          format: 'mp4',
          size: MP4.length,
          sha256: sha256(MP4),
          room_name: 'Daily standup',
          duration_seconds: 80,
          max_participants: 2,
          started_at: '2026-09-21T14:15:23.000Z',
          source_host: new URL(daily.url).host
        };
        for (const told of [recording, sidecar]) {
          should(told).containDeep(expected);
          should(JSON.stringify(told)).not.match(/secret|X-Amz|made-up-daily-api-key/);
        }
      });
    }

    it('through links that are used byte for byte, without the key', () => {
      const media = daily.seen.filter(({ line }) => line.startsWith('GET /media/'));
      for (const { line, authorization } of media) {
        should(line).endWith('&X-Amz-Signature=secret&x-id=GetObject&odd=%7e+%2B&a=1');
        should(authorization).equal(undefined);
      }
    });

    it('from the customer bucket, when Daily may not read it', () => {
      const asked = daily.seen.filter(({ line }) => /^GET \/tracks\/not-for-daily\?/.test(line));
      should(asked).have.length(1);
    });

    it('resuming where it was cut', async () => {
      should((await stored('cut-twice')).recording).have.properties({ resumed: true, attempts: 3 });
    });
  });

  it('cloud-audio-only has the format of its bytes, and the API adds what the event lacks', async () => {
    const lacking = { room_name: undefined, max_participants: undefined, duration: undefined };
    await deliver(ready('audio', { type: 'cloud-audio-only', ...lacking }));
    should((await stored('audio')).recording).have.properties({
      format: 'mp4',
      sha256: sha256(MP4),
      room_name: 'from the API',
      max_participants: 4,
      duration_seconds: 61
    });
  });

  describe('is not stored, and Catch nodes receive the reason', () => {
    for (const [id, [, code, text]] of Object.entries(FATAL)) {
      it(`${id}: ${code}`, async () => {
        await deliver(ready(id, { s3_key: undefined }));
        const { error } = await failed(id);
        should(error?.code).equal(code);
        should(error?.message)
          .match(text)
          .and.not.match(/X-Amz|made-up-daily-api-key/);
        const folder = path.join(instance.nodeRed.userDir, 'archive', 'Daily standup');
        should(existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(id)) : []).deepEqual(
          []
        );
      });
    }

    it('raw tracks without any track: NO_RECORDING', async () => {
      for (const [id, tracks] of [
        ['null-tracks', null],
        ['no-tracks', []]
      ] as const) {
        await deliver(ready(id, { type: 'raw-tracks', tracks }));
        const { error } = await failed(id);
        should(error?.code).equal('NO_RECORDING');
        should(error?.message).match(/has no tracks/);
      }
    });

    it('recording.error has no recording', async () => {
      const payload = { type: undefined, recording_id: undefined, s3_key: undefined, status: undefined };
      await deliver(ready('broken', { ...payload, error_msg: 'made-up' }, 'recording.error'));
      should((await failed('broken')).error?.code).equal('NO_RECORDING');
    });
  });

  it('raw tracks come from the customer bucket, each as a file', async () => {
    const tracks = [
      { type: 'audio', s3Key: '1-cam-audio-9', size: 1 },
      { type: 'video', s3key: '1-screen-video-9', size: 1 }
    ];
    daily.faults.set('1-cam-audio-9', { media: ['cut'] });
    await deliver(ready('tracked', { type: 'raw-tracks', tracks }));
    await stored('tracked');
    const found = await until('both tracks', () => {
      const all = instance.nodeRed
        .recorded()
        .filter(({ recording }) => recording?.['recording_id'] === 'tracked');
      return all.length === 2 ? all : undefined;
    });
    for (const [index, key] of ['1-cam-audio-9', '1-screen-video-9'].entries()) {
      const { recording, payload, parts } = found[index] as RecordedMessage & { parts: object };
      should(readFileSync(String(payload)).equals(webm(key))).equal(true);
      should(recording).have.properties({ track: key, format: 'webm', room_name: 'Daily standup' });
      should(parts).have.properties({ index, count: 2 });
      should(path.basename(String(payload))).equal(`tracked_${key}.webm`);
    }
    const asked = daily.seen.filter(({ line }) => line.startsWith('GET /tracks/'));
    should(asked.length).equal(3);
    for (const { line, authorization } of asked) {
      should(line).match(/^GET \/tracks\/1-[a-z-]+-9\?X-Amz-Algorithm=.*&X-Amz-Signature=[0-9a-f]{64}$/);
      should(authorization).equal(undefined);
    }
    should(daily.seen.filter(({ line }) => line.includes('tracked/access-link'))).be.empty();
  });

  it('is deleted at Daily once it is safely stored', async () => {
    await deliver(ready('to-delete'), '/deleting');
    const { recording } = await stored('to-delete');
    should(recording?.['deleted_at_source']).be.a.String();
    const lines = daily.seen.map(({ line }) => line).filter((line) => line.includes('/to-delete'));
    should(lines.at(-1)).equal('DELETE /v1/recordings/to-delete');
  });

  it('the same recording again is stored once', async () => {
    await deliver(ready('twice'));
    const first = await stored('twice');
    const again = JSON.parse(ready('twice')) as Record<string, unknown>;
    await deliver(JSON.stringify({ ...again, id: 'another event' }));
    const repeated = await message(({ event }) => event?.['id'] === 'another event');
    should(first.recording).have.property('already_stored', false);
    should(repeated.recording).have.property('already_stored', true);
    should(repeated.payload).equal(first.payload);
  });
});
