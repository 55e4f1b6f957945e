import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MessageHooks, NodeConfig, NodeRedApi, RedNode, StatusValue } from '../../nodes/lib/node-red';
import { nodeHelper, type TestMessage } from '../support/node-helper';
import { closeServers, serve } from '../unit/webhook/express/real-http';

const { hooks } = createRequire(require.resolve('node-red'))('@node-red/util') as { hooks: MessageHooks };

type NodeModule = (RED: NodeRedApi) => void;

export interface StageOptions {
  credentials?: Record<string, Record<string, string>>;
  /** In addition to `userDir`, which is a new directory. */
  settings?: Record<string, unknown>;
}

/**
 * The test helper's Node-RED with a real HTTP server and real texts. It records everything that nodes report,
 * from the start. A node of type `recorder` keeps its messages; with `answer` it answers the request like a
 * core *http response* node.
 */
export class NodeStage {
  readonly statuses: { id: string; status: StatusValue }[] = [];
  readonly port: number;
  readonly #received = new Map<string, TestMessage[]>();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #userDir: string;
  readonly #leave: () => void;

  private constructor(port: number, userDir: string, recording: Recording) {
    this.port = port;
    this.#userDir = userDir;
    recording.onStatus = (id, status) => {
      this.statuses.push({ id, status });
      this.#changes.emit('change');
    };
    recording.onMessage = (id, message) => {
      this.received(id).push(message);
      this.#changes.emit('change');
    };
    this.#leave = () => recording.leave();
  }

  static async load(
    modules: NodeModule[],
    flow: object[],
    { credentials = {}, settings = {} }: StageOptions = {}
  ): Promise<NodeStage> {
    const userDir = mkdtempSync(path.join(tmpdir(), 'telnyx-nodes-'));
    const recording = new Recording();
    let httpNode: unknown;
    const port = await serve((request, response) => (httpNode as RequestListener)(request, response));
    const stage = new NodeStage(port, userDir, recording);
    nodeHelper.settings({ userDir, ...settings });
    const observe: NodeModule = (RED) => {
      httpNode = RED.httpNode;
      recording.watch(RED);
    };
    await nodeHelper.load([observe, ...modules.map(withTexts)], flow, credentials);
    return stage;
  }

  /** The messages that a recorder node has received so far. */
  received(id: string): TestMessage[] {
    const messages = this.#received.get(id) ?? [];
    this.#received.set(id, messages);
    return messages;
  }

  get userDir(): string {
    return this.#userDir;
  }

  /** The latest status of a node. */
  status(id: string): StatusValue | undefined {
    return this.statuses.filter((entry) => entry.id === id).at(-1)?.status;
  }

  /** The errors that a Catch node sent to the recorder `caught`. */
  get caught(): { code?: string; message: string; source: { id: string } }[] {
    return this.received('caught').map(
      (message) => message['error'] as { code?: string; message: string; source: { id: string } }
    );
  }

  /** The log of the nodes, as text. */
  log(): string[] {
    return nodeHelper.log().args.map(([{ msg }]) => String(msg));
  }

  /** Waits for something that arrives with a message or a status. */
  async until<T>(what: string, look: () => T | undefined | false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const tryNow = (): void => {
        const found = look();
        if (found === undefined || found === false) return;
        this.#changes.off('change', tryNow);
        clearTimeout(deadline);
        resolve(found);
      };
      const deadline = setTimeout(() => {
        this.#changes.off('change', tryNow);
        reject(new Error(`Waited in vain for ${what}. Statuses: ${JSON.stringify(this.statuses)}`));
      }, 30_000);
      this.#changes.on('change', tryNow);
      tryNow();
    });
  }

  /** Waits until a recorder has this many messages. */
  async messages(id: string, count: number): Promise<TestMessage[]> {
    return this.until(`${count} messages at ${id}`, () =>
      this.received(id).length >= count ? this.received(id) : undefined
    );
  }

  async unload(): Promise<void> {
    await nodeHelper.unload();
    this.#leave();
    await closeServers();
    // A state that has just been opened may still write.
    rmSync(this.#userDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** Listens before the first node is created. */
class Recording {
  onStatus: (id: string, status: StatusValue) => void = () => undefined;
  onMessage: (id: string, message: TestMessage) => void = () => undefined;
  leave: () => void = () => undefined;

  watch(RED: NodeRedApi): void {
    // One listener for each Express app; the helper creates a new one with every load.
    RED.events.setMaxListeners(0);
    const onStatus = ({ id, status }: { id: string; status: StatusValue }): void => this.onStatus(id, status);
    RED.events.on('node-status', onStatus);
    this.leave = () => RED.events.off('node-status', onStatus);
    const { onMessage } = { onMessage: (id: string, message: TestMessage) => this.onMessage(id, message) };
    RED.nodes.registerType('recorder', function (this: RedNode, config: NodeConfig & { answer?: string }) {
      RED.nodes.createNode(this, config);
      this.on('input', (message, _send, done) => {
        onMessage(config.id, message);
        const { res } = message as { res?: { _res: { status(code: number): { send(text: string): void } } } };
        if (config.answer !== undefined) res?._res.status(200).send(config.answer);
        done();
      });
    });
  }
}

/** Gives a node's module the texts that users see and Node-RED's hooks; the test helper provides neither. */
function withTexts(module: NodeModule): NodeModule {
  return (RED) => {
    const translate = (full: string, values: Record<string, string | number> = {}): string => {
      // A key of another catalogue has its name before a colon.
      const key = full.slice(full.indexOf(':') + 1);
      let text: unknown = textsOf(key.split('.')[0] ?? '');
      for (const part of key.split('.')) text = (text as Record<string, unknown> | undefined)?.[part];
      if (typeof text !== 'string') throw new Error(`There is no text ${key}`);
      return text.replace(/__(\w+)__/g, (_, name: string) => String(values[name]));
    };
    module(Object.create(RED, { _: { value: translate }, hooks: { value: hooks } }) as NodeRedApi);
  };
}

/** From the build, which fills in the texts that several nodes share. */
function textsOf(type: string): unknown {
  const file = path.join(__dirname, `../../dist/nodes/locales/en-US/${type}.json`);
  return JSON.parse(readFileSync(file, 'utf8'));
}
