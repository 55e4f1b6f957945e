import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { account, catchAll, config, functionNode, node, recorder, tab } from '../support/flows';
import { type LocalServer, localServer } from '../support/media';
import { type FlowNode, NodeRedProcess } from '../support/node-red-process';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';

/** Node-RED itself looks into every package.json. */
const LIBRARY = /node_modules\/(bullmq|ioredis)\/.*\.c?js$/;

describe('two Node-REDs with one list', function () {
  this.timeout(120_000);
  let redis: RedisServer;
  let standIn: TelnyxStandIn;
  let api: LocalServer;
  let directory: string;
  let a: NodeRedProcess;
  let b: NodeRedProcess;
  /** Let the requests to the API pass that wait. */
  const passing: (() => void)[] = [];

  const flow = (queue: string): FlowNode[] => [
    tab(),
    account({ apiUrl: `${api.url}/v2` }),
    ...(queue === ''
      ? []
      : [config('queue', 'telnyx-queue', { url: redis.url, prefix: 'telnyx', whenAway: 'hold' })]),
    node('trigger', 'http in', {
      ...{ url: '/run', method: 'get', upload: false, swaggerDoc: '', wires: [['took']] }
    }),
    functionNode('took', "return [{ ...msg, payload: 'begun' }, { topic: 'test' }];", {
      outputs: 2,
      wires: [['answer'], ['list']]
    }),
    node('answer', 'http response', { statusCode: '200', headers: {} }),
    node('list', 'telnyx-recording-list', {
      ...{ provider: 'telnyx', account: 'account', dailyAccount: '', from: '', to: '', filter: '' },
      ...{ only: 'missing', queue, wires: [['archive', 'listed'], ['summary']] }
    }),
    node('archive', 'telnyx-recording-download', {
      ...{ account: 'account', destination: 'folder', network: 'any', queue, wires: [['stored']] },
      ...{ folder: path.join(directory, 'archive'), filename: '{{recording_id}}.{{ext}}' }
    }),
    node('complete', 'complete', { scope: ['list'], uncaught: false, wires: [['completed']] }),
    node('status', 'status', { scope: ['list'], wires: [['statuses']] }),
    ...['listed', 'summary', 'stored', 'completed', 'statuses'].flatMap((id) => recorder(id, `${id}.jsonl`)),
    ...catchAll()
  ];
  const run = async (of: NodeRedProcess): Promise<void> => {
    should(await (await fetch(`${of.url}/run`)).text()).equal('begun');
  };
  const pass = (): void => {
    for (const one of passing.splice(0)) one();
  };

  const loaded = async (of: NodeRedProcess): Promise<string[]> => {
    const file = path.join(directory, 'loaded');
    rmSync(file, { force: true });
    process.kill(of.pid, 'SIGCONT');
    await until('the modules', () => existsSync(file));
    return readFileSync(file, 'utf8').split('\n');
  };

  before(async function () {
    redis = await RedisServer.start(this);
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-lists-'));
    standIn = new TelnyxStandIn();
    await standIn.start();
    standIn.addRecording({ seconds: 0.1 });
    api = await localServer((request, response) => {
      passing.push(() => {
        const headers = { authorization: String(request.headers.authorization) };
        void fetch(standIn.url + String(request.url), { headers }).then(async (answer) => {
          response.writeHead(answer.status, { 'content-type': String(answer.headers.get('content-type')) });
          response.end(Buffer.from(await answer.arrayBuffer()));
        });
      });
    });
    const options = {
      flow: flow(''),
      env: { TELNYX_API_KEY: standIn.apiKey, LOADED_MODULES_FILE: path.join(directory, 'loaded') },
      nodeArgs: ['--require', path.join(__dirname, '../support/loaded-modules.cjs')]
    };
    [a, b] = await Promise.all([NodeRedProcess.start(options), NodeRedProcess.start(options)]);
  });

  after(async () => {
    pass();
    for (const one of [a, b] as (NodeRedProcess | undefined)[]) await one?.stop();
    await (api as LocalServer | undefined)?.close();
    await (standIn as TelnyxStandIn | undefined)?.stop();
    await (redis as RedisServer | undefined)?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('load neither BullMQ nor ioredis before they have a queue', async () => {
    await run(a);
    await until('the request', () => passing.length > 0);
    const passes = setInterval(pass, 20);
    try {
      await a.messages(1, { file: 'stored.jsonl' });
    } finally {
      clearInterval(passes);
    }
    const files = await loaded(a);
    should(files.filter((file) => file.includes('node-red-telnyx/dist/nodes/')).length).be.above(10);
    should(files.filter((file) => LIBRARY.test(file))).eql([]);

    for (const one of [a, b]) {
      const from = one.log.length;
      await one.deploy(flow('queue'));
      await one.waitForLog(/Redis \(.*\) answers/, { from });
    }
    await until('both libraries', async () => {
      const found = (await loaded(a)).flatMap((file) => LIBRARY.exec(file)?.[1] ?? []);
      return new Set(found).size === 2;
    });
  });

  it('run it on one of them; the other one is done at once, says where it runs, and emits nothing', async () => {
    const before = [a, b].map((one) => one.recorded('completed.jsonl').length);
    await run(a);
    await until('the request', () => passing.length > 0);
    await run(b);
    await b.messages(before[1]! + 1, { file: 'completed.jsonl' });
    const texts = (): unknown[] =>
      b.recorded('statuses.jsonl').map(({ status }) => (status as { text?: string }).text);
    await until('the status', () => texts().some((text) => /elsewhere|runs on/.test(String(text))));
    should(texts().at(-1)).equal(`runs on ${hostname()}`);
    should(a.recorded('completed.jsonl').length).equal(before[0]);
    const passes = setInterval(pass, 20);
    try {
      await a.messages(before[0]! + 1, { file: 'completed.jsonl' });
    } finally {
      clearInterval(passes);
    }
    // A schedule that starts here a moment later does not repeat it.
    await run(b);
    await b.messages(before[1]! + 2, { file: 'completed.jsonl' });
    for (const file of ['listed.jsonl', 'summary.jsonl', 'errors.jsonl']) should(b.recorded(file)).eql([]);
    should(a.recorded('summary.jsonl')).have.length(2);
  });
});
