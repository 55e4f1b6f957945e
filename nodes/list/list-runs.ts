import { CodedError } from '../../src/errors/coded-error';
import type { EventEmitter } from 'node:events';
import { RUN_LIST_PATH } from '../config/dialog/run-list';
import { serveWrite } from '../admin/admin-route';
import type { FlowMessage, NodeRedApi, RedNode } from '../lib/node-red';
import { onClose } from '../lib/on-input';

/** Every node has this. */
type StartableNode = RedNode & { receive(message: FlowMessage): void };

/** The list nodes of a Node-RED, and whether each is running now. */
const lists = new WeakMap<EventEmitter, Map<RedNode, () => boolean>>();

function listsIn({ events }: Pick<NodeRedApi, 'events'>): Map<RedNode, () => boolean> {
  const known = lists.get(events) ?? new Map<RedNode, () => boolean>();
  lists.set(events, known);
  return known;
}

/** Makes a list node startable from its dialog while it exists. */
export function noteList(RED: NodeRedApi, node: RedNode, isRunning: () => boolean): void {
  const here = listsIn(RED);
  here.set(node, isRunning);
  onClose(node, () => {
    here.delete(node);
  });
}

/** Serves "Run now": the deployed node runs as if an empty message had come. */
export function serveRunList(RED: NodeRedApi): void {
  serveWrite(RED, {
    path: RUN_LIST_PATH,
    permission: 'flows.write',
    failed: 'The list could not be started.',
    run: (asked) => {
      const id = asked.text('id', 100);
      // That of a node in a subflow means the first of its instances.
      const isMeant = (one: RedNode): boolean => one.id === id || (id !== '' && one._alias === id);
      const [node, isRunning] = [...listsIn(RED)].find(([one]) => isMeant(one)) ?? [];
      if (node === undefined || isRunning === undefined)
        throw new CodedError(
          'BAD_SETTING',
          isDeployed(RED, id)
            ? 'This node cannot work with its settings. Its status says why.'
            : 'This node is not deployed, or is disabled. Deploy it first.'
        );
      if (isRunning())
        throw new CodedError('ALREADY_RUNNING', 'The list is running already. Wait until it is complete.');
      (node as StartableNode).receive({ _msgid: RED.util.generateId() });
      return { started: true };
    }
  });
}

function isDeployed(RED: NodeRedApi, id: string): boolean {
  const type = id === '' ? undefined : (RED.nodes.getNode(id) as RedNode | null | undefined)?.type;
  return type?.startsWith('telnyx-') === true && type.endsWith('-list');
}
