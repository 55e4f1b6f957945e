import should from 'should';
import { RequestLimit } from '../../src/simulator/request-limit';
import { account, config, functionNode, node, recorder, tab } from '../support/flows';
import { type LocalServer, localServer } from '../support/media';
import { type FlowNode, NodeRedProcess } from '../support/node-red-process';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';

/** Requests that the API answers in each second, from all clients together. */
const LIMIT = 10;
const PAGES = 1500;

describe('two Node-REDs with one account and one queue', function () {
  this.timeout(180_000);
  let redis: RedisServer;
  let api: LocalServer;
  let a: NodeRedProcess;
  let b: NodeRedProcess;
  let refused = 0;
  /** How many requests each made, second by second. */
  const asked = new Map<number, { a: number; b: number }>();

  const flow = (name: string): FlowNode[] => [
    tab(),
    account({ apiUrl: `${api.url}/${name}` }),
    config('queue', 'telnyx-queue', { url: redis.url, prefix: 'telnyx', whenAway: 'hold' }),
    node('trigger', 'http in', {
      ...{ url: '/run', method: 'get', upload: false, swaggerDoc: '', wires: [['took']] }
    }),
    functionNode('took', "return [{ ...msg, payload: 'begun' }, { topic: 'test' }];", {
      outputs: 2,
      wires: [['answer'], [`list-${name}`]]
    }),
    node('answer', 'http response', { statusCode: '200', headers: {} }),
    // Not one list: that would run on one of them.
    node(`list-${name}`, 'telnyx-recording-list', {
      ...{ provider: 'telnyx', account: 'account', dailyAccount: '', from: '', to: '', filter: '' },
      ...{ only: 'missing', queue: 'queue', wires: [['listed'], []] }
    }),
    ...recorder('listed', 'listed.jsonl')
  ];
  /** The last seconds that are over. */
  const last = (count: number): { a: number; b: number }[] => [...asked.values()].slice(-count - 1, -1);

  before(async function () {
    redis = await RedisServer.start(this);
    const limit = new RequestLimit({ requests: LIMIT, seconds: 1 }, Date.now);
    let window = 0;
    api = await localServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://localhost');
      const { allowed, headers } = limit.take();
      if (headers['x-ratelimit-remaining'] === String(LIMIT - 1) && allowed) window += 1;
      const second = asked.get(window) ?? { a: 0, b: 0 };
      asked.set(window, second);
      second[url.pathname.startsWith('/a/') ? 'a' : 'b'] += 1;
      if (!allowed) refused += 1;
      const number = Number(url.searchParams.get('page[number]'));
      const item = { id: `recording-${number}`, record_type: 'recording', status: 'completed' };
      const page = { data: [item], meta: { total_pages: PAGES, total_results: PAGES, page_number: number } };
      response
        .writeHead(allowed ? 200 : 429, { ...headers, 'content-type': 'application/json' })
        .end(JSON.stringify(page));
    });
    const start = (name: string): Promise<NodeRedProcess> =>
      NodeRedProcess.start({ flow: flow(name), env: { TELNYX_API_KEY: 'KEY0123' } });
    [a, b] = await Promise.all([start('a'), start('b')]);
    for (const one of [a, b]) await one.waitForLog(/Redis \(.*\) answers/);
  });

  after(async () => {
    for (const one of [a, b] as (NodeRedProcess | undefined)[]) await one?.stop();
    await (api as LocalServer | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
  });

  it('ask its API half as often each, as soon as they know of one another', async () => {
    for (const one of [a, b]) should(await (await fetch(`${one.url}/run`)).text()).equal('begun');
    const half = LIMIT / 2;
    const isShared = (each: { a: number; b: number }): boolean =>
      Math.min(each.a, each.b) > 0 && Math.max(each.a, each.b) <= half;
    await until('five seconds of halves', () => {
      const seconds = last(5);
      return seconds.length === 5 && seconds.every(isShared);
    });
    const before = refused;
    const since = asked.size;
    await until('five more', () => asked.size >= since + 6);
    should(last(5).filter((each) => !isShared(each))).eql([]);
    should(refused).equal(before);
  });

  it('leave the whole to the one that is left', async () => {
    await b.stop();
    await until('the whole', () => last(3).every((each) => each.a > LIMIT / 2 && each.b === 0));
  });
});
