import { CodedError } from '../../../src/errors/coded-error';
import type { NodeRedApi, RedNode } from '../../lib/node-red';
import { readText } from '../../lib/read-setting';
import type { SharedQueue } from './shared-queue';

export type TelnyxQueueNode = RedNode & { telnyxQueue?: () => SharedQueue };

/**
 * The queue that a node has chosen; null when none is chosen. It connects when the first node asks for it.
 *
 * @throws CodedError `BAD_SETTING` when the chosen one is missing or disabled, or its settings are wrong
 */
export function telnyxQueueOf(RED: Pick<NodeRedApi, 'nodes'>, id: unknown): SharedQueue | null {
  const chosen = readText(id);
  if (chosen === '') return null;
  const node = RED.nodes.getNode(chosen) as TelnyxQueueNode | null | undefined;
  if (node?.telnyxQueue === undefined)
    throw new CodedError(
      'BAD_SETTING',
      'The queue that is chosen as "Queue" is missing or disabled. Choose another one, or none: this Node-RED then ' +
        'works alone.'
    );
  return node.telnyxQueue();
}
