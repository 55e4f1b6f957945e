import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child } from './child-process';
import { freePort } from './free-port';
import { logLines } from './node-red-log';
import { checkTypes, type FlowNode, type NodeRedOptions, writeUserDir } from './node-red-settings';
import { installPackage, linkPackage } from './packed-package';
import { type Deadline, until } from './until';

export type { FlowNode, Login, NodeRedOptions } from './node-red-settings';

/** `full` restarts every node, `nodes` and `flows` only what changed, `reload` loads the file and restarts every node. */
export type DeploymentType = 'full' | 'nodes' | 'flows' | 'reload';

/** The folder of `recorder()` nodes below the userDir. */
export const MESSAGES_FILE = 'messages.jsonl';

/**
 * The file to which the probe (option `probe`) writes every webhook message that the nodes `seen` and `seen-<n>` have
 * received, also those within the subflow `sub`.
 */
export const RECEIVED_FILE = 'received.jsonl';

/** The Node-RED of this repository, or the one that was installed with npm into the folder `TEST_NODE_RED`. */
const NODE_RED =
  process.env['TEST_NODE_RED'] === undefined
    ? path.dirname(require.resolve('node-red/package.json'))
    : path.resolve(process.env['TEST_NODE_RED'], 'node_modules', 'node-red');
/** Node-RED takes a few seconds to start, and much longer on a machine that is busy with other tests. */
const START: Deadline = { deadline: 90_000 };
const directories = new Set<string>();

process.on('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/**
 * The real Node-RED as a child process, in its own userDir below the system's temporary directory, with this
 * package installed from its tarball.
 *
 * Flows are given as Node-RED exports them; `USER_DIR` in any string of a flow stands for the userDir.
 */
export class NodeRedProcess {
  readonly userDir: string;
  readonly #options: NodeRedOptions;
  readonly #lines: ReturnType<typeof logLines>;
  #port = 0;
  #child: Child | undefined;
  #earlierLog = '';
  #token: string | undefined;

  private constructor(
    options: NodeRedOptions,
    userDir = mkdtempSync(path.join(tmpdir(), 'telnyx-node-red-'))
  ) {
    this.#options = options;
    this.#lines = logLines(
      path.join(options.installation?.folder ?? NODE_RED, 'red.js'),
      options.settings?.['lang']
    );
    this.userDir = userDir;
    directories.add(this.userDir);
  }

  /** Prepares a userDir and starts Node-RED in it. Resolves when the flows run and the port listens. */
  static async start(options: NodeRedOptions = {}): Promise<NodeRedProcess> {
    const nodeRed = new NodeRedProcess(options);
    if (options.installPackage !== false) installPackage(nodeRed.userDir);
    for (const folder of options.otherPackages ?? []) linkPackage(folder, nodeRed.userDir);
    if (options.probe) {
      for (const extension of ['cjs', 'html']) {
        const target = path.join(nodeRed.userDir, 'nodes', `probe.${extension.replace('cjs', 'js')}`);
        cpSync(path.join(__dirname, `received-messages-probe.${extension}`), target);
      }
    }
    nodeRed.#port = await freePort();
    writeUserDir(nodeRed.userDir, nodeRed.#port, { ...options, flow: nodeRed.#placed(options.flow ?? []) });
    try {
      await nodeRed.start();
    } catch (error) {
      await nodeRed.stop();
      throw error;
    }
    return nodeRed;
  }

  /**
   * Starts a second Node-RED in the same userDir, on another port. Stop it with `keep`, or before this one.
   *
   * @param options of its process that differ from this one's
   */
  async beside(options: Pick<NodeRedOptions, 'env' | 'nodeArgs'> = {}): Promise<NodeRedProcess> {
    const other = new NodeRedProcess({ ...this.#options, ...options }, this.userDir);
    other.#port = await freePort();
    await other.start();
    return other;
  }

  /** Starts again in the same userDir and on the same port, after `kill` or `stop({keep: true})`. */
  async start(): Promise<void> {
    if (this.#child?.alive) throw new Error('Node-RED is running already');
    if (this.#child) this.#earlierLog += this.#child.output;
    const { env = {}, nodeArgs = [], embeddedIn, installation } = this.#options;
    const { folder, node } = installation ?? { folder: NODE_RED, node: process.execPath };
    const args = embeddedIn
      ? [this.userDir, String(this.#port), folder]
      : ['--userDir', this.userDir, '--settings', path.join(this.userDir, 'settings.js')].concat(
          '--port',
          String(this.#port)
        );
    this.#child = new Child(embeddedIn ?? path.join(folder, 'red.js'), args, {
      ...{ cwd: this.userDir, env, nodeArgs, node }
    });
    await Promise.all([
      this.#child.waitForOutput(this.#lines.listening, START),
      this.#child.waitForOutput(this.#lines.started, START)
    ]);
  }

  /** `http://127.0.0.1:<port>` */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** The address of the editor, ending in `/`. */
  get editorUrl(): string {
    const root = this.#options.httpAdminRoot;
    if (root === false) throw new Error('This Node-RED has no editor: httpAdminRoot is false');
    return new URL(`${root ?? ''}/`.replace(/\/+$/, '/'), this.url).href;
  }

  /** The path of a node's endpoint below httpNodeRoot. */
  nodePath(nodePath: string): string {
    return `${this.#options.httpNodeRoot ?? ''}/${nodePath}`.replace(/\/+/g, '/');
  }

  get pid(): number {
    return this.#running.pid;
  }

  get alive(): boolean {
    return this.#child?.alive ?? false;
  }

  /** Everything that Node-RED logged since the first start. */
  get log(): string {
    return this.#earlierLog + (this.#child?.output ?? '');
  }

  /** Waits for a text in the log; `from` is an offset in `log`. */
  async waitForLog(pattern: RegExp, options: Deadline & { from?: number } = {}): Promise<RegExpExecArray> {
    const from = Math.max(0, (options.from ?? 0) - this.#earlierLog.length);
    return this.#running.waitForOutput(pattern, { ...options, from });
  }

  /** Deploys through the admin API. Resolves when the new flow runs, not when the API responds. */
  async deploy(flow: FlowNode[], type: DeploymentType = 'full'): Promise<void> {
    checkTypes(flow, this.#options);
    const from = this.log.length;
    const response = await this.admin('flows', {
      method: 'POST',
      headers: { 'Node-RED-API-Version': 'v2', 'Node-RED-Deployment-Type': type },
      body: JSON.stringify({ flows: this.#placed(flow) })
    });
    if (!response.ok) throw new Error(`The deploy was refused: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
    await this.waitForLog(this.#lines.started, { from });
  }

  /** A request to the admin API, logged in when the settings require it. `where` has no leading slash. */
  async admin(where: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('Content-Type', 'application/json');
    const token = await this.#login();
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
    return fetch(new URL(where, this.editorUrl), { ...init, headers });
  }

  /**
   * Waits until `recorder()` nodes have written at least `count` messages, and returns all of them. To prove
   * that nothing arrives, send something that does arrive afterwards, and check what there is then.
   */
  async messages(count: number, options: Deadline & { file?: string } = {}): Promise<RecordedMessage[]> {
    const file = options.file ?? MESSAGES_FILE;
    const look = () => {
      const all = this.recorded(file);
      return all.length >= count ? all : undefined;
    };
    try {
      return await until(`${count} messages`, look, options);
    } catch (error) {
      const got = this.recorded(file).length;
      throw new Error(`${(error as Error).message}; there are ${got}. Log:\n${this.log}`, { cause: error });
    }
  }

  /** The messages that were recorded so far. */
  recorded(file = MESSAGES_FILE): RecordedMessage[] {
    const text = readIfThere(path.join(this.userDir, file));
    const complete = text.slice(0, text.lastIndexOf('\n') + 1);
    return complete
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as RecordedMessage);
  }

  /** The code of an error that a Catch node has caught. Node-RED 4.0 passes it on only at the beginning of the message. */
  codeOf(caught: RecordedMessage | undefined): string | undefined {
    const isBefore41 = /Node-RED version: v4\.0\./.test(this.log);
    return isBefore41 ? /^([A-Z_]+): /.exec(caught?.error?.message ?? '')?.[1] : caught?.error?.code;
  }

  /** Ends the process immediately, like a power cut, and waits until it has ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#running.end(signal);
  }

  /** Stops Node-RED cleanly and starts it again. */
  async restart(): Promise<void> {
    await this.#running.end('SIGTERM');
    await this.start();
  }

  /** Ends Node-RED and removes the userDir, unless it is kept for a later `start`. */
  async stop({ keep = false } = {}): Promise<void> {
    await this.#child?.end('SIGTERM');
    if (keep) return;
    rmSync(this.userDir, { recursive: true, force: true });
    directories.delete(this.userDir);
  }

  get #running(): Child {
    if (!this.#child) throw new Error('Node-RED was not started');
    return this.#child;
  }

  #placed(flow: FlowNode[]): FlowNode[] {
    const userDir = JSON.stringify(this.userDir).slice(1, -1);
    return JSON.parse(JSON.stringify(flow).replaceAll('USER_DIR', userDir)) as FlowNode[];
  }

  async #login(): Promise<string | undefined> {
    const login = this.#options.adminAuth;
    if (!login || this.#token !== undefined) return this.#token;
    const form = { client_id: 'node-red-admin', grant_type: 'password', scope: '*' };
    const response = await fetch(new URL('auth/token', this.editorUrl), {
      method: 'POST',
      body: new URLSearchParams({ ...form, username: login.user, password: login.password })
    });
    if (!response.ok) throw new Error(`The login was refused: ${response.status}`);
    this.#token = ((await response.json()) as { access_token: string }).access_token;
    return this.#token;
  }
}

/** A message as sent by a node, without `req` and `res`. */
export interface RecordedMessage {
  _msgid: string;
  topic?: string;
  payload?: unknown;
  event?: Record<string, unknown>;
  recording?: Record<string, unknown>;
  error?: { message: string; code?: string; source?: { id: string; type: string } };
  [property: string]: unknown;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
