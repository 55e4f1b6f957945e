import { serveRead, type AskedFor } from '../../admin/admin-route';
import type { NodeRedApi, RedNode } from '../../lib/node-red';
import {
  DAILY_KEYS,
  KNOWN_KEYS_PATH,
  type KnownKeys,
  MOST_VARIABLES,
  TELNYX_KEYS,
  VARIABLE_NAME
} from './known-keys';

const PLACES = [TELNYX_KEYS, DAILY_KEYS];

/** Tells the editor which accounts have keys, and which environment variables are set; no value leaves the runtime. */
export function serveKnownKeys(RED: NodeRedApi): void {
  serveRead<KnownKeys>(RED, {
    path: KNOWN_KEYS_PATH,
    permission: 'flows.read',
    failed: 'Node-RED could not say which keys are set.',
    run: (asked) => ({ variables: variablesOf(RED, asked), accounts: accountsOf(RED) })
  });
}

function variablesOf(RED: NodeRedApi, asked: AskedFor): Record<string, boolean> {
  const id = asked.text('id', 100);
  // A node also sees the variables of its flow and groups.
  const node = id === '' ? null : (RED.nodes.getNode(id) as RedNode | null | undefined);
  const wanted = asked
    .text('names')
    .split(',')
    .slice(0, MOST_VARIABLES)
    .filter((name) => VARIABLE_NAME.test(name));
  const own = PLACES.flatMap(({ variables }) => variables);
  return Object.fromEntries([...own, ...wanted].map((name) => [name, isSet(RED, name, node ?? null)]));
}

function isSet(RED: Pick<NodeRedApi, 'util'>, name: string, node: RedNode | null): boolean {
  let found: unknown;
  RED.util.evaluateNodeProperty(name, 'env', node ?? ({} as RedNode), {}, (error, value) => {
    if (error === null) found = value;
  });
  return found !== undefined && found !== null && found !== '' && typeof found !== 'function';
}

function accountsOf(RED: Pick<NodeRedApi, 'nodes'>): Record<string, boolean> {
  const accounts: [string, boolean][] = [];
  RED.nodes.eachNode(({ id, type }) => {
    const places = PLACES.find((one) => one.type === type);
    if (places === undefined) return;
    const stored = RED.nodes.getCredentials(id);
    accounts.push([id, places.credentials.some((name) => (stored?.[name] ?? '').trim() !== '')]);
  });
  return Object.fromEntries(accounts);
}
