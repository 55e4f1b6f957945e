import { readFileSync } from 'node:fs';

const DELIVERY_LIST = 'telnyx-delivery-list';

/** A node as Node-RED exports it. */
type ExportedNode = Record<string, unknown> & { id: string; type: string };

/** What the stand-in needs changed in the example; the rest stays as users get it. */
export interface ExampleChanges {
  /** Base64; for every Telnyx account in the flow. */
  publicKey: string;
  apiUrl: string;
  /** For every Daily account in the flow. */
  dailyApiUrl: string;
  /** Absolute path of the file for the payloads that a delivery list finds. Left out: none. */
  foundFile?: string;
}

export interface PreparedFlow {
  /** Content of flows.json. */
  json: string;
  /** Path of the first webhook node of Telnyx. */
  webhookPath: string;
  /** Path of the first webhook node of Daily, if there is one. */
  dailyPath: string | null;
  /** Folder of the first download node: relative to the userDir, or absolute. */
  recordingsFolder: string;
  /** Ids of the inject nodes that begin a list of recordings and one of deliveries, if there are any. */
  listButton: string | null;
  deliveryButton: string | null;
}

/**
 * Loads example flows and gives them the stand-in's key, its API and permission to fetch from this machine.
 *
 * @param files paths of the exported flows. The later ones store where the first one does, as they ask their users
 *   to set it.
 * @param changes null leaves the flows as they are
 * @throws Error when a file is missing or not a flow, or there is no webhook or download node
 */
export function prepareExample(files: readonly string[], changes: ExampleChanges | null): PreparedFlow {
  const exported = files.flatMap(readFlow);
  const download = exported.find(isDownload);
  const nodes =
    changes === null
      ? exported
      : exported.flatMap((node) => withFile(changed(node, changes, download ?? node), changes.foundFile));
  const webhook = nodes.find(({ type }) => type === 'telnyx-webhook-in');
  const daily = nodes.find(({ type }) => type === 'daily-webhook-in');
  if (!webhook || !download) throw new Error(`${files.join(', ')}: no webhook node or no download node`);
  return {
    json: JSON.stringify(nodes, null, 4),
    webhookPath: textOr(webhook['path'], '/telnyx'),
    dailyPath: daily === undefined ? null : textOr(daily['path'], '/daily'),
    recordingsFolder: textOr(download['folder'], 'telnyx-recordings'),
    listButton: buttonOf('telnyx-recording-list', nodes),
    deliveryButton: buttonOf(DELIVERY_LIST, nodes)
  };
}

function readFlow(file: string): ExportedNode[] {
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(content) || !content.every(isNode)) throw new Error(`${file} is not an exported flow`);
  return content;
}

function buttonOf(list: string, nodes: readonly ExportedNode[]): string | null {
  const lists = nodes.filter(({ type }) => type === list).map(({ id }) => id);
  const button = nodes.find(
    ({ type, wires }) =>
      type === 'inject' && Array.isArray(wires) && wires.flat().some((id) => lists.includes(String(id)))
  );
  return button?.id ?? null;
}

function changed(
  node: ExportedNode,
  { publicKey, apiUrl, dailyApiUrl }: ExampleChanges,
  { folder, filename }: ExportedNode
): ExportedNode {
  switch (node.type) {
    case 'telnyx-account':
      return { ...node, publicKeys: publicKey, apiUrl };
    case 'daily-account':
      return { ...node, apiUrl: dailyApiUrl };
    case 'telnyx-recording-download':
      return { ...node, network: 'any', folder, filename };
    default:
      return node;
  }
}

/** Lets the demonstration see what a delivery list finds. */
function withFile(node: ExportedNode, filename: string | undefined): ExportedNode[] {
  if (node.type !== DELIVERY_LIST || filename === undefined || !Array.isArray(node['wires'])) return [node];
  const [found, ...others] = node['wires'] as string[][];
  const file = {
    id: `${node.id}-found`,
    type: 'file',
    z: node['z'],
    name: 'for npm start',
    filename,
    filenameType: 'str',
    appendNewline: true,
    createDir: false,
    overwriteFile: 'false',
    encoding: 'none',
    x: 560,
    y: 180,
    wires: [[]]
  };
  return [{ ...node, wires: [[...(found ?? []), file.id], ...others] }, file];
}

function isDownload({ type }: ExportedNode): boolean {
  return type === 'telnyx-recording-download';
}

function isNode(value: unknown): value is ExportedNode {
  return typeof value === 'object' && value !== null && 'id' in value && 'type' in value;
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value.trim() !== '' ? value : fallback;
}
