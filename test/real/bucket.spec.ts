import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand
} from '@aws-sdk/client-s3';
import should from 'should';
import { S3_USER } from '../support/ceph';
import { jsonDelivery } from '../support/deliveries';
import { catchAll, config, node } from '../support/flows';
import { type LocalServer, localServer, sha256, wav } from '../support/media';
import type { FlowNode, NodeRedOptions, RecordedMessage } from '../support/node-red-process';
import { S3Server } from '../support/s3-server';
import { type SlowMedia, slowMedia } from '../support/slow-media';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

const API_KEY = 'KEY0123456789ABCDEF0123456789ABCDEF';
const CALL = wav({ seconds: 3, channels: 2, seed: 5 });
/** Three parts and a bit. */
const LONG_CALL = wav({ seconds: 520, channels: 2, seed: 6 });

const bucketNode = ({ url, bucket }: S3Server, credentials: object = S3_USER): FlowNode =>
  config('bucket', 'telnyx-bucket', {
    endpoint: url,
    region: '',
    bucket,
    prefix: 'calls',
    forcePathStyle: true,
    sse: '',
    kmsKeyId: '',
    credentials
  });

const download = (properties: object = {}): FlowNode =>
  node('archive', 'telnyx-recording-download', {
    account: 'account',
    destination: 'bucket',
    bucket: 'bucket',
    filename: '{{year}}/{{recording_id}}.{{ext}}',
    sidecar: true,
    network: 'any',
    answer: 'queued',
    wires: [['seen']],
    ...properties
  });

const saved = (id: string, url: string): string =>
  JSON.stringify({
    data: {
      record_type: 'event',
      event_type: 'call.recording.saved',
      id: `event of ${id}`,
      occurred_at: '2026-05-06T07:08:09.100Z',
      payload: {
        recording_id: id,
        recording_started_at: '2026-05-06T07:00:00Z',
        recording_urls: { wav: url },
        public_recording_urls: {}
      }
    }
  });

describe('a bucket as the destination, in a real Node-RED', function () {
  this.timeout(120_000);
  let server: S3Server;
  let instance: WebhookInstance | undefined;
  const others: (LocalServer | SlowMedia)[] = [];

  beforeEach(async function () {
    server = await S3Server.start(this);
  });
  afterEach(async () => {
    await instance?.stop();
    instance = undefined;
    for (const other of others.splice(0)) await other.close();
    await server.close();
  });

  async function start(
    nodes: FlowNode[],
    options: NodeRedOptions = {},
    account: object = {}
  ): Promise<WebhookInstance> {
    const flow = webhookFlow({ reply: 'flow', wires: [['archive']] }, [...nodes, ...catchAll()]).map(
      (each) => (each.id === 'account' ? { ...each, ...account } : each)
    );
    instance = await WebhookInstance.start({ flow, ...options });
    return instance;
  }

  async function serve(bytes: Buffer): Promise<string> {
    const media = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
    });
    others.push(media);
    return `${media.url}/call.wav?X-Amz-Signature=secret`;
  }

  async function stored({ nodeRed }: WebhookInstance, key: string, bytes: Buffer): Promise<RecordedMessage> {
    const [message] = (await nodeRed.messages(1, { deadline: 60_000 })) as [RecordedMessage];
    should(message.payload).equal(`s3://${server.bucket}/${key}`);
    should(message.recording).have.properties({
      destination: 'bucket',
      bucket: server.bucket,
      key,
      sha256: sha256(bytes),
      sidecar: `s3://${server.bucket}/${key}.json`
    });
    should(sha256(await server.bytes(key))).equal(sha256(bytes));
    should(JSON.parse((await server.bytes(`${key}.json`)).toString())).eql(message.recording);
    should(await server.incompleteUploads()).eql([]);
    return message;
  }

  it('gets the recording of a signed delivery, and the secret stays secret', async () => {
    const url = await serve(CALL);
    const { nodeRed } = await start([bucketNode(server), download()]);
    should((await instance!.deliver(jsonDelivery(saved('rec-1', url)))).status).equal(200);
    await stored(instance!, 'calls/2026/rec-1.wav', CALL);
    should(await server.keys()).eql(['calls/2026/rec-1.wav', 'calls/2026/rec-1.wav.json']);

    const told = [
      nodeRed.log,
      readFileSync(path.join(nodeRed.userDir, 'flows.json'), 'utf8'),
      readFileSync(path.join(nodeRed.userDir, 'flows_cred.json'), 'utf8'),
      await (await nodeRed.admin('flows')).text(),
      await (await nodeRed.admin('credentials/telnyx-bucket/bucket')).text(),
      JSON.stringify(nodeRed.recorded().map(({ recording }) => recording)),
      (await server.bytes('calls/2026/rec-1.wav.json')).toString()
    ].join('\n');
    should(told).containEql('has_secretAccessKey');
    should(told).not.containEql(S3_USER.secretAccessKey);
    should(told).not.match(/X-Amz-Signature/);
  });

  it('uses the access key of the machine when the node has none', async () => {
    const url = await serve(CALL);
    const env = { AWS_ACCESS_KEY_ID: S3_USER.accessKeyId, AWS_SECRET_ACCESS_KEY: S3_USER.secretAccessKey };
    await start([bucketNode(server, {}), download()], { env });
    await instance!.deliver(jsonDelivery(saved('rec-1', url)));
    await stored(instance!, 'calls/2026/rec-1.wav', CALL);
  });

  it('contains each recording once when Node-RED is killed meanwhile, and no incomplete upload', async () => {
    const media = await slowMedia(new Map([['/long.wav', LONG_CALL]]), { piece: 400_000, pause: 20 });
    others.push(media);
    const { nodeRed } = await start([bucketNode(server), download()]);
    await instance!.deliver(jsonDelivery(saved('rec-long', `${media.url}/long.wav`)));
    for (let kill = 0; kill < 3; kill += 1) {
      const before = server.names().filter((name) => name === 'UploadPart').length;
      await until(
        'a part on its way',
        () => (server.names().filter((name) => name === 'UploadPart').length > before ? true : undefined),
        { deadline: 30_000 }
      );
      await nodeRed.kill();
      await nodeRed.start();
    }
    await stored(instance!, 'calls/2026/rec-long.wav', LONG_CALL);
    should(await server.keys()).eql(['calls/2026/rec-long.wav', 'calls/2026/rec-long.wav.json']);
    should(nodeRed.recorded('errors.jsonl')).eql([]);
  });

  it('leaves no incomplete upload after a deploy, and then stores the recording', async () => {
    const media = await slowMedia(new Map([['/long.wav', LONG_CALL]]), { piece: 400_000, pause: 20 });
    others.push(media);
    const nodes = [bucketNode(server), download()];
    const { nodeRed } = await start(nodes);
    await instance!.deliver(jsonDelivery(saved('rec-long', `${media.url}/long.wav`)));
    await until('an upload', async () => (await server.incompleteUploads())[0], { deadline: 30_000 });
    const flow = webhookFlow({ reply: 'flow', wires: [['archive']] }, [...nodes, ...catchAll()]);
    await nodeRed.deploy(flow);
    await stored(instance!, 'calls/2026/rec-long.wav', LONG_CALL);
    should(server.names().filter((name) => name === 'AbortMultipartUpload')).have.length(1);
  });

  it('is read back before the recording is deleted at the source', async () => {
    const requests: string[] = [];
    const api = await localServer((request, response) => {
      const { method, url, headers } = request;
      if (method === 'DELETE') {
        requests.push(`${method} ${url} ${headers.authorization}`);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}');
      } else response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[]}');
    });
    others.push(api);
    const url = await serve(CALL);
    const account = { apiUrl: `${api.url}/v2`, credentials: { apiKey: API_KEY } };
    await start([bucketNode(server), download({ deleteAtSource: true })], {}, account);
    await instance!.deliver(jsonDelivery(saved('rec-1', url)));
    const { recording } = await stored(instance!, 'calls/2026/rec-1.wav', CALL);
    should(requests).eql([`DELETE /v2/recordings/rec-1 Bearer ${API_KEY}`]);
    should(recording?.['deleted_at_source']).be.a.String();
    const whole = server.calls.filter(
      ({ name, key, headers }) => name === 'GetObject' && key.endsWith('.wav') && headers.range === undefined
    );
    should(whole).have.length(1);
  });

  it('keeps the version with a recording when it is versioned and locked, and hides no foreign object', async function () {
    await server.close();
    server = await S3Server.start(this, { locked: true });
    // The unmodified server ignores `If-None-Match` there.
    server.addsToday = false;
    const client = server.direct;
    const { bucket: Bucket } = server;
    const foreign = Buffer.from('somebody else put this here');
    await client.send(new PutObjectCommand({ Bucket, Key: 'calls/2026/rec-1.wav', Body: foreign }));
    await client.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } }
        }
      })
    );
    const deletions: string[] = [];
    const api = await localServer(({ method, url = '' }, response) => {
      if (method === 'DELETE') deletions.push(url);
      const isDeletion = method === 'DELETE';
      response.writeHead(isDeletion ? 200 : 404, { 'content-type': 'application/json' });
      response.end(isDeletion ? '{"data":{}}' : '{"errors":[]}');
    });
    others.push(api);
    const url = await serve(CALL);
    const account = { apiUrl: `${api.url}/v2`, credentials: { apiKey: API_KEY } };
    const { nodeRed } = await start([bucketNode(server), download({ deleteAtSource: true })], {}, account);
    await instance!.deliver(jsonDelivery(saved('rec-1', url)));
    const { recording } = await stored(instance!, 'calls/2026/rec-1_2.wav', CALL);
    should(await server.bytes('calls/2026/rec-1.wav')).eql(foreign);
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'calls/' }));
    const version = Versions.find(({ Key }) => Key === 'calls/2026/rec-1_2.wav')?.VersionId;
    should(version).be.a.String();
    should(recording).have.property('version_id', version);
    should(deletions).eql(['/v2/recordings/rec-1']);
    // The version read before the deletion was this one, completely.
    const whole = server.calls.filter(
      ({ name, query, headers }) =>
        name === 'GetObject' && query.get('versionId') === version && headers.range === undefined
    );
    should(whole).have.length(1);
    await nodeRed.waitForLog(/is in use\. It keeps versions/);
    should(nodeRed.log).containEql('locked for 1 days (GOVERNANCE)');
  });

  it('is the only reason to load the AWS SDK', async () => {
    const url = await serve(CALL);
    const { nodeRed } = await start([download({ destination: 'folder', folder: 'archive' })]);
    const sdk = path.join(nodeRed.userDir, 'node_modules/@aws-sdk/client-s3/dist-cjs/index.js');
    const marker = path.join(nodeRed.userDir, 'the-sdk-was-loaded');
    const code = readFileSync(sdk, 'utf8');
    // The files of all tests are links to the same files.
    rmSync(sdk);
    writeFileSync(sdk, `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '');\n${code}`);
    await nodeRed.restart();
    await instance!.deliver(jsonDelivery(saved('rec-1', url)));
    await nodeRed.messages(1);
    should(existsSync(marker)).be.false();

    const nodes = [bucketNode(server), download()];
    await nodeRed.deploy(webhookFlow({ reply: 'flow', wires: [['archive']] }, [...nodes, ...catchAll()]));
    should(existsSync(marker)).be.false();
    await instance!.deliver(jsonDelivery(saved('rec-2', url)));
    await nodeRed.messages(2, { deadline: 30_000 });
    should(existsSync(marker)).be.true();
  });
});
