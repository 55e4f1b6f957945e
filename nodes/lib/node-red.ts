import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExpressApp } from '../../src/webhook/express/express-app';

/**
 * The part of Node-RED's API that this package uses, as the runtime really behaves (4.0 to 5.x). Handwritten,
 * because the published typings differ from that: `getNode` may find nothing, `done` takes an error, `_` is a
 * function.
 */
export interface NodeRedApi {
  readonly nodes: {
    createNode(node: RedNode, config: object): void;
    /** The constructor runs with the new node as `this`; it is synchronous and nothing awaits it. */
    registerType(
      type: string,
      constructor: (this: RedNode, config: never) => void,
      options?: { credentials?: Record<string, { type: 'text' | 'password' }>; settings?: object }
    ): void;
    getNode(id: string): unknown;
    /** The stored credentials of a node, as typed; undefined if there are none. */
    getCredentials(id: string): Readonly<Record<string, string | undefined>> | undefined;
    /** Replaces the stored credentials of a node. They reach the node, and the disk, with the next deploy. */
    addCredentials(id: string, credentials: Readonly<Record<string, string | undefined>>): Promise<void>;
    /** Calls back with every node of the flows as saved, including disabled ones. */
    eachNode(visit: (saved: NodeConfig) => void): void;
  };
  readonly httpNode: ExpressApp;
  /** A stub without an Express app behind it when the admin app is switched off. */
  readonly httpAdmin: ExpressApp & {
    get(path: string, ...handlers: AdminHandler[]): void;
    post(path: string, ...handlers: AdminHandler[]): void;
  };
  readonly auth: { needsPermission(permission: string): AdminHandler };
  readonly comms: {
    /**
     * Sends to every editor that is connected, of every user who may see statuses: so nothing that needs another
     * permission. Falsy data is dropped. @param retain whether editors that connect later get it, too
     */
    publish(topic: string, data: object, retain: boolean): void;
  };
  readonly plugins: {
    /** Only from the plugin's own file. @param plugin `onadd` runs at once, before the nodes are loaded */
    registerPlugin(id: string, plugin: { onadd: () => void }): void;
  };
  readonly settings: {
    readonly userDir?: string;
    readonly uiPort?: unknown;
    readonly httpNodeRoot?: string | false;
    readonly httpAdminRoot?: string | false;
    readonly httpAdminMiddleware?: unknown;
    /** A function, or a list of them; core *http in* ignores everything else. */
    readonly httpNodeMiddleware?: unknown;
    readonly httpNodeCors?: unknown;
    readonly httpAdminAuth?: unknown;
  };
  readonly log: { error(text: string): void; warn(text: string): void; info(text: string): void };
  /** Emits `flows:stopping`, `flows:stopped`, `flows:started`, … */
  readonly events: EventEmitter;
  /** Not there in node-red-node-test-helper. */
  readonly hooks?: MessageHooks;
  readonly util: {
    generateId(): string;
    cloneMessage<T>(message: T): T;
    evaluateNodeProperty(
      value: string,
      type: string,
      node: RedNode,
      message: FlowMessage,
      callback: (error: Error | null, value: unknown) => void
    ): void;
  };
  /** Translates a key of the node's own locale file, e.g. `telnyx-account.status.ready`. */
  _(key: string, replacements?: Record<string, string | number>): string;
}

/** Node-RED's hooks into message delivery. `add` throws when the name after the dot already has this hook. */
export interface MessageHooks {
  /** `false` stops the message. */
  add(hook: `onReceive.${string}`, listener: (event: ReceiveEvent) => false | undefined): void;
  add(hook: `postReceive.${string}`, listener: (event: ReceiveEvent) => void): void;
  has(hook: string): boolean;
}

/** A node is about to get a message, or has it. */
export interface ReceiveEvent {
  readonly msg: { readonly _msgid: string };
  readonly destination: { readonly id: string; readonly node: unknown };
}

export type AdminHandler = (
  request: IncomingMessage,
  response: ServerResponse & { json(value: unknown): void },
  next: () => void
) => void;

/** What every saved node has. Values come from the flow file and may be strings where numbers are meant. */
export interface NodeConfig {
  id: string;
  type: string;
  name?: string;
}

/** A message on a wire. */
export interface FlowMessage {
  _msgid?: string;
  topic?: unknown;
  payload?: unknown;
  [key: string]: unknown;
}

export type StatusFill = 'red' | 'green' | 'yellow' | 'blue' | 'grey';

export interface StatusValue {
  fill?: StatusFill;
  shape?: 'ring' | 'dot';
  text?: string;
}

/** One element per output; an array inside sends several messages in order; null sends nothing. */
export type Send = (messages: FlowMessage | (FlowMessage | FlowMessage[] | null)[]) => void;

export type Done = (error?: Error) => void;

export interface RedNode {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  /** The tab or subflow the node is on; absent for global config nodes. */
  readonly z?: string;
  /** Within a subflow: the id of the node that the editor shows. */
  readonly _alias?: string;
  /** Ids of the nodes that each output is wired to. */
  readonly wires?: readonly (readonly string[])[];
  readonly credentials?: Record<string, string | undefined>;
  on(event: 'input', listener: (message: FlowMessage, send: Send, done: Done) => void): void;
  on(event: 'close', listener: (removed: boolean, done: () => void) => void): void;
  send: Send;
  status(value: StatusValue): void;
  /** With a message: reaches Catch nodes. Without one it is only logged. */
  error(error: Error | string, message?: FlowMessage): void;
  warn(text: string): void;
  log(text: string): void;
}
