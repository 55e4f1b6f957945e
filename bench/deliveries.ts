import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { Child } from '../test/support/child-process';
import { account, functionNode, node, tab, webhookIn } from '../test/support/flows';
import { NodeRedProcess } from '../test/support/node-red-process';
import { signingKey } from '../test/support/sign';
import { type BenchResult, median } from './bench-result';

const ROUNDS = 5;
const SECONDS_PER_TURN = 2;
/** Connections, and how many times what the same flow wired manually accepts is to be accepted. */
const TARGETS: readonly [connections: number, ratio: number][] = [
  [1, 0.6],
  [16, 1.7],
  [64, 2.2],
  [128, 2.3]
];
/** Where a bare server is a rival: with one connection we wait for the disk, and it waits for nothing. */
const AGAINST_BARE = [16, 64];
const BARE_TARGET = 0.6;
/** Enough to keep every rival busy. */
const MOST_CONNECTIONS = 128;
/** How many times as long as a sync the way to the disk may take. */
const SYNCS = 1.5;
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
  connections: number;
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
    const ours = { name: 'telnyx-webhook-in', pid: nodeRed.pid, port: nodeRed.port, path: '/ours' };
    const byHand = { ...ours, name: 'http in, function, http response', path: '/by-hand' };
    const plain = { name: 'bare node:http', pid: bare.pid, port: Number(barePort), path: '/' };
    const rows = TARGETS.map(([connections, target]) => ({
      connections,
      target,
      ours: rival(ours, connections),
      byHand: rival(byHand, connections),
      bare: AGAINST_BARE.includes(connections) ? rival(plain, connections) : null
    }));
    const forged = rival(ours, MOST_CONNECTIONS, true);
    const all = [...rows.flatMap((row) => [row.ours, row.byHand, row.bare ?? []].flat()), forged];
    const syncs: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const each of all) {
        // The first round warms up and tells how many deliveries fill a turn.
        const rate = each.turns.at(-1)?.perSecond;
        each.turns.push(await turn(each, rate ? Math.ceil(rate * SECONDS_PER_TURN) : FIRST_COUNT));
      }
      syncs.push(medianSync(nodeRed.userDir));
    }
    for (const each of all) each.turns.shift();
    return results(rows, forged, median(syncs));
  } finally {
    await bare.end();
    await nodeRed.stop();
  }
}

function rival(
  server: Pick<Rival, 'name' | 'pid' | 'port' | 'path'>,
  connections: number,
  forged = false
): Rival {
  return { ...server, connections, forged, status: forged ? 401 : 200, turns: [] };
}

/** Milliseconds of a sync after 1 kB was appended to a file, on the disk that the deliveries are written to. */
function medianSync(directory: string): number {
  const file = path.join(directory, 'sync-probe');
  const handle = openSync(file, 'w');
  const bytes = Buffer.alloc(1024, 'x');
  const took = Array.from({ length: 200 }, () => {
    writeSync(handle, bytes);
    const begun = performance.now();
    fdatasyncSync(handle);
    return performance.now() - begun;
  });
  closeSync(handle);
  rmSync(file);
  return median(took);
}

async function turn(rival: Rival, count: number): Promise<Turn> {
  const { port, path: where, forged, connections } = rival;
  const task = { port, path: where, forged, count, connections, seed: SEED };
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

interface Row {
  connections: number;
  target: number;
  ours: Rival;
  byHand: Rival;
  bare: Rival | null;
}

/** @param sync milliseconds */
function results(rows: readonly Row[], forged: Rival, sync: number): BenchResult[] {
  const found: BenchResult[] = [];
  for (const { connections, target, ours, byHand, bare } of rows) {
    const at = `with ${connections} connection${connections === 1 ? '' : 's'}`;
    found.push({
      name: `accepted deliveries per second ${at}, against http in + function + http response`,
      ratio: rate(ours) / rate(byHand),
      target,
      details: [line(ours), line(byHand)]
    });
    found.push(
      connections === 1
        ? {
            name: `p50 ${at}: that of the same flow by hand and ${SYNCS} syncs, against ours`,
            ratio: (latency(byHand, 'p50') + SYNCS * sync) / latency(ours, 'p50'),
            target: 1,
            details: [`a sync after 1 kB: ${sync.toFixed(2)} ms`]
          }
        : {
            name: `p99 ${at}, how many times shorter than that of the same flow by hand`,
            ratio: latency(byHand, 'p99') / latency(ours, 'p99'),
            target: 1,
            details: []
          }
    );
    if (bare !== null)
      found.push({
        name: `accepted deliveries per second ${at}, against a bare node:http server`,
        ratio: rate(ours) / rate(bare),
        target: BARE_TARGET,
        details: [line(bare)]
      });
  }
  const most = rows.at(-1);
  if (most !== undefined)
    found.push({
      name: 'forged deliveries refused per second, against accepted ones',
      ratio: rate(forged) / rate(most.ours),
      target: 1,
      details: [line(forged)]
    });
  return found;
}

function rate({ turns }: Rival): number {
  return median(turns.map(({ perSecond }) => perSecond));
}

function latency({ turns }: Rival, which: 'p50' | 'p99'): number {
  return median(turns.map((each) => each[which]));
}

function line(rival: Rival): string {
  const each = rival.turns.map(({ perSecond }) => perSecond.toFixed(0)).join(', ');
  const times = `p50 ${latency(rival, 'p50').toFixed(2)} ms, p99 ${latency(rival, 'p99').toFixed(2)} ms`;
  const cpu = median(rival.turns.map((one) => one.cpu)).toFixed(0);
  const main = median(rival.turns.map((one) => one.mainThread)).toFixed(0);
  return (
    `${rival.name}, ${rival.connections}: median ${rate(rival).toFixed(0)}/s (${each}); ${times}; ${cpu} µs of ` +
    `processor each, ${main} on the main thread`
  );
}
