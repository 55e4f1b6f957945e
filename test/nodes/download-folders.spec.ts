import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import telnyxAccount from '../../nodes/telnyx-account';
import telnyxQueue from '../../nodes/telnyx-queue';
import recordingDownload from '../../nodes/telnyx-recording-download';
import { Cluster } from '../../src/sharing/cluster';
import { RedisConnection } from '../../src/sharing/redis-connection';
import { PARTIAL_DIRECTORY } from '../../src/store/folder/archive-path';
import { createFolderStore } from '../../src/store/folder/folder-store';
import { account, config, node, tab } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import { loadedNode } from '../support/node-helper';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';
import { testOwner } from '../unit/store/folder/store-fixture';
import { NodeStage } from './node-stage';

const CALL = wav({ seconds: 0.1 });
const ELSEWHERE = { id: 'f'.repeat(32), host: 'archive-2' };

describe('telnyx-recording-download with a queue and a folder', function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let media: LocalServer;
  let folder: string;
  let connection: RedisConnection;
  let elsewhere: Cluster;
  let stage: NodeStage | undefined;

  before(async function () {
    redis = await RedisServer.start(this);
    media = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': CALL.length }).end(CALL);
    });
  });
  after(async () => {
    await (media as LocalServer | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
  });

  beforeEach(async () => {
    await redis.flush();
    folder = mkdtempSync(path.join(tmpdir(), 'telnyx-folders-'));
    connection = new RedisConnection({ url: redis.url, prefix: 'telnyx' });
    connection.start();
    should(await connection.ready(5000)).be.true();
  });
  afterEach(async () => {
    await stage?.unload();
    stage = undefined;
    await elsewhere.close();
    connection.close();
    rmSync(folder, { recursive: true });
  });

  /** Another Node-RED that has the node `download`. @param probe name of its file */
  async function join(probe: string): Promise<void> {
    const report = { settings: {}, running: 0, waiting: 0, probe };
    elsewhere = new Cluster({ connection, instance: ELSEWHERE, report: () => ({ download: report }) });
    await elsewhere.beat();
  }

  async function start(): Promise<NodeStage> {
    const download = (id: string): object =>
      node(id, 'telnyx-recording-download', {
        ...{ account: 'account', folder, network: 'any', queue: 'queue', wires: [[`${id}-stored`]] }
      });
    stage = await NodeStage.load(
      [telnyxAccount, telnyxQueue, recordingDownload],
      [
        ...[tab(), account(), config('queue', 'telnyx-queue', { url: redis.url })],
        ...[download('download'), node('download-stored', 'recorder')],
        ...[download('second'), node('second-stored', 'recorder')]
      ]
    );
    return stage;
  }

  const store = (id: string): void =>
    loadedNode(id).receive({ _msgid: id, url: `${media.url}/${id}.wav`, payload: '' });
  const stored = (id: string): Promise<unknown> =>
    until(`the file of ${id}`, () => stage!.received(`${id}-stored`).length === 1);
  const text = (id: string): string => String(stage!.status(id)?.text);
  const probes = (): string[] =>
    readdirSync(path.join(folder, PARTIAL_DIRECTORY)).filter((name) => /^probe/.test(name));

  it('waits for the file of another Node-RED, by node, and goes on when that one is gone', async () => {
    await join('probe.of.nobody.claim');
    await start();
    for (const id of ['download', 'second']) store(id);
    await stored('second');
    await until('the status', () => text('download').startsWith('checking the folder · '));
    should(stage!.status('download')?.fill).equal('yellow');
    should(media.requests).eql(['/second.wav']);
    await elsewhere.close();
    await stored('download');
    // Each of the two nodes has left a file, which goes with it.
    should(probes()).have.length(2);
    await stage!.unload();
    should(probes()).eql([]);
  });

  it('does not wait for one that stores in a bucket or cannot write', async () => {
    await join('');
    await start();
    store('download');
    await stored('download');
    should(text('download')).not.match(/folder/);
  });

  it('works with one that sees the same folder', async () => {
    const { probe } = createFolderStore({ folder, owner: testOwner('theirs', 'unknown', 'b'.repeat(32)) });
    await probe.make();
    await join(probe.name);
    await start();
    store('download');
    await stored('download');
  });
});
