import { account, functionNode, node, tab, webhookIn } from '../../test/support/flows';
import type { FlowNode } from '../../test/support/node-red-process';
import { TRUSTED } from '../../test/support/sign';
import { JOBS_NODE } from '../growth/kinds';
import { queueNode } from '../scale/flow';

/** What the probe writes about: each recording that is stored. */
export const STORED = 'seen';

/**
 * A webhook node and the download node for which the jobs of `growth` wait.
 *
 * @param redisPort undefined: this Node-RED works alone
 */
export function flowOf(redisPort: number | undefined): FlowNode[] {
  const shared = redisPort === undefined ? {} : { queue: 'queue' };
  return [
    tab(),
    account({ publicKeys: TRUSTED.publicKey }),
    ...(redisPort === undefined ? [] : [queueNode(redisPort)]),
    webhookIn({ ...shared, wires: [[JOBS_NODE]] }),
    node(JOBS_NODE, 'telnyx-recording-download', {
      ...shared,
      account: 'account',
      dailyAccount: '',
      destination: 'folder',
      folder: 'archive',
      filename: '{{year}}/{{month}}/{{recording_id}}.{{ext}}',
      format: 'any',
      sidecar: true,
      concurrency: 4,
      retries: 20,
      network: 'any',
      wires: [[STORED]]
    }),
    functionNode(STORED, 'return null;')
  ];
}
