import { createRequire } from 'node:module';
import { account, functionNode, node, tab, webhookIn } from '../test/support/flows';
import { exchange } from '../test/support/http-client';
import { holdEvent, jsonDelivery } from '../test/support/deliveries';
import { type FlowNode, NodeRedProcess } from '../test/support/node-red-process';
import { TRUSTED } from '../test/support/sign';
import type { BenchResult } from './bench-result';
import { processorTime } from './process-cost';

const ROUNDS = 20;
const MESSAGES = 2000;
/** Function nodes that each message passes through, one after another. */
const CHAIN = 10;

/** The status with which a chain says that the hooks were there. */
const WATCHED = 201;

/** Node-RED's hooks, for a function node that removes them. */
const HOOKS = createRequire(require.resolve('node-red')).resolve('@node-red/util');

const answers = (id: string): FlowNode => node(id, 'http response', { statusCode: '', headers: {} });
const FLOW: FlowNode[] = [
  tab(),
  account({ publicKeys: TRUSTED.publicKey }),
  webhookIn({ wires: [['use']] }),
  node('use', 'debug', { active: false, tosidebar: false, console: false, tostatus: false, wires: [] }),
  node('clear-in', 'http in', { url: '/clear', method: 'post', wires: [['clear']] }),
  functionNode('clear', "global.get('hooks').clear(); return msg;", { wires: [['clear-out']] }),
  answers('clear-out'),
  node('chain-in', 'http in', { url: '/chain', method: 'post', wires: [['chain-0']] }),
  functionNode(
    'chain-0',
    `for (let n = 1; n < ${MESSAGES}; n += 1) node.send({ payload: n });
     msg.isLast = true;
     return msg;`,
    { wires: [['chain-1']] }
  ),
  ...Array.from({ length: CHAIN }, (_, index) =>
    functionNode(`chain-${index + 1}`, 'return msg;', { wires: [[`chain-${index + 2}`]] })
  ),
  functionNode(
    `chain-${CHAIN + 1}`,
    `if (!msg.isLast) return null;
     msg.statusCode = global.get('hooks').has('postReceive') ? ${WATCHED} : 200;
     return msg;`,
    { wires: [['chain-out']] }
  ),
  answers('chain-out')
];

/**
 * What the watch over hand-overs costs the messages of other flows: Node-RED calls its hooks for every message. Messages
 * pass through a chain of function nodes without the hooks, and with them, in turns. What counts is the processor time, which
 * is the same on a busy machine.
 */
export async function run(): Promise<BenchResult> {
  const nodeRed = await NodeRedProcess.start({
    flow: FLOW,
    settingsCode: `module.exports.functionGlobalContext = { hooks: require(${JSON.stringify(HOOKS)}).hooks };`
  });
  const post = async (path: string, request = {}, expected = 200): Promise<void> => {
    const { status } = await exchange(nodeRed.port, { method: 'POST', path, ...request });
    if (status !== expected) throw new Error(`${path} was answered ${status}`);
  };
  /** Microseconds of processor time for a message from one node to the next. */
  const hop = async (answer: number): Promise<number> => {
    const before = processorTime(nodeRed.pid);
    await post('/chain', {}, answer);
    return ((processorTime(nodeRed.pid) - before) * 1000) / (MESSAGES * (CHAIN + 1));
  };
  const without: number[] = [];
  const withHooks: number[] = [];
  const turns = [
    async (): Promise<void> => {
      await post('/clear');
      without.push(await hop(200));
    },
    async (): Promise<void> => {
      // The watch begins with the first delivery.
      await post('/telnyx', jsonDelivery(holdEvent()));
      withHooks.push(await hop(WATCHED));
    }
  ];
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      // The order changes, so that a machine that becomes slower favours neither.
      for (const turn of round % 2 === 0 ? turns : [...turns].reverse()) await turn();
    }
  } finally {
    await nodeRed.stop();
  }
  const [plain, watched] = [average(without), average(withHooks)];
  return {
    name: 'messages of other flows, while hand-overs are watched, against without',
    // There is none without /proc.
    ratio: Number.isNaN(plain) ? null : plain / watched,
    target: 0.95,
    details: [
      `a message from one node to the next: ${plain.toFixed(2)} µs of processor time without the hooks, ` +
        `${watched.toFixed(2)} µs with them; ${ROUNDS} rounds of ${MESSAGES} messages through ${CHAIN} nodes`
    ]
  };
}

/** Of all but the first round, which warms up. The clock of the processor is coarse, so a single round says little. */
function average(rounds: readonly number[]): number {
  return rounds.slice(1).reduce((sum, value) => sum + value, 0) / (rounds.length - 1);
}
