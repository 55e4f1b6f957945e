import { CodedError } from '../../../src/errors/coded-error';
import type { NodeRedApi, RedNode } from '../../lib/node-red';
import { afterStart } from '../../lib/on-flows-started';
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

/**
 * Reads the queue of a node that does not share its work yet, and says so at each deploy: it must not work alone unnoticed.
 *
 * @throws CodedError as `telnyxQueueOf`
 */
export function reportAlone(RED: NodeRedApi, node: RedNode, id: unknown): void {
  if (telnyxQueueOf(RED, id) === null) return;
  afterStart(RED, node, () => {
    const text =
      '"Queue" has no effect on this node in this version: it works as if there were no other Node-RED.';
    node.error(new CodedError('BAD_SETTING', text), {});
  });
}
