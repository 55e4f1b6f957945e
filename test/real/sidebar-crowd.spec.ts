import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { itemsOf } from '../../nodes/download/download-messages';
import { FailedRecordings } from '../../src/archive/queue/failed-recordings';
import { StateDatabase } from '../../src/state/state-database';
import { longestStall, watchedEventLoop } from '../support/event-loop';
import { LIVELY_FLOW, LivelyTelephone } from '../support/lively-flow';
import { logIn, THREE_USERS } from '../support/logins';
import { NodeRedProcess } from '../support/node-red-process';

const GIVEN_UP = 10_000;
/** Requests of one user at the same time. */
const CROWD = 300;

interface Asked {
  path: string;
  /** Left out: GET. */
  body?: object;
}

describe('a crowd at the sidebar', function () {
  this.timeout(240_000);
  const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-crowd-'));
  let nodeRed: NodeRedProcess;
  let phone: LivelyTelephone | undefined;
  const tokens: Record<string, string> = {};

  before('Node-RED with a long list of what was given up', async () => {
    nodeRed = await NodeRedProcess.start({
      flow: LIVELY_FLOW,
      settings: { adminAuth: THREE_USERS },
      ...watchedEventLoop(directory)
    });
    phone = await LivelyTelephone.call(nodeRed);
    await nodeRed.stop({ keep: true });
    await giveUpMany();
    await nodeRed.start();
    for (const { username } of THREE_USERS.users)
      tokens[username] = (await logIn(nodeRed, username)).access_token;
  });
  after(async () => {
    await phone?.end();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function giveUpMany(): Promise<void> {
    const database = new StateDatabase(path.join(nodeRed.userDir, 'telnyx'));
    const list = new FailedRecordings(database);
    const event = { provider: 'telnyx', event_type: 'call.recording.saved' };
    const recording_urls = { wav: 'https://media.example.com/x.wav' };
    const [item] = itemsOf({ _msgid: 'x', payload: { recording_id: 'rec', recording_urls }, event }, 'any');
    const { details } = item!.reference;
    const node = 'once-archive';
    const changes = Array.from({ length: GIVEN_UP }, (_value, at) => {
      const identity = `rec-${at}`;
      const why = { code: 'GAVE_UP', message: 'The recording is gone. '.repeat(5), attempts: 1 };
      return list.entering({ node, identity, at: Date.now() - at, ...why, details });
    });
    await database.commit(changes);
    await database.close();
  }

  const ask = (user: string, { path: where, body }: Asked, agent?: Agent): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${tokens[user]}` };
      const method = body === undefined ? 'GET' : 'POST';
      const to = { port: nodeRed.port, path: where, method, headers, ...(agent && { agent }) };
      const outgoing = request(to, (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      });
      outgoing.once('error', reject).end(body && JSON.stringify(body));
    });
  /** MiB of private memory. */
  const memory = (): number => {
    const status = readFileSync(`/proc/${nodeRed.pid}/status`, 'utf8');
    return Number(/^RssAnon:\s*(\d+) kB/m.exec(status)?.[1]) / 1024;
  };

  const routes: Record<string, (at: number) => Asked> = {
    '"Now"': () => ({ path: '/telnyx-sidebar/now' }),
    'every part of what was given up': (at) => ({ path: `/telnyx-sidebar/given-up?skip=${30 * at}` }),
    'searches in the archive': () => ({ path: '/telnyx-sidebar/archive/search', body: {} }),
    'searches in the deliveries': () => ({ path: '/telnyx-sidebar/deliveries/search', body: {} }),
    'the samples': () => ({ path: '/telnyx-webhook-in/sample?lng=de' })
  };
  for (const [what, asked] of Object.entries(routes))
    it(`that asks for ${what} stops neither Node-RED nor another user`, async () => {
      const agent = new Agent({ maxSockets: CROWD });
      const before = memory();
      await longestStall(nodeRed, directory);
      const begun = performance.now();
      const crowd = Array.from({ length: CROWD }, (_value, at) => ask('reader', asked(at), agent));
      const others = [];
      for (let at = 0; at < 3; at += 1) others.push(await ask('admin', asked(at)));
      const seconds = (performance.now() - begun) / 1000;
      const answers = await Promise.all(crowd);
      const stall = await longestStall(nodeRed, directory);
      const served = answers.filter((status) => status === 200).length;
      const grown = memory() - before;
      console.log(
        `        (another user: 3 in ${seconds.toFixed(1)} s; ${served} of ${CROWD} served, ` +
          `stall ${Math.round(stall)} ms, ${Math.round(grown)} MiB more)`
      );
      should(others).deepEqual([200, 200, 200]);
      should([...new Set(answers)].filter((status) => status !== 200 && status !== 429)).be.empty();
      should(served).be.aboveOrEqual(1);
      should(served + answers.filter((status) => status === 429).length).equal(CROWD);
      should(stall).be.below(1000);
      should(grown).be.below(200);
    });
});
