import { comparablePath } from '../../../src/webhook/express/route-path';
import { DEFAULT_PATH } from '../../webhook/webhook-fields';
import { textOf } from '../lib/validators';

/** The types of all webhook nodes. */
const WEBHOOK_TYPES = Object.keys(DEFAULT_PATH).map((provider) => `${provider}-webhook-in`);

/** Subflows within subflows that are looked through; the editor permits no circles, a file of flows may have them. */
const DEEPEST = 10;

/**
 * The node that takes the path of a webhook node: another webhook node, or the second instance of its own subflow. Only what
 * runs counts: a copy in a disabled flow does no harm.
 *
 * @param path as shown in the dialog, without variables
 * @returns null when there is none, or the node itself does not run
 */
export function servedBy(node: EditorNode, path: string): EditorNode | null {
  const own = runningPlaces(node);
  if (own.length === 0) return null;
  const found: EditorNode[] = [];
  RED.nodes.eachNode((other) => {
    if (other.id === node.id || !WEBHOOK_TYPES.includes(other.type)) return;
    const isSame = comparablePath(textOf(other['path'])) === comparablePath(path);
    if (isSame && runningPlaces(other).length > 0) found.push(other);
  });
  return found[0] ?? own[1] ?? null;
}

/** Where a node runs: itself, or the instances of its subflow. Empty when it, or all of that, is disabled. */
function runningPlaces(node: EditorNode, depth = 0): EditorNode[] {
  if (node.d === true || depth > DEEPEST) return [];
  const tab = RED.nodes.workspace(node.z);
  if (tab !== undefined) return tab.disabled === true ? [] : [node];
  const instances: EditorNode[] = [];
  RED.nodes.eachNode((other) => {
    if (other.type === `subflow:${node.z}`) instances.push(other);
  });
  return instances.flatMap((instance) => runningPlaces(instance, depth + 1).map(() => instance));
}
