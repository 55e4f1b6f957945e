import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { type CountingProxy, countingProxy } from '../support/counting-proxy';
import { account, catchAll, functionNode, node, recorder, tab } from '../support/flows';
import { sha256 } from '../support/media';
import { NodeRedProcess } from '../support/node-red-process';
import { type StoredCopy, storeLongAgo } from '../support/stored-recordings';

const RECORDINGS = 10_000;
const NEVER_ANNOUNCED = 37;
const DAMAGED = 5;
const DAY = 86_400_000;
const API_LIMIT = { requests: 10, seconds: 1 };
const MOST_MORE_MEMORY = 120 * 1024 * 1024;

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
    filename: '{{year}}/{{recording_id}}.{{ext}}',
    network: 'any',
    wires: [['seen']]
  }),
  ...recorder('summary', 'summaries.jsonl'),
  ...recorder('seen')
];

describe('an account of 10,000 recordings, some of them never announced and some damaged on disk', function () {
  this.timeout(180_000);
  let standIn: TelnyxStandIn;
  let api: CountingProxy;
  let nodeRed: NodeRedProcess;
  let stored: StoredCopy[];

  before(async () => {
    standIn = new TelnyxStandIn({ apiLimit: API_LIMIT });
    await standIn.start();
    api = await countingProxy(standIn.url);
    const now = Date.now();
    // More by day than by night, over two years.
    const recordings = Array.from({ length: RECORDINGS }, (_value, index) => {
      const createdAt = now - Math.floor((730 * DAY * index) / RECORDINGS) - (index % 7) * 3_600_000;
      return standIn.addRecording({ seconds: 0.1, createdAt, startedAt: createdAt - 60_000 });
    });
    nodeRed = await NodeRedProcess.start({
      flow: [tab(), account({ apiUrl: `${api.url}/v2` }), ...FLOW, ...catchAll()],
      env: { TELNYX_API_KEY: standIn.apiKey },
      // Node.js 24 lets garbage grow by 100 MB before it collects it. Only what is held matters here.
      nodeArgs: ['--max-semi-space-size=8']
    });
    const announced = recordings.filter(
      (_recording, index) => index % 270 !== 13 || index > 270 * NEVER_ANNOUNCED
    );
    stored = storeLongAgo(path.join(nodeRed.userDir, 'archive'), announced);
    should(recordings.length - stored.length).equal(NEVER_ANNOUNCED);
    for (const { path: file } of stored) should(existsSync(file)).be.true();
  });
  after(async () => {
    await nodeRed.stop();
    await api.close();
    await standIn.stop();
  });

  async function run(message: object): Promise<Record<string, unknown>> {
    const before = nodeRed.recorded('summaries.jsonl').length;
    const response = await fetch(`${nodeRed.url}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message)
    });
    should(response.status).equal(200);
    await response.arrayBuffer();
    const summaries = await nodeRed.messages(before + 1, { file: 'summaries.jsonl', deadline: 120_000 });
    return summaries.at(-1)!.payload as Record<string, unknown>;
  }

  it('is indexed from its sidecars', async () => {
    const { rebuild } = await run({ rebuild: true, folder: 'archive' });
    should(rebuild).eql({
      sidecars: RECORDINGS - NEVER_ANNOUNCED,
      indexed: RECORDINGS - NEVER_ANNOUNCED,
      known: 0,
      missing: 0,
      changed: 0,
      deleted: 0,
      refused: 0,
      unusable: 0
    });
  });

  it('is complete and intact after one run', async () => {
    const damaged = stored.filter((_copy, index) => index % 1900 === 50).slice(0, DAMAGED);
    should(damaged).have.length(DAMAGED);
    damaged.forEach(({ path: file }, index) => {
      if (index < 2) unlinkSync(file);
      else writeFileSync(file, Buffer.concat([readFileSync(file).subarray(0, -1), Buffer.from([7])]));
    });
    const before = memoryOf(nodeRed.pid, 'VmRSS');

    const summary = await run({ verify: true });
    should(summary).have.properties({
      listed: RECORDINGS,
      stored: RECORDINGS - NEVER_ANNOUNCED,
      missing: NEVER_ANNOUNCED,
      not_ready: 0,
      without_file: 0,
      emitted: NEVER_ANNOUNCED + DAMAGED,
      from: null,
      complete: true,
      errors: []
    });
    should(summary['verify']).eql({
      files: RECORDINGS - NEVER_ANNOUNCED,
      intact: RECORDINGS - NEVER_ANNOUNCED - DAMAGED,
      changed: DAMAGED - 2,
      missing: 2,
      unreadable: 0
    });
    await nodeRed.messages(NEVER_ANNOUNCED + DAMAGED);
    const more = memoryOf(nodeRed.pid, 'VmHWM') - before;
    should(more).be.below(MOST_MORE_MEMORY);
    should([...api.statuses.keys()]).eql([200]);
    if (process.env['TELNYX_TEST_NUMBERS'])
      console.log({ before, more, requests: api.requests.length, summary });

    const files = readdirSync(path.join(nodeRed.userDir, 'archive'), { recursive: true }).map(String);
    should(files.filter((name) => name.endsWith('.mp3'))).have.length(RECORDINGS);
    should(files.filter((name) => /\.damaged-\w+$/.test(name))).have.length(DAMAGED - 2);
    for (const { path: file, sha256: expected } of stored) should(sha256(readFileSync(file))).equal(expected);
  });

  it('has nothing more to fetch in the next run', async () => {
    const summary = await run({ verify: true });
    should(summary).have.properties({ listed: RECORDINGS, stored: RECORDINGS, missing: 0, emitted: 0 });
    should(summary['verify']).have.properties({ files: RECORDINGS, intact: RECORDINGS });
    should(api.statuses.get(429)).be.undefined();
  });
});

/** The memory of a process in bytes: current (`VmRSS`) or peak (`VmHWM`). */
function memoryOf(pid: number, kind: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`^${kind}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8')
  )?.[1];
  if (kilobytes === undefined) throw new Error(`The system does not report ${kind}`);
  return Number(kilobytes) * 1024;
}
