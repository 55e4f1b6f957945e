import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export interface Login {
  user: string;
  password: string;
}

export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** A Node-RED, and the Node.js that runs it. */
export interface Installation {
  /** The folder of the package `node-red`. */
  folder: string;
  /** The binary. */
  node: string;
}

export interface NodeRedOptions {
  /** The flow at the first start. `credentials` inside a node are stored like Node-RED does. */
  flow?: FlowNode[];
  /** Default: unset, which means `/`. */
  httpAdminRoot?: string | false;
  /** Default: unset, which means `/`. */
  httpNodeRoot?: string;
  httpNodeAuth?: Login;
  adminAuth?: Login;
  /** Default: a fixed text. `false` stores credentials in plain text. */
  credentialSecret?: string | false;
  /** Further settings, as JSON values. */
  settings?: Record<string, unknown>;
  /** JavaScript at the end of settings.js, for settings that are functions: `module.exports.x = …`. */
  settingsCode?: string;
  /** Environment variables of the Node-RED process. */
  env?: Record<string, string>;
  /** Options for node itself. */
  nodeArgs?: string[];
  /** Default true: this package, packed and installed by npm. */
  installPackage?: boolean;
  /** Folders of packages with nodes of others that are installed, too. */
  otherPackages?: string[];
  /** Default `usual`: without those that few tests use, and whose libraries take a third of the time of a start. */
  coreNodes?: 'usual' | 'all';
  /** Default false: record each message from a webhook node, even while a deploy runs. */
  probe?: boolean;
  /** Default: the Node-RED of this repository, or that of `TEST_NODE_RED`, on the Node.js that runs the tests. */
  installation?: Installation;
  /** A program that embeds Node-RED, started with the arguments userDir, port and folder of Node-RED instead of red.js. */
  embeddedIn?: string;
}

const fromNodeRed = createRequire(require.resolve('node-red'));
const bcrypt = fromNodeRed('bcryptjs') as { hashSync(password: string, rounds: number): string };

/** Core nodes that are loaded only with `coreNodes: 'all'`, by their files. */
const UNUSUAL: Readonly<Record<string, string>> = {
  'http request': '21-httprequest.js',
  'mqtt-broker': '10-mqtt.js',
  'websocket-listener': '22-websocket.js',
  html: '70-HTML.js',
  xml: '70-XML.js',
  yaml: '70-YAML.js',
  json: '70-JSON.js',
  csv: '70-CSV.js',
  watch: '23-watch.js'
};

const SECRET = 'a credential secret of the tests';

/**
 * Node-RED would wait for ever for a node that is not loaded.
 *
 * @throws Error when the flow needs one of them
 */
export function checkTypes(flow: readonly FlowNode[], { coreNodes }: NodeRedOptions): void {
  const missing = flow.find(({ type }) => Object.hasOwn(UNUSUAL, type));
  if (coreNodes !== 'all' && missing !== undefined)
    throw new Error(`The flow has a node "${missing.type}": start Node-RED with coreNodes: 'all'`);
}

/** Writes settings.js, flows.json and flows_cred.json. Sets only what the options name. */
export function writeUserDir(userDir: string, port: number, options: NodeRedOptions): void {
  checkTypes(options.flow ?? [], options);
  const secret = options.credentialSecret ?? SECRET;
  const settings: Record<string, unknown> = {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    credentialSecret: secret,
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false },
    logging: { console: { level: 'info', metrics: false, audit: false } },
    ...(options.coreNodes !== 'all' && { nodesExcludes: Object.values(UNUSUAL) }),
    ...options.settings
  };
  if (options.httpAdminRoot !== undefined) settings['httpAdminRoot'] = options.httpAdminRoot;
  if (options.httpNodeRoot !== undefined) settings['httpNodeRoot'] = options.httpNodeRoot;
  if (options.httpNodeAuth) {
    settings['httpNodeAuth'] = { user: options.httpNodeAuth.user, pass: hash(options.httpNodeAuth.password) };
  }
  if (options.adminAuth) {
    const { user, password } = options.adminAuth;
    const users = [{ username: user, password: hash(password), permissions: '*' }];
    settings['adminAuth'] = { type: 'credentials', users };
  }
  const text = `module.exports = ${JSON.stringify(settings, null, 2)};\n${options.settingsCode ?? ''}\n`;
  writeFileSync(path.join(userDir, 'settings.js'), text);
  writeFlow(userDir, options.flow ?? [], secret);
}

function writeFlow(userDir: string, flow: FlowNode[], secret: string | false): void {
  const credentials: Record<string, unknown> = {};
  const nodes = flow.map(({ credentials: own, ...node }) => {
    if (own !== undefined) credentials[node.id] = own;
    return node;
  });
  writeFileSync(path.join(userDir, 'flows.json'), JSON.stringify(nodes));
  if (Object.keys(credentials).length === 0) return;
  const stored = secret === false ? credentials : encrypted(credentials, secret);
  writeFileSync(path.join(userDir, 'flows_cred.json'), JSON.stringify(stored));
}

/** Node-RED's own format: AES-256-CTR under SHA-256 of the secret, hex IV before base64. */
function encrypted(credentials: unknown, secret: string): { $: string } {
  const key = createHash('sha256').update(secret).digest();
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-ctr', key, iv);
  const text = cipher.update(JSON.stringify(credentials), 'utf8', 'base64') + cipher.final('base64');
  return { $: iv.toString('hex') + text };
}

/** A password as settings.js holds it. */
export function hash(password: string): string {
  return bcrypt.hashSync(password, 4);
}
