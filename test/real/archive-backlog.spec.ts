import { readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { itemsOf } from '../../nodes/download/download-messages';
import { keptMessage } from '../../src/archive/queue/job';
import { JobRepository } from '../../src/archive/queue/job-repository';
import { StateDatabase } from '../../src/state/state-database';
import { account, node, recorder, tab } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import { NodeRedProcess } from '../support/node-red-process';
import { nodeStatus } from '../support/node-statuses';

const WAITING = 100_000;
const BYTES = wav();

/** A message like that of the webhook node, with everything that is kept of one. */
function message(index: number, url: string): Record<string, unknown> {
  const recording_id = `rec-${String(index).padStart(6, '0')}`;
  const payload = {
    recording_id,
    call_control_id: `v3:${recording_id.repeat(6)}`,
    call_leg_id: recording_id.repeat(4),
    recording_started_at: '2026-05-06T07:00:00Z',
    recording_urls: { wav: `${url}/${recording_id}.wav?X-Amz-Signature=${'0'.repeat(64)}` }
  };
  const event_type = 'call.recording.saved';
  const event = { provider: 'telnyx', event_type, id: `event ${index}`, body: { data: { payload } } };
  return { _msgid: recording_id, topic: event_type, payload, event };
}

describe('an archive with 100,000 waiting jobs', function () {
  this.timeout(180_000);
  let nodeRed: NodeRedProcess;
  let media: LocalServer;
  const held: (() => void)[] = [];

  before(async () => {
    // Nothing is sent until the test allows it.
    media = await localServer((_request, response) => {
      held.push(() =>
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': BYTES.length }).end(BYTES)
      );
    });
    const archive = node('archive', 'telnyx-recording-download', {
      account: 'account',
      destination: 'folder',
      folder: 'archive',
      filename: '{{recording_id}}.{{ext}}',
      concurrency: 4,
      stallTimeout: 300,
      network: 'any',
      wires: [['seen']]
    });
    nodeRed = await NodeRedProcess.start({ flow: [tab(), account(), archive, ...recorder()] });
  });
  after(async () => {
    await nodeRed.stop();
    await media.close();
  });

  /** Private memory of the process, without mapped files. */
  function ownMemory(): number {
    const status = readFileSync(`/proc/${nodeRed.pid}/status`, 'utf8');
    return Number(/^RssAnon:\s*(\d+) kB/m.exec(status)?.[1]) / 1024;
  }

  async function leave(count: number): Promise<void> {
    const database = new StateDatabase(path.join(nodeRed.userDir, 'telnyx'));
    let time = Date.now() - count;
    const jobs = new JobRepository(database, () => (time += 1));
    const adding: Promise<void>[] = [];
    for (let index = 0; index < count; index += 1) {
      const one = message(index, media.url);
      adding.push(jobs.add('archive', jobs.job(keptMessage(one), itemsOf(one, 'any'))));
      if (adding.length === 5000) await Promise.all(adding.splice(0));
    }
    await Promise.all(adding);
    await database.close();
  }

  it('starts as fast as with none, uses no memory for them, and begins with the oldest', async function () {
    if (process.platform !== 'linux') this.skip();
    await nodeRed.stop({ keep: true });
    const emptyBegun = performance.now();
    await nodeRed.start();
    const emptyMs = performance.now() - emptyBegun;
    const emptyMemory = ownMemory();
    await nodeRed.stop({ keep: true });
    await leave(WAITING);

    const begun = performance.now();
    await nodeRed.start();
    const text = `4 active · 0 B · ${WAITING - 4} waiting`;
    await nodeStatus(nodeRed, 'archive', (status) => status.text === text, 30_000);
    const ms = performance.now() - begun;
    // Loose, because other tests may run at the same time; reading all jobs would take many times as long.
    ms.should.be.below(2 * emptyMs + 3000);
    (ownMemory() - emptyMemory).should.be.below(48);
    should(
      media.requests
        .slice(0, 4)
        .map((url) => /rec-\d+/.exec(url)?.[0])
        .sort()
    ).deepEqual(['rec-000000', 'rec-000001', 'rec-000002', 'rec-000003']);
    for (const send of held.splice(0)) send();
    const messages = await nodeRed.messages(4);
    should(messages.map(({ _msgid }) => _msgid).sort()[0]).equal('rec-000000');

    // It also stops immediately, without reading the others.
    const ending = performance.now();
    await nodeRed.stop({ keep: true });
    (performance.now() - ending).should.be.below(5000);
    nodeRed.log.should.match(/Stopped flows\s*$/);
  });
});
