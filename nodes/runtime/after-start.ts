import type { EventEmitter } from 'node:events';
import { inBackground, onClose } from './on-input';
import type { NodeRedApi, RedNode } from './node-red';

/** What waits for the next start of the flows, by the runtime's events. */
const waiting = new WeakMap<EventEmitter, Set<() => void>>();

/**
 * Runs work once the flows have started. An error raised in a constructor would be lost: the Catch
 * nodes that should see it do not exist yet.
 */
export function afterStart(RED: NodeRedApi, node: RedNode, work: () => Promise<void> | void): void {
  const queue = queueOf(RED.events);
  const run = (): void => inBackground(node, work);
  queue.add(run);
  onClose(node, () => {
    queue.delete(run);
  });
}

/** One listener however many nodes wait: Node.js warns of a leak when there are more than ten. */
function queueOf(events: EventEmitter): Set<() => void> {
  const known = waiting.get(events);
  if (known !== undefined) return known;
  const queue = new Set<() => void>();
  waiting.set(events, queue);
  events.on('flows:started', () => {
    const due = [...queue];
    queue.clear();
    for (const run of due) run();
  });
  return queue;
}
