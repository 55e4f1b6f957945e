// `npm run dev`: builds, starts Node-RED with this package linked, and does both again after each change of src/,
// nodes/ or icons/. Flows stay in .dev/ (git-ignored). Another port: npm run dev -- --port 1890
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { port: { type: 'string', default: '1880' } } });
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const userDir = path.join(root, '.dev');
const nodeRed = createRequire(import.meta.url).resolve('node-red/red.js');
const address = `http://127.0.0.1:${values.port}/`;
/** One save in an editor, or one git command, causes many file system events. */
const QUIET_MS = 200;
/** Node-RED closes its nodes first; a hanging node must not block the restart. */
const CLOSE_MS = 10_000;

const SETTINGS = `// Made by npm run dev; yours to change. Remove it for a new one.
module.exports = {
  uiHost: '127.0.0.1',
  flowFile: 'flows.json',
  credentialSecret: 'development',
  telemetry: { enabled: false },
  editorTheme: { tours: false },
  logging: { console: { level: 'info' } }
};
`;

let running = null;
let building = null;
let changed = false;
let ending = false;
let quiet;

makeUserDir();
for (const folder of ['src', 'nodes', 'icons']) {
  watch(path.join(root, folder), { recursive: true }, () => {
    clearTimeout(quiet);
    quiet = setTimeout(() => void update(), QUIET_MS);
  });
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end());
await update();

/** Builds and restarts, again when something changes meanwhile. */
async function update() {
  changed = true;
  if (building !== null) return;
  while (changed && !ending) {
    changed = false;
    console.log('- Building …');
    const begun = Date.now();
    building = run([path.join(root, 'scripts', 'build.mjs')]);
    const { code } = await building.ended;
    building = null;
    if (ending || changed) continue;
    if (code !== 0) {
      console.log('- The build failed; waiting for a change.');
      continue;
    }
    console.log(`- Built in ${((Date.now() - begun) / 1000).toFixed(1)} s. The editor is at ${address}`);
    await stop();
    if (!ending) start();
  }
}

function start() {
  const child = run([nodeRed, '--userDir', userDir, '--port', values.port]);
  running = child;
  void child.ended.then(({ code, signal }) => {
    if (running !== child || ending) return;
    running = null;
    console.log(`- Node-RED ended (${signal ?? code}); waiting for a change.`);
  });
}

/** Stops Node-RED like Ctrl+C, so that its nodes close. */
async function stop() {
  const child = running;
  if (child === null) return;
  running = null;
  child.process.kill('SIGTERM');
  const late = setTimeout(() => child.process.kill('SIGKILL'), CLOSE_MS);
  await child.ended;
  clearTimeout(late);
}

async function end() {
  if (ending) return;
  ending = true;
  building?.process.kill('SIGTERM');
  await stop();
  process.exit(0);
}

function run(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  return {
    process: child,
    ended: new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
  };
}

/** A user directory with this package installed as a link to the repository. */
function makeUserDir() {
  const scope = path.join(userDir, 'node_modules', '@red-telephony');
  const link = path.join(scope, 'node-red-telnyx');
  mkdirSync(scope, { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(root, link, 'junction');
  const settings = path.join(userDir, 'settings.js');
  if (!existsSync(settings)) writeFileSync(settings, SETTINGS);
  const manifest = path.join(userDir, 'package.json');
  const dependencies = { '@red-telephony/node-red-telnyx': 'file:..' };
  if (!existsSync(manifest)) {
    writeFileSync(manifest, `${JSON.stringify({ name: 'dev', private: true, dependencies }, null, 2)}\n`);
  }
}
