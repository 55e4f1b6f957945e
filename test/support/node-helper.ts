import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { NodeRedApi } from '../../nodes/lib/node-red';

/** A message as seen by a test. */
export type TestMessage = Record<string, unknown>;

/** A running node in the test helper's Node-RED. */
export interface TestNode extends EventEmitter {
  receive(message: TestMessage): void;
  /** @param removed true when the node is deleted or disabled */
  close(removed: boolean): Promise<void>;
  error(error: unknown, message?: TestMessage): void;
  context(): { flow: TestContext; global: TestContext };
}

export interface TestContext {
  set(key: string, value: unknown): void;
}

/** The part of node-red-node-test-helper that the tests use; the package has no typings. */
interface NodeTestHelper {
  load(nodes: ((RED: NodeRedApi) => void)[], flow: object[], credentials?: object): Promise<void>;
  /** Merged with the defaults; each call replaces the settings of the previous one. */
  settings(settings: object): object;
  unload(): Promise<void>;
  /** As a deploy does. */
  setFlows(flow: object[], type: 'full' | 'flows' | 'nodes'): Promise<void>;
  /** Stops the nodes only. */
  clearFlows(): Promise<void>;
  getNode(id: string): TestNode | null;
  request(): { get(path: string): Promise<{ status: number; body: unknown }> };
  log(): { args: [{ level: number; id?: string; type?: string; msg: unknown }][] };
}

export const nodeHelper = createRequire(__filename)('node-red-node-test-helper') as NodeTestHelper;

/** A node of the loaded flow. */
export function loadedNode(id: string): TestNode {
  const node = nodeHelper.getNode(id);
  if (node === null) throw new Error(`The flow has no node ${id}`);
  return node;
}
