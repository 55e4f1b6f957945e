import type { EventEmitter } from 'node:events';
import { inBackground, onClose, onInput } from './on-input';
import type { NodeRedApi, RedNode } from './node-red';

/** What waits for the flows to start. One listener for all nodes: Node.js warns of more than ten. */
const waiting = new WeakMap<EventEmitter, Set<() => void>>();

/**
 * Runs work once the flows have started. An error reported in a constructor would be lost: the Catch
 * nodes that should see it do not exist yet.
 */
export function afterStart(RED: NodeRedApi, node: RedNode, work: () => Promise<void> | void): void {
  const run = (): void => inBackground(node, work);
  const waitingHere = waitingFor(RED.events);
  waitingHere.add(run);
  onClose(node, () => {
    waitingHere.delete(run);
  });
}

/** As `afterStart`, after each deploy while the node is there: one that only changes wires does not make the node anew. */
export function afterEachStart(RED: NodeRedApi, node: RedNode, work: () => Promise<void> | void): void {
  const waitingHere = waitingFor(RED.events);
  const run = (): void => {
    waitingHere.add(run);
    inBackground(node, work);
  };
  waitingHere.add(run);
  onClose(node, () => {
    waitingHere.delete(run);
  });
}

/**
 * A node that cannot work as it is set: the error is reported once the flows have started, and again for each message, so that
 * none is lost in silence.
 */
export function refuseMessages(RED: NodeRedApi, node: RedNode, error: Error): void {
  afterStart(RED, node, () => node.error(error, {}));
  onInput(node, () => Promise.reject(error));
}

function waitingFor(events: EventEmitter): Set<() => void> {
  const known = waiting.get(events);
  if (known !== undefined) return known;
  const added = new Set<() => void>();
  waiting.set(events, added);
  events.on('flows:started', () => {
    const due = [...added];
    added.clear();
    for (const run of due) run();
  });
  return added;
}
