import type { ArchiveFacts } from '../../../src/archive/archive-facts';
import { SharedFacts } from '../../../src/sharing/facts/shared-facts';
import type { ArchiveState } from '../../lib/archive-state';
import type { SharedQueue } from './shared-queue';

interface Known {
  database: ArchiveState['database'];
  shared: SharedFacts;
  onGap: () => void;
}

const facts = new WeakMap<SharedQueue, Known>();
/** Those that are open, by the state that they share. */
const ofStates = new WeakMap<ArchiveState['database'], Set<SharedFacts>>();

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
  if (known !== undefined) closed(known);
  const { connection, sealer, instance } = queue;
  const begun: Known = {
    database,
    onGap,
    shared: new SharedFacts({
      ...{ local, database, connection, sealer, instance: instance.id },
      onGap: () => begun.onGap()
    })
  };
  queue.onClose(() => closed(begun));
  facts.set(queue, begun);
  const open = ofStates.get(database) ?? new Set();
  ofStates.set(database, open.add(begun.shared));
  return begun.shared;
}

function closed({ database, shared }: Known): void {
  ofStates.get(database)?.delete(shared);
  void shared.close();
}

/**
 * For what changes the state on behalf of no node in particular. What is entered for one queue is told to all of them, since what
 * is to be told is in the state.
 *
 * @returns what the state alone knows while no node has a queue
 */
export function factsOfAllQueues({
  facts,
  database
}: Pick<ArchiveState, 'facts' | 'database'>): ArchiveFacts {
  const [shared] = ofStates.get(database) ?? [];
  return shared ?? facts;
}
