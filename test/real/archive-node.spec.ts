import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import should from 'should';
import { recordingName } from '../../src/evidence/custody/custody-line';
import { identityOfId } from '../../src/recording/recording-reference';
import { linesOfCustody } from '../support/custody-lines';
import { jsonDelivery } from '../support/deliveries';
import { catchAll, config, functionNode, node, recorder } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import { REPOSITORY } from '../support/packed-package';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

const CALL = wav({ seconds: 1, channels: 1 });
const PROGRAM = path.join(REPOSITORY, 'dist', 'src', 'evidence', 'cli', 'cli.js');
const CASE = { id: 'complaint 17', reason: 'a dispute', by: 'legal' };

describe('an archive node, in a real Node-RED', function () {
  this.timeout(240_000);
  let media: LocalServer;
  let directory: string;
  let instance: WebhookInstance;
  let asked = 0;

  before(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-archive-node-'));
    media = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': CALL.length }).end(CALL);
    });
    const flow = webhookFlow({ wires: [['download']] }, [
      config('retention', 'telnyx-retention', { policy: '90 days', deleteAfter: '90', rules: [] }),
      node('download', 'telnyx-recording-download', {
        ...{
          account: 'account',
          destination: 'folder',
          folder: 'calls',
          filename: '{{recording_id}}.{{ext}}'
        },
        ...{ network: 'any', retention: 'retention', wires: [['seen']] }
      }),
      node('ask', 'http in', {
        url: '/ask',
        method: 'post',
        upload: false,
        swaggerDoc: '',
        wires: [['answer', 'asking']]
      }),
      node('answer', 'http response', { statusCode: '202', headers: {}, wires: [] }),
      functionNode('asking', 'return msg.payload;', { wires: [['archive']] }),
      node('archive', 'telnyx-archive', { action: 'sweep', folder: '', bucket: '', wires: [['result']] }),
      ...recorder('result', 'results.jsonl'),
      ...catchAll()
    ]);
    instance = await WebhookInstance.start({
      flow,
      env: { DIES_AFTER_FILE: path.join(directory, 'dies-after') },
      nodeArgs: ['--require', path.join(__dirname, '../support/dies-after-unlink.cjs')]
    });
  });
  after(async () => {
    await (instance as WebhookInstance | undefined)?.stop();
    await media.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const folder = (): string => path.join(instance.nodeRed.userDir, 'calls');
  const files = (): string[] =>
    existsSync(folder())
      ? readdirSync(folder())
          .filter((name) => !name.startsWith('.'))
          .sort()
      : [];
  const lines = (id: string): string[] =>
    linesOfCustody(instance.nodeRed.userDir)
      .filter(({ recording }) => recording === recordingName(id, identityOfId('telnyx', id)))
      .map(({ event }) => event);

  async function deliver(id: string): Promise<void> {
    const body = JSON.stringify({
      data: {
        ...{ record_type: 'event', event_type: 'call.recording.saved', id: `event of ${id}` },
        occurred_at: new Date().toISOString(),
        payload: {
          ...{ recording_id: id, from: '+15550100199', to: '+15550100' },
          recording_started_at: '2026-01-04T09:15:02.118Z',
          recording_urls: { wav: `${media.url}/call.wav` }
        }
      }
    });
    should((await instance.deliver(jsonDelivery(body))).status).equal(200);
    await until('it is stored', () => files().includes(`${id}.wav.json`), { deadline: 60_000 });
  }

  async function send(message: object): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: Buffer.from(JSON.stringify(message)) };
    should((await instance.request('/ask', request)).status).equal(202);
  }

  /** What the archive node answers. */
  async function ask(message: object): Promise<Record<string, unknown>> {
    await send(message);
    asked += 1;
    const all = await instance.nodeRed.messages(asked, { file: 'results.jsonl', deadline: 60_000 });
    return all[asked - 1]!.payload as Record<string, unknown>;
  }

  it('keeps what is held, and deletes it with all that belongs to it once it is released', async () => {
    await deliver('rec-1');
    const query = { number: '+15550100199' };
    should(await ask({ action: 'hold', query, case: CASE })).containEql({ held: 1 });
    should(await ask({ dryRun: false })).containEql({ due: 1, deleted: 0, refused: 1 });
    should(files()).eql(['rec-1.wav', 'rec-1.wav.json']);
    await instance.nodeRed.restart();
    should(await ask({ dryRun: false })).containEql({ deleted: 0, refused: 1 });
    should(await ask({ action: 'release', case: CASE })).containEql({ released: 1, still_held: 0 });
    should(await ask({})).containEql({ dry_run: true, deleted: 1 });
    should(files()).eql(['rec-1.wav', 'rec-1.wav.json']);
    should(await ask({ dryRun: false })).containEql({ deleted: 1, refused: 0 });
    should(files()).eql([]);
    should(lines('rec-1').filter((event) => /hold|dele|expired/.test(event))).eql([
      ...[
        'hold-placed',
        'deletion-refused',
        'deletion-refused',
        'hold-released',
        'deletion-intended',
        'expired'
      ]
    ]);
    should(await ask({ action: 'find' })).containEql({ found: 0 });
  });

  it('finishes after a crash what was begun, and the next sweep does the rest', async () => {
    for (const id of ['rec-2', 'rec-3', 'rec-4']) await deliver(id);
    // The index has them a moment later.
    await until('they are found', async () => (await ask({ action: 'find' }))['found'] === 3, {
      deadline: 60_000
    });
    writeFileSync(path.join(directory, 'dies-after'), '.wav');
    await send({ dryRun: false });
    await until('Node-RED is dead', () => !instance.nodeRed.alive, { deadline: 60_000 });
    rmSync(path.join(directory, 'dies-after'));
    // The sidecar of the first is left, and two recordings.
    should(files()).have.length(5);
    await instance.nodeRed.start();
    await until('it is finished', () => files().length === 4, { deadline: 60_000 });
    should(await ask({ dryRun: false })).containEql({ deleted: 2, failed: 0, complete: true });
    should(files()).eql([]);
    for (const id of ['rec-2', 'rec-3', 'rec-4'])
      should(lines(id).filter((event) => event === 'expired')).eql(['expired']);
  });

  it('leaves an archive and a log that can be verified', async () => {
    await deliver('rec-5');
    const log = path.join(instance.nodeRed.userDir, 'telnyx', 'custody');
    const run = (): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, [PROGRAM, 'verify', folder(), '--log', log]);
    await until('its line is written', () => lines('rec-5').includes('stored'), { deadline: 60_000 });
    const { stdout } = await run();
    should(stdout)
      .match(/Archive: 1 files, 1 as written/)
      .and.match(/Everything is as it was written\./);
    writeFileSync(path.join(folder(), 'rec-5.wav'), 'another call');
    await should(run()).be.rejectedWith({ code: 1 });
  });
});
