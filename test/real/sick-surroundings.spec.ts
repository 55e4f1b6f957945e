import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import type { StandInRecording } from '../../src/simulator/telnyx/recording-shelf';
import { idInLink, TELNYX, TELNYX_WITH_KEY } from '../support/archive-source';
import { jsonDelivery } from '../support/deliveries';
import { account, catchAll, functionNode, node, recorder, tab, webhookIn } from '../support/flows';
import { type LocalServer, localServer, sha256 } from '../support/media';
import type { RecordedMessage } from '../support/node-red-process';
import { onlyInterim, type SickApi, sickApi } from '../support/sick-api';
import { TRUSTED } from '../support/sign';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const HOUR = 3_600_000;

/** A download node as the editor saves it, with the defaults of its dialog unless the properties say otherwise. */
function archive(id: string, properties: Record<string, unknown> = {}) {
  return node(id, 'telnyx-recording-download', {
    ...TELNYX_WITH_KEY.download,
    destination: 'folder',
    folder: id,
    filename: '{{recording_id}}_{{channels}}.{{ext}}',
    format: 'any',
    sidecar: true,
    network: 'any',
    answer: 'queued',
    wires: [['seen']],
    ...properties
  });
}

describe('archiving while the API or the storage is failing', function () {
  this.timeout(240_000);
  const BYTES = TELNYX.file({ size: 16_000, seed: 4 });
  let instance: WebhookInstance;
  let storage: LocalServer;
  let api: SickApi;
  /** One with an API of its own, so that others do not wait while it may not ask. */
  let limited: { instance: WebhookInstance; api: SickApi };
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  const send = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': BYTES.length }).end(BYTES);
  };

  before(async () => {
    storage = await localServer((request, response) => answer(request, response));
    ({ instance, api } = await startArchive());
    limited = await startArchive();
  });
  beforeEach(() => {
    api.habit = 'answers';
    answer = (_request, response) => send(response);
  });
  after(async () => {
    await Promise.all([instance.stop(), limited.instance.stop()]);
    await Promise.all([api.close(), limited.api.close(), storage.close()]);
  });

  async function startArchive(): Promise<typeof limited> {
    const own = await sickApi(() => storage.url);
    const flow = [
      ...TELNYX_WITH_KEY.nodes(own.url, ['by-name']),
      functionNode(
        'by-name',
        'return /^hopeless/.test(msg.payload.recording_id) ? [null, msg] : [msg, null];',
        {
          outputs: 2,
          wires: [['archive'], ['impatient']]
        }
      ),
      archive('archive', { stallTimeout: 2 }),
      archive('impatient', { stallTimeout: 2, retries: 1 }),
      ...catchAll()
    ];
    return { instance: await WebhookInstance.start({ flow }), api: own };
  }

  const names = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_value, index) => `${prefix}-${index}`);

  async function deliver(ids: string[], to = instance): Promise<void> {
    for (const id of ids) {
      const { status } = await to.deliver(TELNYX_WITH_KEY.delivery({ id, storage: storage.url }));
      should([id, status]).eql([id, 200]);
    }
  }

  const told = (id: string, by = instance): RecordedMessage | undefined =>
    by.nodeRed.recorded().find(({ recording }) => recording?.['recording_id'] === id);

  /** Waits until all recordings are stored. */
  async function stored(ids: string[], deadline: number, by = instance): Promise<RecordedMessage[]> {
    const messages = await until(
      `${ids.length} messages such as that of ${ids[0]}`,
      () => {
        const found = ids.map((id) => told(id, by));
        return found.every((message) => message !== undefined) ? found : undefined;
      },
      { deadline }
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}. Log:\n${by.nodeRed.log}`);
    });
    for (const { payload } of messages) should(sha256(readFileSync(String(payload)))).equal(sha256(BYTES));
    return messages;
  }

  const sidecarOf = ({ payload }: RecordedMessage): Record<string, unknown> =>
    JSON.parse(readFileSync(`${String(payload)}.json`, 'utf8')) as Record<string, unknown>;

  /** Waits until the sidecars have the details that only the API knows. */
  async function completed(messages: RecordedMessage[], deadline: number): Promise<void> {
    for (const message of messages)
      await until('the details', () => sidecarOf(message)['channels'] ?? undefined, { deadline });
  }

  const LIMITED = names('limits', 20);

  it('stores recordings with working links while the API is slow and limits', async () => {
    limited.api.habit = 'limits';
    const begun = performance.now();
    await deliver(LIMITED, limited.instance);
    await stored(LIMITED, 60_000, limited.instance);
    should(performance.now() - begun).be.below(20_000);
    // It is asked again after a minute; the last test looks.
    limited.api.habit = 'answers';
  });

  it('stores 30 recordings with working links while the API hangs, and completes them when it recovers', async () => {
    const healthy = names('healthy', 30);
    const begun = performance.now();
    await deliver(healthy);
    await completed(await stored(healthy, 60_000), 10_000);
    const usual = performance.now() - begun;

    api.habit = 'hangs';
    // The link of this one has expired; only the API can help.
    answer = (request, response) => {
      if (idInLink(request) === 'dead' && api.habit === 'hangs') response.writeHead(410).end();
      else send(response);
    };
    const hanging = names('hanging', 30);
    const begunSick = performance.now();
    await deliver(['dead', ...hanging]);
    const messages = await stored(hanging, 60_000);
    const took = performance.now() - begunSick;
    should(took).be.below(20_000, `${Math.round(took)} ms, and ${Math.round(usual)} ms with the API`);
    for (const message of messages) {
      should(message.recording).have.properties({ channels: null, already_stored: false });
      should(String(message.payload)).endWith('_unknown.wav');
    }
    should(told('dead')).be.undefined();

    // The remaining work survives.
    await instance.nodeRed.restart();
    api.habit = 'answers';
    await completed(messages, 150_000);
    await stored(['dead'], 150_000);
    for (const message of messages) {
      const { recording_id, channels } = sidecarOf(message);
      should([recording_id, channels]).eql([message.recording!['recording_id'], 'single']);
    }
    // Nothing is fetched or reported again.
    const all = instance.nodeRed.recorded().map(({ recording }) => recording?.['recording_id']);
    for (const id of [...healthy, ...hanging])
      should([id, all.filter((each) => each === id).length]).eql([id, 1]);
    should(instance.nodeRed.log).not.match(/MaxListenersExceeded|UnhandledPromise/);
  });

  for (const habit of ['fails', 'garbage', 'drips'] as const) {
    it(`stores recordings with working links while the API is slow and ${habit}`, async () => {
      api.habit = habit;
      const ids = names(habit, 20);
      const begun = performance.now();
      await deliver(ids);
      const messages = await stored(ids, 60_000);
      should(performance.now() - begun).be.below(20_000);
      api.habit = 'answers';
      await completed(messages.slice(0, 3), 150_000);
    });
  }

  it('does not let storages that send only interim responses hold slots for long', async () => {
    const turns = new Map<string, number>();
    answer = (request, response) => {
      const id = idInLink(request);
      turns.set(id, (turns.get(id) ?? 0) + 1);
      const isSick = id.startsWith('hopeless') || (id.startsWith('interim') && turns.get(id)! <= 2);
      if (isSick) onlyInterim(response);
      else send(response);
    };
    const [bad, good] = [names('interim', 8), names('good', 20)];
    const begun = performance.now();
    // Twice the number of concurrent transfers, before all others.
    await deliver([...bad, ...good, 'hopeless']);
    await stored(good, 60_000);
    should(performance.now() - begun).be.below(40_000);
    for (const { recording } of await stored(bad, 120_000)) should(recording).have.property('attempts', 3);
    const caught = await until('the error', () => instance.nodeRed.recorded('errors.jsonl').at(-1), {
      deadline: 60_000
    });
    should(caught.error).have.property('code', 'GAVE_UP');
    should(caught.error?.message).match(/no answer within 2 seconds/);
    should(turns.get('hopeless')).equal(2);
  });

  it('completes the recordings once the API no longer limits', async () => {
    const messages = await stored(LIMITED, 10_000, limited.instance);
    await completed(messages.slice(0, 3), 150_000);
  });
});

describe('a Node-RED whose clock changes', function () {
  this.timeout(240_000);
  let standIn: TelnyxStandIn;
  let storage: LocalServer;
  let instance: WebhookInstance;
  let tries: Map<string, number>;
  let shift = 0;
  const BYTES = TELNYX.file({ size: 16_000, seed: 5 });

  before(async () => {
    tries = new Map();
    standIn = new TelnyxStandIn({ apiLimit: { requests: 4, seconds: 1 } });
    await standIn.start();
    storage = await localServer((request, response) => {
      const id = idInLink(request);
      tries.set(id, (tries.get(id) ?? 0) + 1);
      // Each file arrives with the third attempt.
      if (id === 'gone') response.writeHead(410).end();
      else if (tries.get(id)! < 3) response.writeHead(503).end();
      else response.writeHead(200, { 'content-type': 'audio/wav' }).end(BYTES);
    });
    const flow = [
      tab(),
      account({ publicKeys: TRUSTED.publicKey, apiUrl: standIn.apiUrl }),
      webhookIn({ reply: 'flow', wires: [['archive']] }),
      node('trigger', 'http in', {
        url: '/list',
        method: 'post',
        upload: false,
        swaggerDoc: '',
        wires: [['answer', 'list']]
      }),
      node('answer', 'http response', { statusCode: '200', headers: {} }),
      node('list', 'telnyx-recording-list', {
        provider: 'telnyx',
        account: 'account',
        dailyAccount: '',
        from: '',
        to: '',
        filter: '',
        only: 'missing',
        wires: [['archive'], ['summary']]
      }),
      archive('archive', { retries: 30 }),
      ...recorder('summary', 'summaries.jsonl'),
      ...recorder('seen'),
      ...catchAll()
    ];
    instance = await WebhookInstance.start({
      flow,
      env: { TELNYX_API_KEY: standIn.apiKey },
      nodeArgs: ['--require', path.join(__dirname, '../support/settable-clock.cjs')]
    });
  });
  after(async () => {
    await instance.stop();
    await storage.close();
    await standIn.stop();
  });

  async function setClock(byMs: number): Promise<void> {
    const { nodeRed } = instance;
    const from = nodeRed.log.length;
    writeFileSync(path.join(nodeRed.userDir, 'clock-set'), String(byMs));
    process.kill(nodeRed.pid, 'SIGWINCH');
    await nodeRed.waitForLog(/the clock was set by/, { from });
    shift = byMs;
  }

  const told = (id: string): RecordedMessage[] =>
    instance.nodeRed.recorded().filter(({ recording }) => recording?.['recording_id'] === id);

  async function stored(id: string, expected: string): Promise<RecordedMessage> {
    const message = await until(`the message of ${id}`, () => told(id)[0], { deadline: 40_000 }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}. Log:\n${instance.nodeRed.log}`);
      }
    );
    should(sha256(readFileSync(String(message.payload)))).equal(expected);
    return message;
  }

  /** Delivers an event twice, signed at the time of Node-RED's clock. */
  async function deliver(id: string, links: Record<string, string>): Promise<void> {
    const body = JSON.stringify({
      data: {
        record_type: 'event',
        event_type: 'call.recording.saved',
        id: `event of ${id}`,
        occurred_at: '2026-05-06T07:08:09.100Z',
        payload: { recording_id: id, recording_urls: links }
      }
    });
    const timestamp = Math.floor((Date.now() + shift) / 1000);
    for (let time = 0; time < 2; time += 1)
      should((await instance.deliver(jsonDelivery(body, { timestamp }))).status).equal(200);
  }

  /** Recordings that no event announces. */
  const add = (count: number): StandInRecording[] =>
    Array.from({ length: count }, () => {
      const createdAt = Date.now() - 10 * HOUR;
      return standIn.addRecording({ seconds: 0.2, createdAt, startedAt: createdAt - 60_000 });
    });

  const hashOf = (recording: StandInRecording): string => standIn.expectedFiles(recording)[0]!.sha256;

  /** Lists missing recordings, waits for the end of the list, and for the files. */
  async function list(recordings: StandInRecording[]): Promise<void> {
    const before = instance.nodeRed.recorded('summaries.jsonl').length;
    const { status } = await instance.request('/list', {
      method: 'POST',
      headers: {},
      body: Buffer.alloc(0)
    });
    should(status).equal(200);
    const summaries = await instance.nodeRed.messages(before + 1, {
      file: 'summaries.jsonl',
      deadline: 40_000
    });
    should(summaries.at(-1)!.payload).have.properties({ emitted: recordings.length });
    for (const recording of recordings) await stored(recording.id, hashOf(recording));
  }

  async function allGoesOn(name: string): Promise<void> {
    await list(add(6));
    // Its link can only be replaced by the API.
    const [recording] = add(1);
    await deliver(recording!.id, { mp3: `${storage.url}/gone.mp3` });
    await stored(recording!.id, hashOf(recording!));
    // It takes several attempts, with pauses.
    await deliver(name, { wav: `${storage.url}/${name}.wav` });
    should((await stored(name, sha256(BYTES))).recording).have.property('attempts', 3);
    // Each event that was sent twice is passed on once.
    for (const id of [recording!.id, name]) should(told(id)).have.length(1);
  }

  it('works with the right one', () => allGoesOn('right'));

  it('keeps its pauses when the clock is set back by three hours between two attempts', async () => {
    await deliver('interrupted', { wav: `${storage.url}/interrupted.wav` });
    await until('the first attempt', () => tries.get('interrupted'));
    await setClock(-3 * HOUR);
    await stored('interrupted', sha256(BYTES));
  });

  it('lists, receives and stores with a clock that was set back by three hours', () => allGoesOn('back'));

  it('keeps its pauses when the clock goes back by another ten minutes', async () => {
    await deliver('a-little-more', { wav: `${storage.url}/a-little-more.wav` });
    await until('the first attempt', () => tries.get('a-little-more'));
    await setClock(-3 * HOUR - 600_000);
    await stored('a-little-more', sha256(BYTES));
  });

  it('lists, receives and stores with a clock that is three hours ahead', async () => {
    await setClock(3 * HOUR);
    await allGoesOn('ahead');
  });

  it('works after a restart with the correct clock', async () => {
    await instance.nodeRed.restart();
    shift = 0;
    await allGoesOn('again');
    should(instance.nodeRed.recorded('errors.jsonl')).be.empty();
  });
});
