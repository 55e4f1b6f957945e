import { SharedFacts } from '../../../src/sharing/facts/shared-facts';
import type { ArchiveState } from '../../lib/archive-state';
import type { SharedQueue } from './shared-queue';

interface Known {
  database: ArchiveState['database'];
  shared: SharedFacts;
  onGap: () => void;
}

const facts = new WeakMap<SharedQueue, Known>();

/**
 * What is stored, as all instances with this queue know it. From the first call on, what others tell reaches the index of this
 * Node-RED, so each node with a queue calls it when it starts.
 *
 * @param onGap as `SharedFactsDeps.onGap`, of the node that asked last
 * @throws as the state does when it cannot be read
 */
export function factsOfQueue(
  queue: SharedQueue,
  { facts: local, database }: Pick<ArchiveState, 'facts' | 'database'>,
  onGap: () => void
): SharedFacts {
  const known = facts.get(queue);
  if (known?.database === database) {
    known.onGap = onGap;
    return known.shared;
  }
  // The state was opened anew, so the one before can neither be read nor written.
  void known?.shared.close();
  const { connection, sealer, instance } = queue;
  const begun: Known = {
    database,
    onGap,
    shared: new SharedFacts({
      ...{ local, database, connection, sealer, instance: instance.id },
      onGap: () => begun.onGap()
    })
  };
  queue.onClose(() => void begun.shared.close());
  facts.set(queue, begun);
  return begun.shared;
}
