import { inBackground, onClose } from './on-input';
import type { NodeRedApi, RedNode } from './node-red';

/**
 * Runs work once the flows have started. An error raised in a constructor would be lost: the Catch
 * nodes that should see it do not exist yet.
 */
export function afterStart(RED: NodeRedApi, node: RedNode, work: () => Promise<void> | void): void {
  const run = (): void => inBackground(node, work);
  RED.events.once('flows:started', run);
  onClose(node, () => {
    RED.events.off('flows:started', run);
  });
}
