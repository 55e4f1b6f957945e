import type { AccountNode } from '../account-users';
import type { NodeRedApi } from '../../lib/node-red';
import type { SharedQueue } from './shared-queue';

/** That an instance asks the API of an account is all that the others learn of it. */
const ASKS = { settings: {}, running: 0, waiting: 0, probe: '' };

/**
 * Divides the rate limit of an account among the instances with a queue that ask its API. The account is the same where its node has
 * the same id.
 *
 * @param id of the account; nothing happens when it is blank, missing or disabled
 */
export function sharePace(RED: Pick<NodeRedApi, 'nodes'>, id: string, queue: SharedQueue): void {
  if (id === '') return;
  const share = (RED.nodes.getNode(id) as AccountNode | null | undefined)?.apiShare;
  if (share === undefined) return;
  const isNew = share.join(queue, {
    begin: () => queue.reportNode(id, () => ASKS),
    count: () => queue.cluster.lastKnown(id)
  });
  if (isNew) queue.onClose(() => share.leave(queue));
}
