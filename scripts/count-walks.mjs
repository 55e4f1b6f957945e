// Counts the files that a delivery and a recording pass through, and writes the numbers into ARCHITECTURE.md.
// Run it after `npm run build`: node --import tsx scripts/count-walks.mjs
// --check: only reports whether they are current; --list: also prints the files.
//
// It starts Node-RED with the built package, processes ordinary deliveries and recordings, and asks V8 which
// functions ran meanwhile. A file is on the walk when one of its functions ran each time.
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { Session } from 'node:inspector/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withPassage } from './marked-text.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = `file://${path.join(root, 'dist')}/`;
const require = createRequire(import.meta.url);

/** Occasional background work appears only in some rounds. */
const ROUNDS = 4;
const TARGETS = { delivery: 28, recording: 45 };
/** Milliseconds. Far longer than a walk on a slow machine. */
const LONGEST_WALK = 30_000;

/** Events: `message`, with the id of the node that sends it and the message; `file`, when a recording has its name. */
const way = new EventEmitter();
const userDir = mkdtempSync(path.join(tmpdir(), 'telnyx-walks-'));
const recordings = path.join(userDir, 'recordings');
// Before the package is loaded, because it keeps the function it finds.
watchNames();
const { TelnyxStandIn } = require('../dist/src/simulator/stand-in.js');
const standIn = new TelnyxStandIn();
await standIn.start();
const { RED, server, port } = await startNodeRed();
const profiler = new Session();
profiler.connect();
await profiler.post('Profiler.enable');
await profiler.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

RED.hooks.add('onSend', (events) => {
  for (const { source, msg } of events) way.emit('message', source.id, msg);
});

const walks = { delivery: [], recording: [] };
try {
  // The first of each does extra one-time work.
  for (let round = 0; round <= ROUNDS; round++) {
    const sample = standIn.sample('call.recording.saved');
    const to = `http://127.0.0.1:${port}/walk`;
    const body = sample.body(1, to);
    const headers = {
      'content-type': sample.contentType,
      ...standIn.key.sign(body, String(Math.floor(Date.now() / 1000)))
    };
    const arrived = next('message', (node) => node === 'webhook');
    const delivery = await filesUntil(arrived, () => post(to, headers, body));
    const [, message] = await arrived;
    const named = next('file');
    const sent = next('message', (node) => node === 'download');
    const recording = await filesUntil(named, () => RED.nodes.getNode('download').receive(message));
    await sent;
    if (round === 0) continue;
    walks.delivery.push(delivery);
    walks.recording.push(recording);
  }
} catch (error) {
  rmSync(userDir, { recursive: true, force: true });
  throw error;
}

const passage = describe(common(walks.delivery), common(walks.recording));
const file = path.join(root, 'ARCHITECTURE.md');
const before = readFileSync(file, 'utf8');
const after = withPassage(before, 'counts', passage);
if (!process.argv.includes('--check')) writeFileSync(file, after);
else if (after !== before) {
  console.error('The counts in ARCHITECTURE.md are stale. Run: npm run docs:counts');
  process.exitCode = 1;
}
for (const [name, most] of Object.entries(TARGETS)) {
  const count = common(walks[name]).length;
  if (count <= most) continue;
  console.error(`A ${name} passes ${count} files, and is to pass at most ${most}.`);
  process.exitCode = 1;
}
console.log(passage);
if (process.argv.includes('--list'))
  for (const [name, rounds] of Object.entries(walks)) console.log(`\n${name}\n${common(rounds).join('\n')}`);
await RED.stop();
server.close();
await standIn.stop();
rmSync(userDir, { recursive: true, force: true });
process.exit();

/**
 * Files with a function that runs between `begin` and the end, without those of the simulator, which makes
 * its sounds with `samples/media`.
 *
 * @param end see `next`
 */
async function filesUntil(end, begin) {
  await settled();
  await profiler.post('Profiler.takePreciseCoverage');
  await begin();
  await end;
  const { result } = await end.coverage;
  const files = new Set();
  for (const { url, functions } of result) {
    const isOfSimulator = ['src/simulator/', 'src/samples/media/'].some((room) =>
      url.startsWith(dist + room)
    );
    if (!url.startsWith(dist) || isOfSimulator) continue;
    // The first function is the file itself, which runs on load.
    if (
      functions.some(
        ({ ranges: [{ startOffset, count }], functionName }) =>
          count > 0 && (functionName !== '' || startOffset > 0)
      )
    ) {
      files.add(url.slice(dist.length).replace(/\.js$/, '.ts'));
    }
  }
  return files;
}

/** Work after the hand-over of a recording is not on its walk. */
async function settled() {
  await new Promise((resolve) => setTimeout(resolve, 1500));
}

/**
 * The next event of the walk.
 *
 * @returns resolves with the values of the event; `coverage` is taken at that moment
 */
function next(event, isMeant = () => true) {
  const reached = new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`No ${event} arrived within ${LONGEST_WALK} ms: the walk cannot be counted.`)),
      LONGEST_WALK
    );
    const listener = (...told) => {
      if (!isMeant(...told)) return;
      clearTimeout(timer);
      way.off(event, listener);
      // V8 answers immediately, before anything else runs.
      reached.coverage = profiler.post('Profiler.takePreciseCoverage');
      resolve(told);
    };
    way.on(event, listener);
  });
  return reached;
}

/** Reports when a hard link gives a recording its name, before the package knows. */
function watchNames() {
  const fs = require('node:fs');
  const { link } = fs;
  fs.link = (from, to, done) =>
    link(from, to, (error) => {
      const inArchive = path.relative(recordings, to);
      const isHidden = inArchive.split(path.sep).some((name) => name.startsWith('.'));
      if (error === null && !isHidden && !to.endsWith('.json')) way.emit('file');
      done(error);
    });
}

async function post(to, headers, body) {
  const request = http.request(to, { method: 'POST', headers });
  request.end(body);
  const [response] = await once(request, 'response');
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`The delivery was answered ${response.statusCode}.`);
}

async function startNodeRed() {
  const scope = path.join(userDir, 'node_modules', '@red-telephony');
  mkdirSync(scope, { recursive: true });
  symlinkSync(root, path.join(scope, 'node-red-telnyx'), 'junction');
  const app = require('express')();
  const server = http.createServer(app);
  const RED = require('node-red');
  const silent = { console: { level: 'off' } };
  RED.init(server, {
    userDir,
    flowFile: 'flows.json',
    httpAdminRoot: '/red',
    httpNodeRoot: '/',
    logging: silent,
    credentialSecret: false,
    telemetry: { enabled: false }
  });
  app.use('/red', RED.httpAdmin);
  app.use('/', RED.httpNode);
  const account = {
    id: 'account',
    type: 'telnyx-account',
    publicKeys: standIn.publicKey,
    apiUrl: standIn.apiUrl
  };
  const common = { z: 'tab', x: 0, y: 0 };
  const flows = [
    { id: 'tab', type: 'tab', label: 'walks' },
    account,
    {
      ...common,
      id: 'webhook',
      type: 'telnyx-webhook-in',
      account: 'account',
      path: '/walk',
      wires: [['end']]
    },
    {
      ...common,
      id: 'download',
      type: 'telnyx-recording-download',
      account: 'account',
      destination: 'folder',
      folder: recordings,
      sidecar: true,
      network: 'any',
      wires: [['end']]
    },
    { ...common, id: 'end', type: 'junction', wires: [[]] }
  ];
  writeFileSync(path.join(userDir, 'flows.json'), JSON.stringify(flows));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const started = new Promise((resolve) => RED.events.once('flows:started', resolve));
  await RED.start();
  await started;
  return { RED, server, port: server.address().port };
}

function common(rounds) {
  return [...rounds[0]].filter((name) => rounds.every((round) => round.has(name))).sort();
}

function describe(delivery, recording) {
  const roomOf = (name) =>
    name
      .split('/')
      .slice(0, name.startsWith('src/') ? 2 : 1)
      .join('/');
  const rooms = [...new Set([...delivery, ...recording].map(roomOf))].sort();
  const cells = (files) => (room) => files.filter((name) => roomOf(name) === room).length;
  const [ofDelivery, ofRecording] = [cells(delivery), cells(recording)];
  return [
    '| Room | A delivery | A recording |',
    '| --- | --: | --: |',
    ...rooms.map((room) => `| \`${room}\` | ${ofDelivery(room) || ''} | ${ofRecording(room) || ''} |`),
    `| **all** | **${delivery.length}** | **${recording.length}** |`,
    `| wanted at most | ${TARGETS.delivery} | ${TARGETS.recording} |`
  ].join('\n');
}
