import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Child } from '../test/support/child-process';
import { account, functionNode, node, tab, webhookIn } from '../test/support/flows';
import { NodeRedProcess } from '../test/support/node-red-process';
import { signingKey } from '../test/support/sign';
import { type BenchResult, median } from './bench-result';

const ROUNDS = 5;
/** Enough to keep every rival busy; with fewer, ours waits for the disk while processors are idle. */
const CONNECTIONS = 128;
const SECONDS_PER_TURN = 3;
const FIRST_COUNT = 2000;
const SEED = 0x33;
const KEY = signingKey(SEED).publicKey;

/** A receiver for our event that does nothing; the manual flow passes its message to the answering node. */
const USE = 'use';

/** The flow that users build today: manual verification, as well as a function node can do it. */
const BY_HAND = `
const timestamp = msg.req.headers['telnyx-timestamp'] || '';
const signature = Buffer.from(msg.req.headers['telnyx-signature-ed25519'] || '', 'base64');
const signed = Buffer.concat([Buffer.from(timestamp + '|'), msg.payload]);
const fresh = /^\\d+$/.test(timestamp) && Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
if (fresh && crypto.verify(null, signed, context.get('key'), signature)) {
  msg.event = JSON.parse(msg.payload.toString());
  msg.statusCode = 200;
} else {
  msg.statusCode = 401;
}
msg.payload = '';
return msg;
`;

const FLOW = [
  tab(),
  account({ publicKeys: KEY }),
  webhookIn({ path: '/ours', wires: [[USE]] }),
  node(USE, 'debug', { active: false, tosidebar: false, console: false, tostatus: false, wires: [] }),
  node('in', 'http in', { url: '/by-hand', method: 'post', skipBodyParsing: true, wires: [['verify']] }),
  functionNode('verify', BY_HAND, {
    initialize: `
      const x = Buffer.from('${KEY}', 'base64').toString('base64url');
      context.set('key', crypto.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }));`,
    libs: [{ var: 'crypto', module: 'crypto' }],
    wires: [['out']]
  }),
  node('out', 'http response', { statusCode: '', headers: {} })
];

interface Rival {
  name: string;
  pid: number;
  port: number;
  path: string;
  forged: boolean;
  status: number;
  turns: Turn[];
}

interface Turn {
  perSecond: number;
  p50: number;
  p99: number;
  statuses: Record<string, number>;
  /** Microseconds of processor time per delivery of the server, on all its threads. */
  cpu: number;
  /** The part of `cpu` on the main thread, which limits the rate when processors are free. */
  mainThread: number;
}

/**
 * Accepted deliveries per second of the webhook node against a flow that does the same manually on the same
 * Node-RED, and against a bare `node:http` server; rejected forgeries against accepted deliveries. The rivals
 * take turns; every turn has fresh deliveries, signed before its clock starts.
 */
export async function run(): Promise<BenchResult[]> {
  // A Node-RED with default settings, the most common case.
  const nodeRed = await NodeRedProcess.start({
    flow: FLOW,
    settings: { functionExternalModules: true }
  });
  const bare = new Child(path.join(__dirname, 'processes/bare-server.mjs'), [KEY]);
  try {
    const [, barePort] = await bare.waitForOutput(/port (\d+)/);
    const rival = (
      name: string,
      { pid }: { pid: number },
      port: number,
      where: string,
      forged = false
    ): Rival => ({
      name,
      pid,
      port,
      path: where,
      forged,
      status: forged ? 401 : 200,
      turns: []
    });
    const ours = rival('telnyx-webhook-in', nodeRed, nodeRed.port, '/ours');
    const byHand = rival('http in, function, http response', nodeRed, nodeRed.port, '/by-hand');
    const plain = rival('bare node:http', bare, Number(barePort), '/');
    const forged = rival('telnyx-webhook-in, forged', nodeRed, nodeRed.port, '/ours', true);
    const all = [ours, byHand, plain, forged];
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const each of all) {
        // The first round warms up and determines how many deliveries fill a turn.
        const rate = each.turns.at(-1)?.perSecond;
        each.turns.push(await turn(each, rate ? Math.ceil(rate * SECONDS_PER_TURN) : FIRST_COUNT));
      }
    }
    for (const each of all) each.turns.shift();
    return results(ours, byHand, plain, forged);
  } finally {
    await bare.end();
    await nodeRed.stop();
  }
}

async function turn(rival: Rival, count: number): Promise<Turn> {
  const { port, path: where, forged } = rival;
  const task = { port, path: where, forged, count, connections: CONNECTIONS, seed: SEED };
  const client = new Child(path.join(__dirname, 'processes/load-client.mjs'), [JSON.stringify(task)]);
  await client.waitForOutput(/^ready$/m, { deadline: 120_000 });
  const before = processorTime(rival.pid);
  const mainBefore = processorTime(rival.pid, `task/${rival.pid}/`);
  const [line] = await client.waitForOutput(/^\{.*\}$/m, { deadline: 120_000 });
  const cpu = (processorTime(rival.pid) - before) / count;
  const mainThread = (processorTime(rival.pid, `task/${rival.pid}/`) - mainBefore) / count;
  await client.end();
  const result = { ...(JSON.parse(line) as Turn), cpu, mainThread };
  if (result.statuses[rival.status] !== count) {
    throw new Error(`${rival.name} answered ${JSON.stringify(result.statuses)} instead of ${rival.status}`);
  }
  return result;
}

/** Microseconds used so far by a process or one of its threads; NaN without /proc. */
function processorTime(pid: number, thread = ''): number {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/${thread}stat`, 'utf8').split(') ');
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return ((user ?? NaN) + (system ?? NaN)) * 10_000;
  } catch {
    return NaN;
  }
}

function results(ours: Rival, byHand: Rival, plain: Rival, forged: Rival): BenchResult[] {
  const rate = ({ turns }: Rival) => median(turns.map(({ perSecond }) => perSecond));
  const p99 = ({ turns }: Rival) => median(turns.map((each) => each.p99));
  const line = (rival: Rival) => {
    const p50 = median(rival.turns.map((each) => each.p50));
    const each = rival.turns.map(({ perSecond }) => perSecond.toFixed(0)).join(', ');
    const latency = `p50 ${p50.toFixed(2)} ms, p99 ${p99(rival).toFixed(2)} ms`;
    const cpu = median(rival.turns.map((one) => one.cpu)).toFixed(0);
    const main = median(rival.turns.map((one) => one.mainThread)).toFixed(0);
    return `${rival.name}: median ${rate(rival).toFixed(0)}/s (${each}); ${latency}; ${cpu} µs of processor each, ${main} on the main thread`;
  };
  return [
    {
      name: 'accepted deliveries per second, against http in + function + http response',
      ratio: rate(ours) / rate(byHand),
      target: 2,
      details: [line(ours), line(byHand)]
    },
    {
      name: 'p99 latency, how many times shorter than with the same manual flow',
      ratio: p99(byHand) / p99(ours),
      target: 1,
      details: []
    },
    {
      name: 'accepted deliveries per second, against a bare node:http server',
      ratio: rate(ours) / rate(plain),
      target: 0.6,
      details: [line(plain)]
    },
    {
      name: 'forged deliveries rejected per second, against accepted ones',
      ratio: rate(forged) / rate(ours),
      target: 1,
      details: [line(forged)]
    }
  ];
}
