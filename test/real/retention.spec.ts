import { DeleteObjectCommand, GetObjectRetentionCommand } from '@aws-sdk/client-s3';
import should from 'should';
import { S3_USER } from '../support/ceph';
import { jsonDelivery } from '../support/deliveries';
import { catchAll, config, node } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import type { RecordedMessage } from '../support/node-red-process';
import { S3Server } from '../support/s3-server';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

const CALL = wav({ seconds: 3, channels: 2, seed: 5 });
const KEY = 'calls/rec-1.wav';
const DAY = 86_400_000;

describe('a retention with a lock, in a real Node-RED', function () {
  this.timeout(120_000);
  let server: S3Server;
  let media: LocalServer;
  let instance: WebhookInstance | undefined;

  beforeEach(async function () {
    server = await S3Server.start(this, { locked: true });
    media = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': CALL.length }).end(CALL);
    });
  });
  afterEach(async () => {
    await instance?.stop();
    instance = undefined;
    await media.close();
    await server.close();
  });

  /** @returns the date until which a recording that begins now is kept */
  async function deliver(): Promise<string> {
    const flow = webhookFlow({ reply: 'flow', wires: [['archive']] }, [
      config('bucket', 'telnyx-bucket', {
        ...{ endpoint: server.url, bucket: server.bucket, prefix: 'calls', forcePathStyle: true },
        credentials: S3_USER
      }),
      config('retention', 'telnyx-retention', { policy: 'Calls', keepUntil: '2', lockMode: 'governance' }),
      node('archive', 'telnyx-recording-download', {
        ...{
          account: 'account',
          destination: 'bucket',
          bucket: 'bucket',
          filename: '{{recording_id}}.{{ext}}'
        },
        ...{ network: 'any', answer: 'queued', retention: 'retention', wires: [['seen']] }
      }),
      ...catchAll()
    ]);
    instance = await WebhookInstance.start({ flow });
    const started = new Date(Date.now() - 60_000).toISOString();
    const body = JSON.stringify({
      data: {
        record_type: 'event',
        event_type: 'call.recording.saved',
        id: 'event of rec-1',
        occurred_at: started,
        payload: {
          recording_id: 'rec-1',
          recording_started_at: started,
          recording_urls: { wav: `${media.url}/call.wav` },
          public_recording_urls: {}
        }
      }
    });
    should((await instance.deliver(jsonDelivery(body))).status).equal(200);
    return new Date(Date.parse(started) + 2 * DAY).toISOString();
  }

  const hasSidecar = async (): Promise<boolean> => (await server.keys()).includes(`${KEY}.json`);

  it('locks the version that it stored, and the store refuses to delete it', async () => {
    const date = await deliver();
    const [message] = (await instance!.nodeRed.messages(1, { deadline: 60_000 })) as [RecordedMessage];
    const { version_id, retention, lock } = message.recording as unknown as {
      version_id: string;
      retention: { retain_until: string };
      lock: object;
    };
    should(retention.retain_until).equal(date);
    // Stores keep whole seconds; a lock does not end before its date.
    const end = new Date(Math.ceil(Date.parse(date) / 1000) * 1000).toISOString();
    should(lock).containEql({ mode: 'governance', until: end, version_id });
    should(JSON.parse((await server.bytes(`${KEY}.json`)).toString())).containEql({ retention, lock });
    const version = { Bucket: server.bucket, Key: KEY, VersionId: version_id };
    const told = await server.direct.send(new GetObjectRetentionCommand(version));
    should(told.Retention?.Mode).equal('GOVERNANCE');
    should(told.Retention?.RetainUntilDate?.toISOString()).equal(end);
    await should(server.direct.send(new DeleteObjectCommand(version))).be.rejectedWith({
      name: 'AccessDenied'
    });
  });

  it('never takes a lock for granted that the store has dropped, and tries again', async () => {
    let asked = 0;
    server.fault = ({ name }) => {
      if (name !== 'PutObjectRetention') return undefined;
      asked += 1;
      return asked === 1 ? 'pretend' : undefined;
    };
    await deliver();
    await until('the lock is asked for', () => asked > 0, { deadline: 60_000 });
    should(await hasSidecar()).be.false();
    const [message] = (await instance!.nodeRed.messages(1, { deadline: 60_000 })) as [RecordedMessage];
    should(asked).equal(2);
    should(message.recording).have.property('lock');
    should(await hasSidecar()).be.true();
  });
});
