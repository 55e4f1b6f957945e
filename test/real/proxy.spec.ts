import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { S3_USER } from '../support/ceph';
import { certificate } from '../support/certificate';
import { jsonDelivery } from '../support/deliveries';
import { catchAll, config, node } from '../support/flows';
import { sha256, wav } from '../support/media';
import type { FlowNode, RecordedMessage } from '../support/node-red-process';
import { type Address, requireAddress, requireProgram } from '../support/real-parts';
import { rawServer } from '../support/raw-server';
import { S3Server } from '../support/s3-server';
import { TinyProxy } from '../support/tinyproxy';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

/** Of AS112: public, and without recordings. Not the address of public-addresses.spec.ts, which may run at the same time. */
const PUBLIC = '192.31.196.2';
const API_KEY = 'KEY0123456789ABCDEF0123456789ABCDEF';
const LOGIN = { user: 'archive', password: 'proxy-secret-0123' };
const CALL = wav({ seconds: 3, channels: 2, seed: 5 });
const LONG_CALL = wav({ seconds: 300, channels: 2, seed: 6 });

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

const proxyNode = (
  url: string,
  login: { user: string; password: string },
  noproxy: string[] = []
): FlowNode =>
  config('proxy', 'http proxy', {
    url,
    noproxy,
    credentials: { username: login.user, password: login.password }
  });

const download = (properties: object = {}): FlowNode =>
  node('archive', 'telnyx-recording-download', {
    account: 'account',
    destination: 'folder',
    folder: 'archive',
    filename: '{{recording_id}}.{{ext}}',
    network: 'public-https',
    wires: [['seen']],
    ...properties
  });

describe('behind a real proxy, in a real Node-RED', function () {
  this.timeout(120_000);
  const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-behind-proxy-'));
  const trusted = path.join(directory, 'cert.pem');
  let address: Address | undefined;
  /** Storage and API of Telnyx. */
  let telnyx: Server | undefined;
  let origin: string;
  let asked: string[];
  let isHalfSent = false;
  let proxy: TinyProxy;
  let instance: WebhookInstance | undefined;

  before(async function () {
    const pair = certificate(requireProgram(this, 'openssl'), `IP:${PUBLIC}`);
    address = requireAddress(this, PUBLIC);
    writeFileSync(trusted, pair.cert);
    telnyx = createServer(pair, answer);
    telnyx.listen(0, PUBLIC);
    await once(telnyx, 'listening');
    origin = `https://${PUBLIC}:${(telnyx.address() as AddressInfo).port}`;
  });
  after(() => {
    rmSync(directory, { recursive: true });
    telnyx?.close();
    telnyx?.closeAllConnections();
    address?.remove();
  });
  beforeEach(async function () {
    asked = [];
    proxy = await TinyProxy.start(this, LOGIN);
  });
  afterEach(async () => {
    await instance?.stop();
    instance = undefined;
    await proxy.close();
  });

  function answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): void {
    asked.push(
      `${method} ${url.split('?')[0]}${headers['proxy-authorization'] === undefined ? '' : ' LOGIN'}`
    );
    if (url.startsWith('/v2/')) {
      response.writeHead(method === 'DELETE' ? 200 : 404, { 'content-type': 'application/json' });
      response.end(method === 'DELETE' ? '{"data":{}}' : '{"errors":[]}');
      return;
    }
    const file = url.includes('long') ? LONG_CALL : CALL;
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const range = from === 0 ? {} : { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` };
    const type = { 'content-type': 'audio/wav', etag: '"file"' };
    response.writeHead(from === 0 ? 200 : 206, { ...type, ...range, 'content-length': file.length - from });
    // The first answer for the long one never ends.
    if (file === LONG_CALL && from === 0)
      response.write(file.subarray(0, file.length / 2), () => (isHalfSent = true));
    else response.end(file.subarray(from));
  }

  async function start(
    nodes: FlowNode[],
    env: Record<string, string> = {},
    account: object = {}
  ): Promise<void> {
    const own = { apiUrl: `${origin}/v2`, credentials: { apiKey: API_KEY }, ...account };
    const flow = webhookFlow({ wires: [['archive']] }, [...nodes, ...catchAll()]).map((each) =>
      each.id === 'account' ? { ...each, ...own } : each
    );
    instance = await WebhookInstance.start({ flow, env: { NODE_EXTRA_CA_CERTS: trusted, ...env } });
  }

  const link = (name: string): string => `${origin}/${name}.wav?X-Amz-Signature=secret-of-the-link`;

  async function send(id: string, url: string): Promise<void> {
    should((await instance!.deliver(jsonDelivery(saved(id, url)))).status).equal(200);
  }

  async function outcome(id: string, file?: string): Promise<RecordedMessage> {
    const find = ({ event }: RecordedMessage): boolean => event?.['id'] === `event of ${id}`;
    return await until(`what became of ${id}`, () => instance!.nodeRed.recorded(file).find(find), {
      deadline: 60_000
    });
  }

  const tunnel = (): string => `CONNECT ${new URL(origin).host}`;

  function nothingSecret(...more: string[]): void {
    const { nodeRed } = instance!;
    const told = [nodeRed.log, readFileSync(path.join(nodeRed.userDir, 'flows.json'), 'utf8'), ...more];
    should(told.join('\n')).not.match(/proxy-secret|secret-of-the-link|KEY0123/);
    should(told.join('\n')).not.containEql(Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64'));
  }

  it('the recording, the API and the bucket are reached through it, with its login', async function () {
    this.timeout(300_000);
    const store = await S3Server.start(this);
    try {
      const bucket = config('bucket', 'telnyx-bucket', {
        ...{ endpoint: store.url, bucket: store.bucket, forcePathStyle: true, proxy: 'proxy' },
        credentials: S3_USER
      });
      const archive = download({
        destination: 'bucket',
        bucket: 'bucket',
        proxy: 'proxy',
        deleteAtSource: true
      });
      await start([bucket, archive, proxyNode(proxy.url, LOGIN)], {}, { proxy: 'proxy' });
      await send('rec-1', link('call'));
      const { recording } = await outcome('rec-1');
      should(recording).have.properties({ sha256: sha256(CALL), key: 'rec-1.wav', attempts: 1 });
      should(recording?.['deleted_at_source']).be.a.String();
      should(sha256(await store.bytes('rec-1.wav'))).equal(sha256(CALL));
      should(asked).containDeep(['GET /call.wav', 'DELETE /v2/recordings/rec-1']);
      should(asked.join()).not.match(/LOGIN/);
      // Kept connections: one tunnel for recordings, one for the API.
      should(proxy.requests.filter((line) => line === tunnel())).have.length(2);
      should(proxy.requests).containEql(`PUT ${store.url}/${store.bucket}/rec-1.wav`);
      should(store.calls.every(({ headers }) => headers['proxy-authorization'] === undefined)).be.true();
      nothingSecret(JSON.stringify(recording), (await store.bytes('rec-1.wav.json')).toString());
    } finally {
      await instance?.stop();
      instance = undefined;
      await store.close();
    }
  });

  it('a wrong password is explained and repeated nowhere; a corrected one works after a deploy', async () => {
    const nodes = (login: typeof LOGIN): FlowNode[] => [
      download({ proxy: 'proxy', retries: '1' }),
      proxyNode(proxy.url, login)
    ];
    await start(nodes({ user: 'archive', password: 'proxy-secret-wrong' }));
    await send('rec-1', link('call'));
    const { error } = await outcome('rec-1', 'errors.jsonl');
    should(error).have.property('code', 'GAVE_UP');
    should(error?.message).match(
      /does not accept the user name and password \(40[17]\)\. Correct them in the http proxy node that is chosen as "Proxy"/
    );
    should(asked.join()).not.containEql('/call.wav');
    nothingSecret(JSON.stringify(error));
    const flow = webhookFlow({ wires: [['archive']] }, [...nodes(LOGIN), ...catchAll()]);
    await instance!.nodeRed.deploy(flow, 'nodes');
    await send('rec-2', link('call'));
    should((await outcome('rec-2')).recording).have.property('sha256', sha256(CALL));
    nothingSecret();
  });

  it('a recording resumes after the proxy was killed in the middle', async () => {
    await start([download({ proxy: 'proxy' }), proxyNode(proxy.url, LOGIN)]);
    await send('rec-long', link('long'));
    // More than all buffers on the way hold.
    await until('half of the recording', () => isHalfSent || undefined, { deadline: 60_000 });
    await proxy.kill();
    await instance!.nodeRed.waitForLog(/No connection to the proxy 127\.0\.0\.1:\d+ \(connect ECONNREFUSED/, {
      deadline: 30_000
    });
    // It was noticed by the end of the connection, not by the silence.
    should(instance!.nodeRed.log)
      .match(/The connection to 192\.31\.196\.2:\d+ broke off before the file was complete/)
      .and.not.match(/no byte within/);
    await proxy.run();
    const { recording } = await outcome('rec-long');
    should(recording).have.properties({ sha256: sha256(LONG_CALL), resumed: true });
    should(Number(recording?.['attempts'])).be.above(1);
    nothingSecret();
  });

  it('something that is no proxy, or hangs, delays nothing for ever', async () => {
    const garbage = await rawServer((socket) => socket.end('220 mail.example.com ESMTP\r\n'));
    const silent = await rawServer(() => undefined);
    try {
      for (const [server, text] of [
        [garbage, /is not an HTTP proxy/],
        [silent, /The proxy 127\.0\.0\.1:\d+ does not answer \(no connection within 10 seconds\)/]
      ] as const) {
        const nodes = [
          download({ proxy: 'proxy', retries: '0' }),
          proxyNode(new URL(server.url).origin, LOGIN)
        ];
        await start(nodes);
        await send('rec-1', link('call'));
        const { error } = await outcome('rec-1', 'errors.jsonl');
        should(error?.message).match(text);
        await instance!.stop();
        instance = undefined;
      }
    } finally {
      await Promise.all([garbage.close(), silent.close()]);
    }
  });

  it('the environment names it, and exceptions; addresses that are not public stay forbidden', async () => {
    const variable = `http://${LOGIN.user}:${LOGIN.password}@127.0.0.1:${proxy.port}`;
    await start([download()], { HTTPS_PROXY: variable });
    await send('rec-1', link('call'));
    should((await outcome('rec-1')).recording).have.property('sha256', sha256(CALL));
    should(proxy.requests).containEql(tunnel());
    for (const [id, url] of [
      ['private', 'https://10.1.2.3/call.wav'],
      ['metadata', 'https://metadata.google.internal/call.wav'],
      ['number', 'https://2130706433/call.wav']
    ] as const) {
      await send(id, url);
      should((await outcome(id, 'errors.jsonl')).error).have.property('code', 'UNSAFE_URL');
    }
    should(proxy.requests.every((line) => line === tunnel())).be.true();
    nothingSecret();
    await instance!.stop();

    const before = proxy.requests.length;
    await start([download()], { https_proxy: variable, NO_PROXY: `example.com,${PUBLIC}` });
    await send('rec-1', link('call'));
    should((await outcome('rec-1')).recording).have.property('sha256', sha256(CALL));
    should(proxy.requests).have.length(before);
  });
});
