import { AbandonedLoans } from '../../../src/sharing/jobs/abandoned-loans';
import { archiveState } from '../../lib/archive-state';
import type { NodeRedApi, RedNode } from '../../lib/node-red';
import { onClose } from '../../lib/on-input';
import type { SharedQueue } from './shared-queue';

/** After the start, when the nodes of all flows exist and the other instances have been heard. Milliseconds. */
const FIRST_MS = 5 * 60 * 1000;
const EVERY_MS = 60 * 60 * 1000;
const READY_MS = 5000;

/** Looks after what this Node-RED has lent for download nodes that are gone, as long as the node is there. */
export function keepAbandonedTidy(RED: NodeRedApi, node: RedNode, queue: () => SharedQueue): void {
  const tidy = (): void => {
    // What cannot be done now is tried again in an hour.
    tidyAbandoned(RED, queue).catch(() => undefined);
  };
  const first = setTimeout(tidy, FIRST_MS).unref();
  const others = setInterval(tidy, EVERY_MS).unref();
  onClose(node, () => {
    clearTimeout(first);
    clearInterval(others);
  });
}

/**
 * The same, once.
 *
 * @param queue asked only when there is something to look after
 * @throws CodedError `QUEUE_AWAY`, or as `archiveState`
 */
export async function tidyAbandoned(RED: NodeRedApi, queue: () => SharedQueue): Promise<void> {
  const { database, jobs, facts, nodes, turns } = archiveState(RED);
  const isHere = (node: string): boolean => nodes.has(node);
  const loans = new AbandonedLoans({ database, repository: jobs, facts, isHere, turns });
  if (!loans.areThere) return;
  const shared = queue();
  if (await shared.connection.ready(READY_MS)) await loans.tidy(shared);
}
