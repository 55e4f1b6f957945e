import { existsSync, readFileSync, readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import type { StandInRecording } from '../../src/simulator/telnyx/recording-shelf';
import type { StandInTranscription } from '../../src/simulator/telnyx/transcriptions-api';
import { type CountingProxy, countingProxy } from '../support/counting-proxy';
import { json } from '../support/daily-server';
import { account, catchAll, functionNode, node, recorder, tab } from '../support/flows';
import { NodeRedProcess, type RecordedMessage } from '../support/node-red-process';

const HOUR = 3_600_000;

const FLOW = [
  node('trigger', 'http in', {
    url: '/run',
    method: 'post',
    upload: false,
    swaggerDoc: '',
    wires: [['took']]
  }),
  functionNode('took', 'node.send([{ ...msg, payload: "begun" }, { ...msg.payload, topic: "test" }]);', {
    outputs: 2,
    wires: [['answer'], ['list']]
  }),
  node('answer', 'http response', { statusCode: '200', headers: {} }),
  node('list', 'telnyx-recording-list', {
    provider: 'telnyx',
    account: 'account',
    dailyAccount: '',
    what: 'transcripts',
    from: '',
    to: '',
    filter: '',
    only: 'missing',
    wires: [['archive'], ['summary']]
  }),
  node('archive', 'telnyx-recording-download', {
    account: 'account',
    destination: 'folder',
    folder: 'archive',
    filename: '{{recording_id}}.{{ext}}',
    network: 'any',
    retries: '1',
    wires: [['seen']]
  }),
  ...recorder('summary', 'summaries.jsonl'),
  ...recorder('seen')
];

/** Answers a request in place of the API, or returns false. */
type Fault = (response: ServerResponse, request: IncomingMessage) => boolean;

describe('transcripts that no event announced, in a real Node-RED', function () {
  this.timeout(120_000);
  let standIn: TelnyxStandIn;
  let api: CountingProxy;
  let nodeRed: NodeRedProcess;
  let fault: Fault = () => false;

  beforeEach(async () => {
    fault = () => false;
    standIn = new TelnyxStandIn();
    await standIn.start();
    api = await countingProxy(
      standIn.url,
      (request, response) =>
        request.url?.startsWith('/v2/recording_transcriptions?') === true && fault(response, request)
    );
    nodeRed = await NodeRedProcess.start({
      flow: [tab(), account({ apiUrl: `${api.url}/v2` }), ...FLOW, ...catchAll()],
      env: { TELNYX_API_KEY: standIn.apiKey }
    });
  });
  afterEach(async () => {
    await nodeRed.stop();
    await api.close();
    await standIn.stop();
  });

  type Summary = Record<string, unknown> & { errors: { code: string; message: string }[] };

  async function run(message: object = {}): Promise<Summary> {
    const before = nodeRed.recorded('summaries.jsonl').length;
    const response = await fetch(`${nodeRed.url}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message)
    });
    should(response.status).equal(200);
    await response.arrayBuffer();
    const summaries = await nodeRed.messages(before + 1, { file: 'summaries.jsonl', deadline: 60_000 });
    return summaries.at(-1)!.payload as Summary;
  }

  const errors = (count: number): Promise<RecordedMessage[]> =>
    nodeRed.messages(count, { file: 'errors.jsonl' });
  const recording = (): StandInRecording => standIn.addRecording({ seconds: 0.2 });
  const inArchive = (name: string): string => path.join(nodeRed.userDir, 'archive', name);
  const sidecarOf = ({ id }: StandInRecording): Record<string, unknown> =>
    JSON.parse(readFileSync(inArchive(`${id}.mp3.json`), 'utf8')) as Record<string, unknown>;

  function shouldBeFiled(of: StandInRecording, { text, createdAt }: StandInTranscription): void {
    should(readFileSync(inArchive(`${of.id}.txt`), 'utf8')).equal(text);
    should(existsSync(inArchive(`${of.id}.mp3`))).be.true();
    should(sidecarOf(of)).have.properties({
      transcription: text,
      transcription_file: inArchive(`${of.id}.txt`),
      transcribed_at: new Date(createdAt).toISOString()
    });
  }

  it('are filed beside their recordings, once', async () => {
    const now = Date.now();
    const [stored, deletedSince, fresh, unfinished] = [recording(), recording(), recording(), recording()];
    await run({ what: 'recordings', filter: {} });
    await nodeRed.messages(4);
    standIn.addTranscription('gone-rec', { text: 'of a recording that is gone', createdAt: now - HOUR });
    const texts = [stored, deletedSince, fresh].map(({ id }, index) =>
      standIn.addTranscription(id, { text: `Text number ${index}. „Grüezi“`, createdAt: now - index * HOUR })
    );
    const late = standIn.addTranscription(unfinished.id, {
      status: 'in-progress',
      text: '',
      createdAt: now - 1
    });
    await remove(deletedSince);

    const first = await run();
    should(first).have.properties({ listed: 0, emitted: 4, complete: true, errors: [] });
    should(first['transcripts']).eql({
      listed: 5,
      stored: 0,
      deleted: 0,
      missing: 4,
      not_ready: 1,
      without_file: 0
    });
    const filed = (await nodeRed.messages(4 + 3)).slice(4);
    for (const { topic, recording: details } of filed) {
      should(topic).equal('transcript.missing');
      should(details).have.properties({ already_stored: true });
    }
    for (const [index, one] of [stored, deletedSince, fresh].entries()) shouldBeFiled(one, texts[index]!);

    // Its recording is neither here nor at Telnyx; the text is in the message that Catch nodes get.
    const [failed] = await errors(1);
    should(failed!.error).have.property('code', 'API_NOT_FOUND');
    should(failed!.payload).have.property('transcription_text', 'of a recording that is gone');

    late.status = 'completed';
    late.text = 'Finished now.';
    const second = await run();
    should(second['transcripts']).eql({
      listed: 5,
      stored: 3,
      deleted: 0,
      missing: 2,
      not_ready: 0,
      without_file: 0
    });
    await nodeRed.messages(4 + 4);
    shouldBeFiled(unfinished, late);
    should(readdirSync(inArchive('.')).filter((name) => name.endsWith('.txt'))).have.length(4);
  });

  it('come with recordings that are not stored yet, in one run', async () => {
    const [one, two] = [recording(), recording()];
    const text = standIn.addTranscription(one.id, { text: 'Both are missing.' });
    const summary = await run({ what: 'both' });
    should(summary).have.properties({ listed: 2, missing: 2, emitted: 3, complete: true });
    should(summary['transcripts']).have.properties({ listed: 1, missing: 1 });
    await nodeRed.messages(3);
    shouldBeFiled(one, text);
    should(existsSync(inArchive(`${two.id}.txt`))).be.false();
    should([standIn.downloads(one), standIn.downloads(two)]).eql([1, 1]);
    should(await run({ what: 'both' })).have.properties({ stored: 2, missing: 0, emitted: 0 });
  });

  it('survive a kill of Node-RED between list and download', async () => {
    const one = recording();
    await run({ what: 'recordings' });
    await nodeRed.messages(1);
    const text = standIn.addTranscription(one.id, { text: 'Told before the kill.' });
    await run();
    await nodeRed.kill();
    await nodeRed.start();
    // Whether the job was on disk or not: a second run finds what is missing, and nothing else.
    await run();
    await nodeRed.messages(2);
    shouldBeFiled(one, text);
    should((await run())['transcripts']).have.properties({ stored: 1, missing: 0 });
  });

  it('are listed completely or the summary says so, whatever the API does', async () => {
    const one = recording();
    await run({ what: 'recordings' });
    await nodeRed.messages(1);
    should((await run())['transcripts']).have.properties({ listed: 0 });
    const text = standIn.addTranscription(one.id);

    fault = (response) => refuse(response, 401, '10009');
    should(await run())
      .have.properties({ complete: false, emitted: 0 })
      .and.match({ errors: [{ code: 'API_UNAUTHORIZED' }] });
    fault = (response) => refuse(response, 404, '10005');
    should(await run())
      .have.properties({ complete: false })
      .and.match({ errors: [{ code: 'API_NOT_FOUND' }] });
    fault = (response) => {
      json(response, 200, { data: 'no list' });
      return true;
    };
    should(await run())
      .have.properties({ complete: false })
      .and.match({ errors: [{ code: 'LINK_REFUSED' }] });
    should((await errors(3)).map(({ error }) => error?.code)).eql([
      'API_UNAUTHORIZED',
      'API_NOT_FOUND',
      'LINK_REFUSED'
    ]);

    // The text without the id of its recording: it can be filed nowhere, and is not forgotten.
    fault = (response) => {
      json(response, 200, {
        data: [{ id: 'text-1', status: 'completed', transcription_text: 'lost?' }],
        meta: {}
      });
      return true;
    };
    should(await run())
      .have.properties({ complete: false })
      .and.match({ errors: [{ code: 'LIST_INCOMPLETE' }] });

    // The same page for ever.
    fault = (response, request) => {
      const item = {
        id: 'text-1',
        recording_id: one.id,
        status: 'in-progress',
        created_at: new Date().toISOString()
      };
      json(response, 200, { data: [item], meta: { next: `${String(request.url)}&page[after]=again` } });
      return true;
    };
    const endless = await run();
    should(endless)
      .have.properties({ complete: false })
      .and.match({ errors: [{ code: 'LIST_INCOMPLETE' }] });
    should(endless['transcripts']).have.properties({ listed: 1, not_ready: 1 });

    // Faults that pass: a limit, half an answer.
    let requests = 0;
    fault = (response) => {
      requests += 1;
      if (requests === 1) return refuse(response, 429, '10011', { 'retry-after': '1' });
      if (requests !== 2) return false;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write('{"data": [{"id": "te', () => response.destroy());
      return true;
    };
    const summary = await run();
    should(requests).be.aboveOrEqual(3);
    should(summary).have.properties({ complete: true, errors: [], emitted: 1 });
    await nodeRed.messages(2);
    shouldBeFiled(one, text);
  });

  it('refuses filters that Telnyx would ignore, because it would list everything', async () => {
    const response = await fetch(`${nodeRed.url}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ filter: { connection_id: 'c-1' } })
    });
    await response.arrayBuffer();
    const [failed] = await errors(1);
    should(failed!.error).have.property('code', 'BAD_SETTING');
    should(failed!.error?.message).containEql('recording_id');
    should(api.requests).be.empty();
  });

  async function remove({ id }: StandInRecording): Promise<void> {
    const response = await fetch(`${standIn.apiUrl}/recordings/${id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${standIn.apiKey}` }
    });
    should(response.status).equal(200);
    await response.arrayBuffer();
  }
});

function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {}
): true {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, title: 'Made up' }] }));
  return true;
}
