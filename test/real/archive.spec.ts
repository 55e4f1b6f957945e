import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { formDelivery, holdEvent, jsonDelivery } from '../support/deliveries';
import { catchAll, node, recorder } from '../support/flows';
import { type LocalServer, localServer, sha256, wav } from '../support/media';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

const FILES: Record<string, Buffer> = {
  '/call.wav': wav({ channels: 2, seed: 3 }),
  '/conference.wav': wav({ seconds: 2, seed: 4 }),
  '/texml.wav': wav({ seed: 5 })
};

const ROUTING = [
  node('switch', 'telnyx-event-switch', {
    property: 'event.event_type',
    propertyType: 'msg',
    rules: [{ t: 'recording' }, { t: 'else' }],
    checkall: 'false',
    outputs: 2,
    wires: [['archive'], ['other']]
  }),
  node('archive', 'telnyx-recording-download', {
    account: 'account',
    dailyAccount: '',
    destination: 'folder',
    folder: 'archive',
    filename: '{{year}}/{{recording_id}}_{{channels}}.{{ext}}',
    format: 'any',
    sidecar: true,
    concurrency: 4,
    retries: 8,
    maxSize: 0,
    stallTimeout: 30,
    network: 'any',
    deleteAtSource: false,
    answer: 'never',
    wires: [['seen']]
  }),
  ...recorder('other', 'other.jsonl')
];

const recordingSaved = (type: string, id: string, url: string, more: object = {}) =>
  JSON.stringify({
    data: {
      record_type: 'event',
      event_type: type,
      id: `event of ${id}`,
      occurred_at: '2026-05-06T07:08:09.100Z',
      payload: {
        recording_id: id,
        channels: 'dual',
        recording_started_at: '2026-05-06T07:00:00Z',
        recording_ended_at: '2026-05-06T07:08:00Z',
        recording_urls: { mp3: null, wav: url },
        public_recording_urls: {},
        ...more
      }
    }
  });

describe('from a signed delivery to a file on disk', () => {
  let instance: WebhookInstance;
  let media: LocalServer;

  before(async function () {
    this.timeout(60_000);
    media = await localServer((request, response) => {
      const file = FILES[(request.url ?? '').split('?')[0]!];
      if (!file) {
        response.writeHead(404, { 'content-type': 'application/xml' }).end('<Error/>');
        return;
      }
      response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': file.length }).end(file);
    });
    const flow = webhookFlow({ wires: [['switch']] }, [...ROUTING, ...catchAll()]);
    instance = await WebhookInstance.start({ flow });
  });
  after(async () => {
    await instance.stop();
    await media.close();
  });

  const stored = async (count: number) => {
    const { recording, payload } = (await instance.nodeRed.messages(count)).at(-1)!;
    const file = String(payload);
    const sidecar = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Record<string, unknown>;
    return { recording, file, bytes: readFileSync(file), sidecar };
  };

  const check = (source: string, { recording, file, bytes, sidecar }: Awaited<ReturnType<typeof stored>>) => {
    const original = FILES[source]!;
    should(bytes.equals(original)).equal(true);
    should(path.dirname(path.dirname(file))).equal(path.join(instance.nodeRed.userDir, 'archive'));
    for (const told of [recording, sidecar]) {
      should([told?.['sha256'], told?.['size'], told?.['format'], told?.['already_stored']]).deepEqual([
        sha256(original),
        original.length,
        'wav',
        false
      ]);
      should(JSON.stringify(told)).not.match(/secret/);
    }
    should(recording?.['path']).equal(file);
    should(recording?.['sidecar']).equal(`${file}.json`);
  };

  it('call.recording.saved', async () => {
    const body = recordingSaved('call.recording.saved', 'rec-call', `${media.url}/call.wav?signature=secret`);
    should((await instance.deliver(jsonDelivery(body))).status).equal(200);
    const result = await stored(1);
    check('/call.wav', result);
    should(path.relative(instance.nodeRed.userDir, result.file)).equal(
      path.join('archive', '2026', 'rec-call_dual.wav')
    );
    should(result.sidecar['event_type']).equal('call.recording.saved');
  });

  it('conference.recording.saved', async () => {
    const url = `${media.url}/conference.wav?signature=secret`;
    const body = recordingSaved('conference.recording.saved', 'rec-conference', url, {
      conference_id: 'c-1'
    });
    should((await instance.deliver(jsonDelivery(body))).status).equal(200);
    check('/conference.wav', await stored(2));
  });

  it('a TeXML recording callback', async () => {
    const url = encodeURIComponent(`${media.url}/texml.wav?signature=secret`);
    const form =
      `AccountSid=made-up&CallSid=v3%3Amade-up&RecordingStatus=completed&RecordingSid=rec-texml` +
      `&RecordingChannels=1&RecordingDuration=1&RecordingUrl=${url}`;
    should((await instance.deliver(formDelivery(form))).status).equal(200);
    check('/texml.wav', await stored(3));
  });

  it('the same recording in another event is stored once', async () => {
    const body = recordingSaved(
      'call.recording.saved',
      'rec-call',
      `${media.url}/call.wav?signature=secret2`
    );
    const again = body.replace('event of rec-call', 'another event');
    should((await instance.deliver(jsonDelivery(again))).status).equal(200);
    const message = (await instance.nodeRed.messages(4)).at(-1)!;
    should(message.recording?.['already_stored']).equal(true);
    const names = readdirSync(path.join(instance.nodeRed.userDir, 'archive', '2026')).sort();
    should(names.filter((name) => name.startsWith('rec-call'))).deepEqual([
      'rec-call_dual.wav',
      'rec-call_dual.wav.json'
    ]);
  });

  it('other events take the other output', async () => {
    should((await instance.deliver(jsonDelivery(holdEvent('other')))).status).equal(200);
    const [message] = await instance.nodeRed.messages(1, { file: 'other.jsonl' });
    should(message?.topic).equal('call.hold');
  });

  it('a missing recording causes an error for Catch nodes, and no file', async function () {
    this.timeout(60_000);
    await instance.nodeRed.deploy(
      webhookFlow({ wires: [['archive']] }, [
        ...ROUTING.map((one) => (one.id === 'archive' ? { ...one, retries: 0 } : one)),
        ...catchAll()
      ])
    );
    const body = recordingSaved('call.recording.saved', 'rec-gone', `${media.url}/gone.wav?signature=secret`);
    should((await instance.deliver(jsonDelivery(body))).status).equal(200);
    should((await instance.deliver(jsonDelivery(holdEvent('nothing')))).status).equal(200);
    const caught = await instance.nodeRed.messages(2, { file: 'errors.jsonl', deadline: 30_000 });
    const codes = caught.map(({ error, event }) => [event?.['id'], error?.code]);
    should(codes).containEql(['nothing', 'NO_RECORDING']);
    should(codes.find(([id]) => id === 'event of rec-gone')?.[1]).be.a.String();
    should(JSON.stringify(caught.map(({ error }) => error))).not.match(/secret/);
    const names = readdirSync(path.join(instance.nodeRed.userDir, 'archive', '2026'));
    should(names.filter((name) => name.includes('rec-gone'))).deepEqual([]);
  });

  it('no log line contains the query of a signed link', () => {
    should(instance.nodeRed.log).not.match(/signature=secret/);
  });
});
