import should from 'should';
import { factsOfQueue } from '../../nodes/config/queue/queue-facts';
import type { QueueSettings } from '../../nodes/config/queue/queue-settings';
import { SharedQueue } from '../../nodes/config/queue/shared-queue';
import { identitiesOfQueue } from '../../nodes/webhook/queue-identities';
import { entering } from '../../src/archive/effects';
import { LocalFacts } from '../../src/archive/index/local-facts';
import type { StoredRecording } from '../../src/store/stored-recording';
import { LocalIdentities } from '../../src/webhook/journal/delivery-identities';
import { RedisServer } from '../support/redis-server';
import { StateFixture } from '../unit/archive/state-fixture';

describe('what nodes with a queue share', function () {
  this.timeout(30_000);
  let redis: RedisServer;
  let queue: SharedQueue | undefined;

  beforeEach(async function () {
    redis = await RedisServer.start(this);
  });
  afterEach(async () => {
    await queue?.close();
    redis.thaw();
    await redis.close();
  });

  function open(encryptionKey: Buffer | null = null): SharedQueue {
    const settings = { url: redis.url, prefix: 'telnyx', whenAway: 'hold', encryptionKey };
    queue = new SharedQueue(settings as unknown as QueueSettings, 'f'.repeat(32));
    return queue;
  }

  it('is in the state that is open now', async () => {
    const shared = open();
    const state = new StateFixture();
    const file = {
      ...{ identity: 'telnyx:1', wantedFormat: 'mp3', order: 'job' },
      recording: {
        ...{ path: '/a/1.mp3', stored_at: '2026-03-04T09:00:00.000Z', sha256: 'aa' },
        ...{ transcription: null, deleted_at_source: null }
      } as StoredRecording
    };
    const opened = (): Parameters<typeof factsOfQueue>[1] => ({
      ...{ database: state.database, facts: new LocalFacts(state.database) }
    });
    try {
      const known = opened();
      const first = factsOfQueue(shared, known, () => undefined);
      should(factsOfQueue(shared, known, () => undefined)).equal(first);
      await state.reopen();
      const facts = factsOfQueue(shared, opened(), () => undefined);
      await facts.commit(entering({ place: '/a' }, [file]));
      should(await facts.find('telnyx:1')).have.length(1);
    } finally {
      await queue?.close();
      await state.remove();
    }
  });

  it('tells keys apart, and nothing of them', async () => {
    const told = async (key: Buffer | null): Promise<string> => {
      const one = open(key);
      await one.close();
      return JSON.stringify(one.told);
    };
    const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    should(await told(one)).equal(await told(one));
    const all = [await told(null), await told(one), await told(other)];
    should(new Set(all).size).equal(3);
    for (const text of all) should(text).match(/^\{"Encryption":"[\w-]{16}"\}$/);
  });

  it('lets no delivery wait for a Redis that answers nothing from the start', async () => {
    redis.freeze();
    const shared = open();
    const identities = identitiesOfQueue(shared, {
      local: new LocalIdentities({
        find: () => undefined,
        remember: () => Promise.resolve()
      }),
      since: async function* () {
        yield await Promise.resolve([]);
      }
    });
    const begun = performance.now();
    should((await identities.claim('node', 'event')).kind).equal('mine');
    // Telnyx waits for two seconds.
    should(performance.now() - begun).be.below(1600);
    const again = performance.now();
    await identities.claim('node', 'another event');
    should(performance.now() - again).be.below(100);
  });
});
