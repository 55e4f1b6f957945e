import should from 'should';
import { jsonDelivery } from '../support/deliveries';
import { catchAll, config, node } from '../support/flows';
import { LIES, LyingStore } from '../support/lying-store';
import { localServer, sha256, wav, type LocalServer } from '../support/media';
import { Stalls } from '../support/stalls';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

const API_KEY = 'KEY0123456789ABCDEF0123456789ABCDEF';
const MIB = 1024 * 1024;
/** Six seconds, and more than one part. */
const SHORT = wav({ seconds: 6, channels: 1, seed: 3 });
const LONG = wav({ seconds: 200, channels: 2, seed: 4 });
/** Those that concern multipart uploads. */
const ALSO_LONG = ['says 200 and means an error', 'claims that every key is taken', 'cuts before an answer'];
/** Lies that only a deadline of 60 s ends. */
const SLOW = ['sends nothing but 1xx', 'drips its errors', 'drips its objects', 'never answers'];

describe('a lying bucket, in a real Node-RED', function () {
  this.timeout(600_000);
  let liar: LyingStore;
  let api: LocalServer;
  let instance: WebhookInstance | undefined;
  const deleted: string[] = [];

  beforeEach(async () => {
    deleted.length = 0;
    liar = await LyingStore.start();
    api = await localServer(({ method, url = '' }, response) => {
      if (method === 'DELETE') {
        deleted.push(url.slice(url.lastIndexOf('/') + 1));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}');
      } else if (url.endsWith('.wav')) {
        const bytes = url.includes('long') ? LONG : SHORT;
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
      } else response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[]}');
    });
  });
  afterEach(async () => {
    await instance?.stop();
    instance = undefined;
    await liar.close();
    await api.close();
  });

  const deliver = async (id: string): Promise<void> => {
    const body = JSON.stringify({
      data: {
        record_type: 'event',
        event_type: 'call.recording.saved',
        id: `event of ${id}`,
        occurred_at: '2026-05-06T07:08:09.100Z',
        payload: {
          recording_id: id,
          recording_started_at: '2026-05-06T07:00:00Z',
          recording_urls: { wav: `${api.url}/${id}.wav` },
          public_recording_urls: {}
        }
      }
    });
    should((await instance!.deliver(jsonDelivery(body))).status).equal(200);
  };

  it('causes no deletion, uses no memory and blocks nothing; once it is honest, everything arrives', async () => {
    const stalls = new Stalls();
    const flow = webhookFlow({ reply: 'flow', wires: [['archive']] }, [
      config('bucket', 'telnyx-bucket', {
        endpoint: liar.url,
        region: '',
        bucket: 'archive',
        prefix: '',
        forcePathStyle: true,
        sse: '',
        kmsKeyId: '',
        credentials: { accessKeyId: 'TESTKEY', secretAccessKey: 'the-secret-of-the-test' }
      }),
      node('archive', 'telnyx-recording-download', {
        account: 'account',
        destination: 'bucket',
        bucket: 'bucket',
        filename: '{{recording_id}}.{{ext}}',
        sidecar: true,
        network: 'any',
        answer: 'queued',
        deleteAtSource: true,
        concurrency: '40',
        retries: '30',
        wires: [['seen']]
      }),
      ...catchAll()
    ]).map((each) =>
      each.id === 'account' ? { ...each, apiUrl: `${api.url}/v2`, credentials: { apiKey: API_KEY } } : each
    );
    const { nodeArgs = [], env } = stalls.options;
    // Node.js 24 lets garbage grow by 100 MB before it collects it. Only retained memory matters here.
    instance = await WebhookInstance.start({
      flow,
      env,
      nodeArgs: [...nodeArgs, '--max-semi-space-size=8']
    });
    const { nodeRed } = instance;
    const { pid } = nodeRed;
    const begun = Date.now();
    await deliver('honest');
    await nodeRed.messages(1, { deadline: 60_000 });
    const loaded = stalls.since(begun);
    should(loaded.samples).be.above(0);
    // The first use of a bucket loads the AWS SDK.
    should(loaded.longestStall).be.below(100);

    const names = Object.keys(LIES);
    const lieOf = new Map<string, string>();
    names.forEach((name, index) => lieOf.set(`short-${index}`, name));
    ALSO_LONG.forEach((name, index) => lieOf.set(`long-${index}`, name));
    const calls = new Map<string, number>();
    liar.lie = (call, response, store) => {
      const id = /^[a-z]+-\d+/.exec(call.key)?.[0] ?? '';
      const name = lieOf.get(id);
      if (name === undefined) return false;
      const lied = LIES[name]!(call, response, store);
      if (lied) calls.set(id, (calls.get(id) ?? 0) + 1);
      return lied;
    };
    const lying = Date.now();
    for (const id of lieOf.keys()) await deliver(id);
    await until(
      'every lie to be told twice, and the end of the longest',
      () => ([...lieOf.keys()].every((id) => (calls.get(id) ?? 0) >= 2) ? true : undefined),
      { deadline: 240_000 }
    );
    should([...lieOf.values()]).containDeep(SLOW);
    const during = stalls.since(lying);
    should(nodeRed.pid).equal(pid);
    should(nodeRed.alive).be.true();
    should(during.mostRss - loaded.mostRss).be.below(150 * MIB);
    should(during.longestStall).be.below(250);
    should(nodeRed.recorded().map(({ recording }) => recording?.['recording_id'])).eql(['honest']);
    should(deleted).eql(['honest']);

    liar.endLies();
    // As when it is started again: the deadlines of what it has not answered are proven above.
    liar.cut();
    liar.objects.clear();
    const count = lieOf.size + 1;
    const messages = await nodeRed.messages(count, { deadline: 240_000 });
    await until('the deletions', () => (deleted.length === count ? true : undefined), { deadline: 60_000 });
    for (const { recording } of messages.slice(1)) {
      const id = String(recording?.['recording_id']);
      const bytes = liar.objects.get(String(recording?.['key']));
      should(sha256(bytes ?? Buffer.alloc(0))).equal(sha256(id.startsWith('long') ? LONG : SHORT), id);
      should(liar.objects.has(`${String(recording?.['key'])}.json`)).be.true();
      should(deleted.filter((each) => each === id)).eql([id]);
    }
    should(nodeRed.pid).equal(pid);
    should(nodeRed.recorded('errors.jsonl')).eql([]);
    should(nodeRed.log).not.containEql('the-secret-of-the-test');
  });
});
