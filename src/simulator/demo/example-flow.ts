import { readFileSync } from 'node:fs';

/** A node as Node-RED exports it. */
type ExportedNode = Record<string, unknown> & { id: string; type: string };

/** What the stand-in needs to be different in the example; the rest stays as users get it. */
export interface ExampleChanges {
  /** Base64; for every Telnyx account in the flow. */
  publicKey: string;
  apiUrl: string;
  /** For every Daily account in the flow. */
  dailyApiUrl: string;
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
}

/**
 * Loads an example flow, for the stand-in with its key, its API and leave to fetch from this machine.
 *
 * @param file path of the exported flow
 * @param changes null leaves the flow as it is
 * @throws Error when the file is missing or is no flow with a webhook and a download node
 */
export function prepareExample(file: string, changes: ExampleChanges | null): PreparedFlow {
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(content) || !content.every(isNode)) throw new Error(`${file} is not an exported flow`);
  const nodes = changes === null ? content : content.map((node) => changed(node, changes));
  const webhook = nodes.find(({ type }) => type === 'telnyx-webhook-in');
  const daily = nodes.find(({ type }) => type === 'daily-webhook-in');
  const download = nodes.find(({ type }) => type === 'telnyx-recording-download');
  if (!webhook || !download) throw new Error(`${file} has no webhook node or no download node`);
  return {
    json: JSON.stringify(nodes, null, 4),
    webhookPath: textOr(webhook['path'], '/telnyx'),
    dailyPath: daily === undefined ? null : textOr(daily['path'], '/daily'),
    recordingsFolder: textOr(download['folder'], 'telnyx-recordings')
  };
}

function changed(node: ExportedNode, { publicKey, apiUrl, dailyApiUrl }: ExampleChanges): ExportedNode {
  switch (node.type) {
    case 'telnyx-account':
      return { ...node, publicKeys: publicKey, apiUrl };
    case 'daily-account':
      return { ...node, apiUrl: dailyApiUrl };
    case 'telnyx-recording-download':
      return { ...node, network: 'any' };
    default:
      return node;
  }
}

function isNode(value: unknown): value is ExportedNode {
  return typeof value === 'object' && value !== null && 'id' in value && 'type' in value;
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value.trim() !== '' ? value : fallback;
}
