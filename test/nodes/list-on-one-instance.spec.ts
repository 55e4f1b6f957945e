import { getEventListeners } from 'node:events';
import path from 'node:path';
import should from 'should';
import { deletionsOf } from '../../nodes/lib/deletions';
import { deletionOf } from '../../src/archive/deletion/stored-removal';
import { entering } from '../../src/archive/effects';
import { LocalFacts } from '../../src/archive/index/local-facts';
import { Tombstones } from '../../src/evidence/deletion/tombstones';
import { identityOfId } from '../../src/recording/recording-reference';
import { SharedFacts } from '../../src/sharing/facts/shared-facts';
import { RedisConnection } from '../../src/sharing/redis-connection';
import { SharedLeases } from '../../src/sharing/shared-leases';
import type { StoredRecording } from '../../src/store/stored-recording';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { StateFixture } from '../unit/archive/state-fixture';
import { keyDigest } from '../../src/values/fields';
import { config } from '../support/flows';
import { loadedNode } from '../support/node-helper';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';
import { ListStage } from './list-stage';

const API_KEY = 'KEY-made-up-for-the-list';
const ELSEWHERE = { id: 'f'.repeat(32), host: 'archive-2' };

describe('telnyx-recording-list with a queue', function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let telnyx: TelnyxStandIn;
  let recordingId: string;
  let stage: ListStage;
  let connection: RedisConnection;
  let elsewhere: SharedLeases;

  before(async function () {
    redis = await RedisServer.start(this);
    telnyx = new TelnyxStandIn({ apiKey: API_KEY });
    await telnyx.start();
    recordingId = telnyx.addRecording({ seconds: 0.05 }).id;
  });

  after(async () => {
    await (telnyx as TelnyxStandIn | undefined)?.stop();
    await (redis as RedisServer | undefined)?.close();
  });

  beforeEach(async () => {
    await redis.flush();
    process.env['TELNYX_API_KEY'] = API_KEY;
    stage = await ListStage.make();
    connection = new RedisConnection({ url: redis.url, prefix: 'telnyx' });
    connection.start();
    await connection.ready(5000);
    elsewhere = new SharedLeases(connection, ELSEWHERE);
  });

  afterEach(async () => {
    connection.close();
    await stage.remove();
    delete process.env['TELNYX_API_KEY'];
  });

  /** @param url of the Redis */
  async function load(url: string): Promise<void> {
    const list = stage.flow(`${telnyx.url}/v2`, { queue: 'queue' }, { wires: [['stored'], ['summary']] });
    await stage.load([...list, config('queue', 'telnyx-queue', { url, prefix: 'telnyx' })]);
  }

  const shown = (): string[] => {
    const { status } = loadedNode('list') as unknown as { status: { args: [{ text?: string }][] } };
    return status.args.map(([{ text = '' }]) => text);
  };

  it('leaves a list to the instance that runs it, and to itself within a minute', async () => {
    await load(redis.url);
    const sent = stage.messages('stored');
    await elsewhere.run('list list', 30_000, async () => {
      const run = await stage.run();
      should(run).containEql({ error: null, completed: true, summary: null });
    });
    // It has just ended there: a schedule that starts here a moment later must not repeat it.
    should((await stage.run()).summary).be.null();
    should(sent).have.length(0);
    await until('the status', () => shown().some((text) => text.includes('elsewhere')));
  });

  it('runs when nobody else does, and keeps the others from it', async () => {
    await load(redis.url);
    const { summary } = await stage.run();
    should(summary).containEql({ listed: 1, emitted: 1, complete: true });
    should((await elsewhere.run('list list', 30_000, () => Promise.resolve())).kind).equal('taken');
    // The same instance may repeat it.
    should((await stage.run()).summary).containEql({ listed: 1 });
  });

  it('knows what others stored, also where no download node shares its work', async () => {
    const state = new StateFixture();
    const local = new LocalFacts(state.database);
    const facts = new SharedFacts({
      ...{ local, database: state.database, connection, instance: ELSEWHERE.id, sealer: null }
    });
    try {
      await load(redis.url);
      should((await stage.run()).summary).containEql({ listed: 1, emitted: 1, stored: 0 });
      const recording = { path: '/archive/1.mp3', stored_at: new Date().toISOString(), sha256: 'aa' };
      const file = {
        ...{ identity: identityOfId('telnyx', recordingId), wantedFormat: 'mp3', order: 'elsewhere' },
        recording: { ...recording, transcription: null, deleted_at_source: null } as StoredRecording
      };
      await facts.commit(entering({ place: '/archive' }, [file]));
      should((await stage.run()).summary).containEql({ listed: 1, emitted: 0, stored: 1 });
    } finally {
      await facts.close();
      await state.remove();
    }
  });

  it('tells the others what is deleted here', async () => {
    const state = new StateFixture();
    const local = new LocalFacts(state.database);
    const facts = new SharedFacts({
      ...{ local, database: state.database, connection, instance: ELSEWHERE.id, sealer: null }
    });
    try {
      await load(redis.url);
      const recording = {
        ...{ path: path.join(stage.folder, '1.mp3'), stored_at: new Date().toISOString() },
        ...{ sha256: 'a'.repeat(64), size: 1, recording_id: recordingId },
        ...{ transcription: null, deleted_at_source: null }
      } as StoredRecording;
      const identity = identityOfId('telnyx', recordingId);
      const file = { identity, wantedFormat: 'mp3', order: 'elsewhere', recording };
      await facts.commit(entering({ place: stage.folder }, [file]));
      should((await stage.run()).summary).containEql({ stored: 1, deleted: 0 });
      const deletions = await deletionsOf(stage.RED);
      const by = { reason: 'erased', actor: 'test' } as const;
      should(await deletions.delete(deletionOf(file, stage.folder, by))).have.property('deleted', true);
      await until('the others know', async () => (await facts.find(identity)).length === 0 || undefined);
      should(new Tombstones(state.database).has(keyDigest(identity))).be.true();
    } finally {
      await facts.close();
      await state.remove();
    }
  });

  it('leaves no listener behind after a run', async () => {
    const signals = new Set<AbortSignal>();
    const add = Object.getOwnPropertyDescriptor(EventTarget.prototype, 'addEventListener')!;
    const listen = add.value as EventTarget['addEventListener'];
    EventTarget.prototype.addEventListener = function (this: EventTarget, ...of: Parameters<typeof listen>) {
      if (this instanceof AbortSignal) signals.add(this);
      listen.apply(this, of);
    };
    try {
      await load(redis.url);
      for (let run = 0; run < 5; run++) should((await stage.run()).error).be.null();
      const counts = [...signals].map((signal) => getEventListeners(signal, 'abort').length);
      should(Math.max(...counts)).be.below(5);
    } finally {
      Object.defineProperty(EventTarget.prototype, 'addEventListener', add);
    }
  });

  it('does not run while nobody can say whether others do, and does not hold up a deploy', async () => {
    await load(redis.url);
    should((await stage.run()).error).be.null();
    redis.freeze();
    try {
      should((await stage.run()).error).containEql({ code: 'QUEUE_AWAY' });
      const begun = performance.now();
      const run = stage.run().catch(() => undefined);
      await stage.unload();
      should(performance.now() - begun).be.below(2000);
      void run;
    } finally {
      redis.thaw();
    }
  });
});
