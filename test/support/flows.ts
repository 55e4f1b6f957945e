import { type FlowNode, MESSAGES_FILE } from './node-red-process';

/** The tab of the nodes of test flows. */
export const TAB = 'tab0000000000001';

export function tab(): FlowNode {
  return { id: TAB, type: 'tab', label: 'Test', disabled: false, info: '' };
}

/** Any node on the test tab. */
export function node(id: string, type: string, properties: Record<string, unknown> = {}): FlowNode {
  return { id, type, z: TAB, name: '', x: 100, y: 100, wires: [[]], ...properties };
}

/** A function node on the test tab, with one output unless the properties say otherwise. */
export function functionNode(id: string, func: string, properties: Record<string, unknown> = {}): FlowNode {
  const plain = { outputs: 1, timeout: 0, noerr: 0, initialize: '', finalize: '', libs: [] };
  return node(id, 'function', { func, ...plain, ...properties });
}

/** A config node, which belongs to no tab. */
export function config(id: string, type: string, properties: Record<string, unknown> = {}): FlowNode {
  return { id, type, name: '', ...properties };
}

/** A `telnyx-account` as the editor saves it. */
export function account(properties: Record<string, unknown> = {}): FlowNode {
  return config('account', 'telnyx-account', {
    publicKeys: '',
    apiUrl: 'https://api.telnyx.com/v2',
    ...properties
  });
}

/** A `telnyx-webhook-in` as the editor saves it, wired to the recorder `seen`. */
export function webhookIn(properties: Record<string, unknown> = {}): FlowNode {
  return node('webhook', 'telnyx-webhook-in', {
    account: 'account',
    path: '/telnyx',
    publicUrl: '',
    health: false,
    reply: 'at-once',
    replyTimeout: 10,
    tolerance: 300,
    duplicates: 'drop',
    maxBody: 1_048_576,
    keep: 7,
    queue: '',
    acceptGet: false,
    rawBody: false,
    rejectedOutput: false,
    outputs: 1,
    wires: [['seen']],
    ...properties
  });
}

/** JSON of a message without the live request and response; Buffers as base64. */
const TO_JSON_LINE = `
const { req, res, ...rest } = msg;
const live = { has_req: req !== undefined, has_res: res !== undefined };
const line = JSON.stringify({ ...rest, ...live }, (key, value) =>
  value && value.type === 'Buffer' && Array.isArray(value.data)
    ? { base64: Buffer.from(value.data).toString('base64') }
    : value
);
return { payload: line };
`;

/**
 * Core nodes that append every message to a file in the userDir, one JSON line each. Wire other nodes to `id`;
 * read with `NodeRedProcess.messages`.
 */
export function recorder(id = 'seen', file = MESSAGES_FILE): FlowNode[] {
  return [
    functionNode(id, TO_JSON_LINE, { wires: [[`${id}-file`]] }),
    node(`${id}-file`, 'file', {
      filename: `USER_DIR/${file}`,
      filenameType: 'str',
      appendNewline: true,
      createDir: false,
      overwriteFile: 'false',
      encoding: 'none'
    })
  ];
}

/** A Catch node for everything on the tab, with its own recorder. */
export function catchAll(file = 'errors.jsonl'): FlowNode[] {
  return [
    node('catch', 'catch', { scope: null, uncaught: false, wires: [['caught']] }),
    ...recorder('caught', file)
  ];
}
