import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { recorder } from './flows';
import type { FlowNode } from './node-red-process';
import { REPOSITORY } from './packed-package';

const FOLDER = path.join(REPOSITORY, 'examples');

/** The only example with nodes of another package. */
export const DASHBOARD_EXAMPLE = 'Recordings page with FlowFuse Dashboard';

/** An example of the package. */
export interface Example {
  /** File name without its extension. */
  name: string;
  /** Folder of the import dialog. */
  folder: string;
  flow: FlowNode[];
}

/** All examples, in the order of the import dialog. */
export function allExamples(): Example[] {
  return readdirSync(FOLDER, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({
      name: path.basename(file, '.json'),
      folder: path.dirname(file),
      flow: JSON.parse(readFileSync(path.join(FOLDER, file), 'utf8')) as FlowNode[]
    }));
}

/** Those that need no other package. Node-RED starts no flow at all while it waits for the types of one. */
export function plainExamples(): Example[] {
  return allExamples().filter(({ name }) => name !== DASHBOARD_EXAMPLE);
}

/** The example with a name, in whichever folder it is. */
export function exampleNamed(name: string): Example {
  const example = allExamples().find((candidate) => candidate.name === name);
  if (!example) throw new Error(`There is no example "${name}"`);
  return example;
}

/**
 * An example flow as a user imports it, except for the changes for a local stand-in. Each debug node becomes a
 * recorder of complete messages, which writes to a file with the debug node's name.
 *
 * @param name file name without its extension
 * @param apiUrl for every Telnyx account
 * @param filledIn the values that the user fills in, by node type
 */
export function exampleFlow(
  name: string,
  apiUrl: string,
  filledIn: Readonly<Record<string, object>> = {}
): FlowNode[] {
  return exampleNamed(name).flow.flatMap((imported) => {
    const node: FlowNode = { ...imported, ...filledIn[imported.type] };
    switch (node.type) {
      case 'telnyx-account':
        return [{ ...node, apiUrl }];
      case 'telnyx-recording-download':
        return [{ ...node, network: 'any' }];
      case 'debug':
        return recorder(node.id, `${String(node['name'])}.jsonl`).map((part) => ({ ...part, z: node['z'] }));
      default:
        return [node];
    }
  });
}

/** The id of the only node of a type in a flow. */
export function onlyNode(flow: readonly FlowNode[], type: string): string {
  const [node, ...others] = flow.filter((candidate) => candidate.type === type);
  if (node === undefined || others.length > 0) throw new Error(`Expected one ${type} in the flow`);
  return node.id;
}
