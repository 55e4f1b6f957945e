import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import should from 'should';
import { readBucket, type BucketConfig } from '../../nodes/config/bucket/bucket-access';
import telnyxAccount from '../../nodes/telnyx-account';
import telnyxBucket from '../../nodes/telnyx-bucket';
import recordingDownload from '../../nodes/telnyx-recording-download';
import { S3_USER } from '../support/ceph';
import { account, config, node, tab } from '../support/flows';
import { localServer, sha256, wav, type LocalServer } from '../support/media';
import { loadedNode } from '../support/node-helper';
import { S3Server } from '../support/s3-server';
import { NodeStage } from './node-stage';

const bytes = wav({ seconds: 200, channels: 2 });

describe('telnyx-bucket', () => {
  let stage: NodeStage | undefined;
  let server: S3Server | undefined;
  let media: LocalServer;

  beforeEach(async () => {
    media = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
    });
  });
  afterEach(async () => {
    await stage?.unload();
    stage = undefined;
    await server?.close();
    server = undefined;
    await media.close();
  });

  async function start(
    bucket: object,
    download: object = {},
    credentials: object = S3_USER
  ): Promise<NodeStage> {
    stage = await NodeStage.load(
      [telnyxAccount, telnyxBucket, recordingDownload],
      [
        tab(),
        account({ apiUrl: `${media.url}/v2` }),
        config('bucket', 'telnyx-bucket', { ...bucket }),
        node('download', 'telnyx-recording-download', {
          account: 'account',
          destination: 'bucket',
          bucket: 'bucket',
          network: 'any',
          retries: '0',
          wires: [['stored']],
          ...download
        }),
        node('stored', 'recorder'),
        node('catch', 'catch', { scope: null, wires: [['caught']] }),
        node('caught', 'recorder')
      ],
      { credentials: { bucket: { ...credentials } } }
    );
    return stage;
  }

  const saved = () => ({
    topic: 'call.recording.saved',
    event: {
      provider: 'telnyx',
      event_type: 'call.recording.saved',
      id: 'evt-1',
      body: {
        data: {
          payload: {
            recording_id: 'rec-1',
            channels: 'dual',
            recording_started_at: '2026-03-04T09:15:02.118204Z',
            recording_urls: { wav: `${media.url}/rec.wav` },
            public_recording_urls: {}
          }
        }
      }
    },
    payload: {}
  });

  describe('with a server', () => {
    beforeEach(async function () {
      server = await S3Server.start(this);
    });

    it('gets the recordings of a download node, and the message contains their location', async () => {
      const { bucket, url } = server!;
      await start({ endpoint: url, bucket, prefix: 'calls', forcePathStyle: true });
      loadedNode('download').receive(saved());
      const [message] = await stage!.messages('stored', 1);
      const key = 'calls/2026/03/04/20260304T091502Z_rec-1_dual.wav';
      should(message).have.property('payload', `s3://${bucket}/${key}`);
      should(message!['recording']).have.properties({
        destination: 'bucket',
        bucket,
        key,
        sidecar: `s3://${bucket}/${key}.json`,
        sha256: sha256(bytes),
        size: bytes.length,
        already_stored: false
      });
      should(message!['recording']).not.have.property('path');
      should(await server!.keys()).eql([key, `${key}.json`]);
      should(sha256(await server!.bytes(key))).equal(sha256(bytes));
      const sidecar: unknown = JSON.parse((await server!.bytes(`${key}.json`)).toString());
      should(sidecar).eql(message!['recording']);

      loadedNode('download').receive(saved());
      const [, second] = await stage!.messages('stored', 2);
      should(second!['recording']).have.properties({ already_stored: true, bucket, key });
      should(await server!.keys()).have.length(2);
      should(stage!.log().join('\n')).not.match(new RegExp(S3_USER.secretAccessKey));
    });

    it('reports what is wrong to Catch nodes, without secrets', async () => {
      const secretAccessKey = 'not-the-secret-of-this-key';
      const { bucket, url } = server!;
      await start(
        { endpoint: url, bucket, forcePathStyle: true },
        {},
        { accessKeyId: S3_USER.accessKeyId, secretAccessKey }
      );
      loadedNode('download').receive(saved());
      await stage!.until('the error', () => stage!.caught.length > 0);
      should(stage!.caught[0]).have.property('code', 'GAVE_UP');
      should(stage!.caught[0]!.message).match(/secret access key does not belong/);
      const told = JSON.stringify([stage!.received('caught'), stage!.statuses, stage!.log()]);
      should(told.includes(secretAccessKey)).be.false();
      should(told.includes(S3_USER.accessKeyId)).be.false();
    });
  });

  for (const [what, bucket, download] of [
    ['no name', { bucket: '' }, {}],
    ['a prefix that leads elsewhere', { bucket: 'my-recordings', prefix: '../x' }, {}],
    ['no bucket chosen', { bucket: 'my-recordings' }, { bucket: '' }],
    ['a bucket that is missing', { bucket: 'my-recordings' }, { bucket: 'gone' }]
  ] as const) {
    it(`is rejected when deployed with ${what}`, async () => {
      await start(bucket, download);
      await stage!.until('the error', () =>
        stage!.caught.some(({ code, source }) => code === 'BAD_SETTING' && source.id === 'download')
      );
      should(stage!.status('download')?.fill).equal('red');
      const own = stage!.caught.filter(({ source }) => source.id === 'bucket');
      if ('bucket' in download) should(own).be.empty();
    });
  }

  describe('the dialog', () => {
    interface Property {
      value: unknown;
      required?: boolean;
      validate?: (this: object, value: unknown, opt: object) => true | string;
    }
    const html = readFileSync(path.join(__dirname, '../../dist/nodes/telnyx-bucket.html'), 'utf8');
    const script = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
    let defaults: Record<string, Property> = {};
    // A function of every browser.
    runInNewContext(script, {
      URL,
      TextEncoder,
      RED: {
        nodes: {
          registerType: (_type: string, registered: { defaults: Record<string, Property> }) => {
            defaults = registered.defaults;
          }
        }
      }
    });
    const GOOD = { bucket: 'my-recordings' };

    for (const [field, values] of Object.entries({
      endpoint: [
        '',
        'https://s3.example.com',
        'http://192.0.2.7:9000',
        's3.example.com',
        'https://a:b@example.com',
        'https://example.com/?a'
      ],
      region: ['', 'eu-central-1', 'garage', 'eu central', 'a/b'],
      bucket: ['', 'abc', 'My_old.Bucket', 'a', 'a/b', 'a..b', 'x'.repeat(64)],
      prefix: [
        '',
        'calls',
        '/calls/',
        'calls/2026',
        '.hidden/x..y',
        '..',
        'a/../b',
        'a//b',
        './a',
        'a/.',
        'a\\b',
        'a\u0000'
      ],
      kmsKeyId: ['', 'alias/archive']
    })) {
      for (const value of values) {
        it(`validates the ${field} ${JSON.stringify(value)} like the runtime`, () => {
          const fields = { ...GOOD, [field]: value } as unknown as BucketConfig;
          let accepted = true;
          try {
            readBucket(fields, {});
          } catch {
            accepted = false;
          }
          const said = defaults[field]!.validate!.call(
            { ...fields, type: 'telnyx-bucket', _: (key: string) => key },
            value,
            {}
          );
          should(said === true).equal(accepted, String(said));
        });
      }
    }

    it('leaves environment variables to the runtime', () => {
      for (const [field, { validate }] of Object.entries(defaults)) {
        if (validate)
          should(validate.call({ type: 'telnyx-bucket', _: () => field }, '${SOME_NAME}', {})).equal(
            true,
            field
          );
      }
    });
  });
});
