import { textOf } from '../lib/validators';

/**
 * The public address of this Node-RED when a webhook node does not name it: that of its account, else one that another
 * account or webhook node names, as all of them have the same.
 *
 * @param accountId of the account that the node has chosen; blank or unknown: none
 * @returns blank when nothing names it
 */
export function knownAddress({ id }: { id: string }, accountId: string): string {
  let found = accountId === '' ? '' : addressOf(RED.nodes.node(accountId));
  RED.nodes.eachConfig((other) => {
    if (/^\w+-account$/.test(other.type)) found ||= addressOf(other);
  });
  RED.nodes.eachNode((other) => {
    if (other.id !== id && /^\w+-webhook-in$/.test(other.type)) found ||= addressOf(other);
  });
  return found;
}

function addressOf(node: Record<string, unknown> | null | undefined): string {
  return textOf(node?.['publicUrl']).trim();
}
