import { readFileSync } from 'node:fs';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import should from 'should';
import { S3_USER } from '../support/ceph';
import { jsonDelivery } from '../support/deliveries';
import { catchAll, config, node } from '../support/flows';
import { type LocalServer, localServer, sha256, wav } from '../support/media';
import type { FlowNode, RecordedMessage } from '../support/node-red-process';
import { type Fault, S3Server } from '../support/s3-server';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

const API_KEY = 'KEY0123456789ABCDEF0123456789ABCDEF';
const CALL = wav({ seconds: 30, channels: 2, seed: 5 });

const saved = (id: string, url: string): string =>
  JSON.stringify({
    data: {
      record_type: 'event',
      event_type: 'call.recording.saved',
      id: `event of ${id}`,
      occurred_at: '2026-05-06T07:08:09.100Z',
      payload: { recording_id: id, recording_urls: { wav: url }, public_recording_urls: {} }
    }
  });

describe('recordings in custom storage of Telnyx, in a real Node-RED', function () {
  this.timeout(300_000);
  let store: S3Server;
  let api: LocalServer;
  let instance: WebhookInstance;
  let deletions: string[];
  let start: (own: string, more?: object, extra?: FlowNode[]) => Promise<void>;

  beforeEach(async function () {
    store = await S3Server.start(this);
    deletions = [];
    api = await localServer(({ method, url = '' }, response) => {
      if (method === 'DELETE') deletions.push(url);
      response.writeHead(method === 'DELETE' ? 200 : 404, { 'content-type': 'application/json' });
      response.end(method === 'DELETE' ? '{"data":{}}' : '{"errors":[]}');
    });
    const bucket = config('bucket', 'telnyx-bucket', {
      ...{ endpoint: store.url, bucket: store.bucket, prefix: 'not-used', forcePathStyle: true },
      credentials: S3_USER
    });
    start = async (own, more = {}) => {
      const download = node('archive', 'telnyx-recording-download', {
        ...{ account: 'account', destination: 'folder', folder: 'archive', dailyBucket: own },
        ...{ filename: '{{recording_id}}.{{ext}}', network: 'public-https', retries: '3' },
        wires: [['seen']],
        ...more
      });
      const account = { apiUrl: `${api.url}/v2`, credentials: { apiKey: API_KEY } };
      const flow = webhookFlow({ wires: [['archive']] }, [bucket, download, ...catchAll()]).map((each) =>
        each.id === 'account' ? { ...each, ...account } : each
      );
      instance = await WebhookInstance.start({ flow });
    };
  });
  afterEach(async () => {
    await instance.stop();
    await Promise.all([store.close(), api.close()]);
  });

  const put = async (key: string, body: Buffer = CALL): Promise<void> => {
    await store.direct.send(new PutObjectCommand({ Bucket: store.bucket, Key: key, Body: body }));
  };

  async function outcome(id: string, url: string, file?: string): Promise<RecordedMessage> {
    should((await instance.deliver(jsonDelivery(saved(id, url)))).status).equal(200);
    const find = ({ event }: RecordedMessage): boolean => event?.['id'] === `event of ${id}`;
    return await until(`what became of ${id}`, () => instance.nodeRed.recorded(file).find(find), {
      deadline: 150_000
    });
  }

  const nothingSecret = (): void =>
    void should(instance.nodeRed.log).not.match(/X-Amz|Signature=|test-secret|KEY0123/);

  it('are read with the key of the own bucket, wherever that is, and stay there', async () => {
    const keys = ['2026-05-06/leg 1+2.wav', 'rec-2', 'rec-3'];
    for (const key of keys) await put(key);
    await start('bucket', { deleteAtSource: true });
    const address = `${store.url}/${store.bucket}`;
    const old = 'X-Amz-Date=20260101T000000Z&X-Amz-Expires=600&X-Amz-Signature=00';
    const urls = [`s3://${store.bucket}/${keys[0]}`, `${address}/rec-2`, `${address}/rec-3?${old}`];
    for (const [index, url] of urls.entries()) {
      const { recording, payload } = await outcome(`rec-${index}`, url);
      should(sha256(readFileSync(String(payload)))).equal(sha256(CALL));
      should(recording).have.properties({
        sha256: sha256(CALL),
        source_host: new URL(store.url).host,
        attempts: 1,
        deleted_at_source: null
      });
    }
    await instance.nodeRed.waitForLog(/not deleted at the source.*It is in a bucket of your own/);
    // The text of a recording says nothing of where the recording is.
    const text = { recording_id: 'rec-0', transcription_text: 'hello', status: 'completed' };
    const event = JSON.parse(saved('text', '')) as { data: Record<string, unknown> };
    Object.assign(event.data, { event_type: 'call.recording.transcription.saved', payload: text });
    await instance.deliver(jsonDelivery(JSON.stringify(event)));
    await until('the text', () =>
      instance.nodeRed.recorded().find((message) => message.event?.['id'] === 'event of text')
    );
    should(deletions).eql([]);
    should(await store.keys()).eql([...keys].sort());
    nothingSecret();
  });

  it('are stored beside it in the same bucket, and not deleted either', async () => {
    await put('calls/rec-1.wav');
    await start('', { destination: 'bucket', bucket: 'bucket', network: 'any', deleteAtSource: true });
    // Telnyx signs links to such a store itself.
    const { recording } = await outcome('rec-1', `s3://${store.bucket}/calls/rec-1.wav`, 'errors.jsonl').then(
      async ({ error }) => {
        should(error).have.property('code', 'UNSUPPORTED_URL');
        should(error?.message).match(/Choose a bucket node for exactly that bucket as "Own bucket"/);
        await instance.stop();
        await start('bucket', { destination: 'bucket', bucket: 'bucket', deleteAtSource: true });
        return outcome('rec-1', `s3://${store.bucket}/calls/rec-1.wav`);
      }
    );
    should(recording).have.properties({ key: 'not-used/rec-1.wav', deleted_at_source: null });
    should(sha256(await store.bytes('not-used/rec-1.wav'))).equal(sha256(CALL));
    should(deletions).eql([]);
  });

  it('of another bucket, or elsewhere on the network, are not read with its key', async () => {
    await start('bucket');
    for (const [id, url, code] of [
      ['other', 's3://other-bucket/rec', 'UNSUPPORTED_URL'],
      ['google', `gs://xyz/rec`, 'UNSUPPORTED_URL'],
      ['beside', `${store.url}/other-bucket/rec?X-Amz-Signature=secret`, 'UNSAFE_URL'],
      ['up', `s3://${store.bucket}/a/../../other-bucket/rec`, 'UNSAFE_URL'],
      ['private', 'http://127.0.0.1:9/rec', 'UNSAFE_URL']
    ] as const) {
      const { error } = await outcome(id, url, 'errors.jsonl');
      should(error).have.property('code', code);
    }
    should(store.calls).eql([]);
    nothingSecret();
  });

  const faults: [string, Fault, object][] = [
    ['that come late', { answer: 404, code: 'NoSuchKey' }, {}],
    ['that may not be read yet', { answer: 403, code: 'AccessDenied' }, {}],
    ['that break off in the middle', 'half', { resumed: true }],
    ['of a store that is busy', { answer: 503, code: 'SlowDown' }, {}]
  ];
  for (const [what, fault, more] of faults) {
    it(`are stored in the end: ones ${what}`, async () => {
      await put('rec-1');
      let left = 1;
      store.fault = ({ name }) => (name === 'GetObject' && left-- > 0 ? fault : undefined);
      await start('bucket');
      const { recording } = await outcome('rec-1', `s3://${store.bucket}/rec-1`);
      should(recording).have.properties({ sha256: sha256(CALL), attempts: 2, ...more });
      nothingSecret();
    });
  }

  it('are given up when they never come', async () => {
    await start('bucket', { retries: '1', deleteAtSource: true });
    const { error } = await outcome('rec-1', `s3://${store.bucket}/rec-1`, 'errors.jsonl');
    should(error).have.property('code', 'GAVE_UP');
    should(error?.message).match(/404 \(NoSuchKey\): the file is not there, or not yet/);
    should(deletions).eql([]);
    nothingSecret();
  });
});
