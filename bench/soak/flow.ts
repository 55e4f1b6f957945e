import { account, functionNode, node, tab, webhookIn } from '../../test/support/flows';
import type { DeploymentType, FlowNode } from '../../test/support/node-red-process';
import { TRUSTED } from '../../test/support/sign';

const ends = (id: string): FlowNode => functionNode(id, 'return null;');

/** The folder of the archive, below the userDir. */
export const ARCHIVE = 'archive';

/** What the probe writes about: all deliveries, what was stored, and what failed. */
export const DELIVERED = 'seen';
export const STORED = 'seen-2';
export const FAILED = 'seen-3';

/** A webhook node, a switch, and a download node. A changed name restarts a node. */
function flowOf(names: Record<string, string> = {}): FlowNode[] {
  const flow: FlowNode[] = [
    tab(),
    account({ publicKeys: TRUSTED.publicKey }),
    webhookIn({ wires: [[DELIVERED, 'switch']] }),
    ends(DELIVERED),
    node('switch', 'telnyx-event-switch', {
      property: 'event.event_type',
      propertyType: 'msg',
      rules: [{ t: 'event', v: 'call.recording.saved' }],
      checkall: 'false',
      outputs: 1,
      wires: [['archive']]
    }),
    node('archive', 'telnyx-recording-download', {
      account: 'account',
      destination: 'folder',
      folder: ARCHIVE,
      format: 'any',
      sidecar: true,
      concurrency: 4,
      retries: 5,
      network: 'any',
      wires: [[STORED]]
    }),
    ends(STORED),
    node('catch', 'catch', { scope: null, uncaught: false, wires: [[FAILED]] }),
    ends(FAILED)
  ];
  return flow.map((one) => ({ ...one, name: names[one.id] ?? one['name'] }));
}

/** The kinds of deploys, in turn; each restarts other nodes. */
const DEPLOYS: readonly (readonly [DeploymentType, readonly string[]])[] = [
  ['full', []],
  ['nodes', ['webhook']],
  ['nodes', ['archive']],
  ['flows', [STORED]],
  ['nodes', [DELIVERED, 'switch']],
  ['nodes', ['account']],
  ['reload', []]
];

export const FLOW = flowOf();

/** @param round counts the deploys of a run, from 0 */
export function deployOf(round: number): { type: DeploymentType; flow: FlowNode[] } {
  const [type, renamed] = DEPLOYS[round % DEPLOYS.length]!;
  return { type, flow: flowOf(Object.fromEntries(renamed.map((id) => [id, `deploy ${round}`]))) };
}
