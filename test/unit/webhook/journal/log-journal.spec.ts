import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import type { AcceptedDelivery } from '../../../../src/webhook/journal/delivery-journal';
import { REMEMBERED_MS } from '../../../../src/webhook/journal/delivery-identities';
import { LogJournal } from '../../../../src/webhook/journal/log-journal';
import type { LogJournalOptions } from '../../../../src/webhook/journal/log-journal-options';
import { StateDatabase } from '../../../../src/state/state-database';
import { until } from '../../../support/until';
import { THREE_HOURS_MS } from '../../../support/clock-set';

describe('LogJournal', () => {
  let directory: string;
  let database: StateDatabase;
  let journal: LogJournal;
  let now: number;
  let said: string[];
  let days: Map<string, number>;

  const delivery = (id: string, values: Partial<AcceptedDelivery> = {}): AcceptedDelivery => ({
    scope: 'node',
    id,
    receivedAt: now,
    verified: 'ed25519',
    keyIndex: 1,
    contentType: 'application/json',
    query: null,
    rawBody: Buffer.from(`{"id":"${id}"}`),
    provider: 'telnyx',
    eventType: 'call.hangup',
    proof: null,
    ...values
  });
  const pendingIds = (scope = 'node', of = journal): string[] =>
    [...of.pending(scope)].map(({ delivery: { id }, leave }) => {
      leave();
      return id;
    });

  const logs = (): string => path.join(directory, 'deliveries');
  const opened = (options: Partial<LogJournalOptions> = {}): LogJournal =>
    new LogJournal({
      database,
      directory: logs(),
      guard: () => undefined,
      log: (text) => said.push(text),
      days,
      mostBytes: 1e9,
      now: () => now,
      elapsed: () => now,
      ...options
    });
  const open = (): void => {
    database = new StateDatabase(directory);
    journal = opened();
  };
  const reopen = async (): Promise<void> => {
    await journal.dispose();
    await database.close();
    open();
  };

  beforeEach(() => {
    now = Date.parse('2026-05-06T07:08:09Z');
    said = [];
    days = new Map();
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-journal-'));
    open();
  });
  afterEach(async () => {
    await journal.dispose();
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('remembers an accepted delivery, for its own node only', async () => {
    should(journal.find('node', 'a')).be.undefined();
    await journal.accept(delivery('a'));
    should(journal.find('node', 'a')).deepEqual({ answer: null });
    should(journal.find('other', 'a')).be.undefined();
    await reopen();
    should(journal.find('node', 'a')).deepEqual({ answer: null });
  });

  for (const byMs of [-THREE_HOURS_MS, THREE_HOURS_MS]) {
    it(`remembers a delivery for as long as it may be sent again when the clock is set by ${byMs / 3_600_000} hours`, async () => {
      await journal.accept(delivery('a'));
      now += byMs;
      await journal.accept(delivery('b'));
      await journal.forgetIdentities();
      should(journal.find('node', 'a')).deepEqual({ answer: null });
      // Telnyx and Daily send nothing again after so long.
      now += 20 * 3_600_000;
      await journal.forgetIdentities();
      should(journal.find('node', 'a')).deepEqual({ answer: null });
      now -= byMs;
      await journal.forgetIdentities();
      should(journal.find('node', 'b')).deepEqual({ answer: null });
      now += 8 * 3_600_000;
      await journal.forgetIdentities();
      should(journal.find('node', 'a')).be.undefined();
    });
  }

  it('remembers the answer that the flow gave', async () => {
    const answer = { status: 201, contentType: 'application/xml', body: Buffer.from('<Response/>') };
    await journal.remember('node', 'b', answer);
    await reopen();
    const found = journal.find('node', 'b')?.answer;
    should(found?.status).equal(201);
    should(found?.contentType).equal('application/xml');
    should(Buffer.from(found?.body ?? []).toString()).equal('<Response/>');
    should(pendingIds()).deepEqual([]);
  });

  it('takes identities of any length and content', async () => {
    const long = 'x'.repeat(100_000);
    await journal.accept(delivery(long));
    await journal.accept(delivery('\u0000'));
    should(journal.find('node', long)).not.be.undefined();
    should(journal.find('node', `${long}x`)).be.undefined();
    should(journal.find('node', '\u0000')).not.be.undefined();
  });

  it('lists what was not handed over, oldest first and with every byte', async () => {
    await journal.accept(delivery('late', { receivedAt: now + 5, rawBody: Buffer.from([0, 255, 128]) }));
    await journal.accept(delivery('early', { contentType: undefined }));
    await journal.accept(delivery('elsewhere', { scope: 'node2' }));
    await reopen();
    const pending = [...journal.pending('node')].map((entry) => entry.delivery);
    should(pending).deepEqual([
      { ...delivery('early', { contentType: undefined }), sequence: 2, answer: null },
      {
        ...delivery('late', { receivedAt: now + 5, rawBody: Buffer.from([0, 255, 128]) }),
        sequence: 1,
        answer: null
      }
    ]);
  });

  it('lists a copy that the flow gets as well, and remembers only the first', async () => {
    (await journal.accept(delivery('a'))).leave();
    now += 5;
    (await journal.accept(delivery('a', { duplicate: true }))).leave();
    await reopen();
    const [first, copy, ...more] = [...journal.pending('node')];
    should(more).be.empty();
    should([first, copy].map((each) => each?.delivery.duplicate)).eql([undefined, true]);
    should(first?.name).not.equal(copy?.name);
    now += REMEMBERED_MS - 5;
    should(journal.find('node', 'a')).be.undefined();
  });

  it('does not list what its own process is about to hand over, or has', async () => {
    const first = await journal.accept(delivery('first'));
    const second = await journal.accept(delivery('second'));
    should(pendingIds()).deepEqual([]);
    second.leave();
    should(pendingIds()).deepEqual(['second']);
    first.done();
    await journal.accept(delivery('third'));
    await reopen();
    should(pendingIds()).deepEqual(['second', 'third']);
  });

  it('has on disk, once it says so, what was handed over a moment ago', async () => {
    const crashed = (): string[] => pendingIds('node', opened());
    (await journal.accept(delivery('handed over'))).done();
    should(crashed()).deepEqual(['handed over']);
    await journal.written();
    should(crashed()).deepEqual([]);
  });

  it('gives a pending delivery to one caller only', async () => {
    (await journal.accept(delivery('once'))).leave();
    const taken = [...journal.pending('node')];
    should(taken.length).equal(1);
    should([...journal.pending('node')].length).equal(0);
    taken[0]?.done();
    await journal.accept(delivery('after'));
    await reopen();
    should(pendingIds()).deepEqual(['after']);
  });

  it('forgets identities after 24 hours, and what nobody came for after a week', async () => {
    (await journal.accept(delivery('old'))).leave();
    now += REMEMBERED_MS - 1;
    should(journal.find('node', 'old')).not.be.undefined();
    await journal.forgetIdentities();
    should(journal.find('node', 'old')).not.be.undefined();
    now += 1;
    should(journal.find('node', 'old')).be.undefined();
    await journal.forgetIdentities();
    should(database.collection('delivery-identities').count()).equal(0);
    now += 6 * REMEMBERED_MS - 1;
    await journal.forgetPending();
    should(pendingIds()).deepEqual(['old']);
    now += 1;
    await journal.forgetIdentities();
    should(pendingIds()).deepEqual(['old']);
    await journal.forgetPending();
    should(pendingIds()).deepEqual([]);
  });

  it('sweeps in more than one step', async () => {
    await Promise.all(Array.from({ length: 1203 }, (_, index) => journal.accept(delivery(`many-${index}`))));
    now += REMEMBERED_MS;
    await journal.accept(delivery('new'));
    await journal.forgetIdentities();
    should(database.collection('delivery-identities').count()).equal(1);
    should(journal.find('node', 'new')).not.be.undefined();
  });

  it('tells ids apart that differ in half a character, or in what the database spells in two ways', async () => {
    const ids = [
      ...['\ud800', '\ud801', '\ufffd', 'a'].map((end) => 'x'.repeat(99) + end),
      ...['\ud800', '\ud801', '\ufffd', 'a'].map((end) => 'x'.repeat(150) + end),
      // 64 characters and more are written as they are, shorter ones with escapes.
      `${'x'.repeat(62)}\0`,
      `${'x'.repeat(62)}\x04\0`,
      `${'x'.repeat(70)}\0y`,
      'x',
      'x\0',
      '\x1bx'
    ];
    for (const [index, id] of ids.entries()) {
      should(journal.find('node', id)).equal(undefined, `${index} is taken for an earlier one`);
      (await journal.accept(delivery(id))).done();
    }
    await journal.written();
    await reopen();
    for (const id of ids) should(journal.find('node', id)).not.be.undefined();
    now += REMEMBERED_MS;
    await journal.forgetIdentities();
    now -= REMEMBERED_MS;
    for (const id of ids) should(journal.find('node', id)).be.undefined();
  });

  it('takes no id for what stands for another one', async () => {
    const long = 'v3:'.repeat(60);
    const hash = createHash('sha256').update(long).digest('base64url');
    const ids = ['partial a', { partial: 'a' }, 'a', { partial: 'partial a' }, hash, long, { partial: long }];
    for (const [index, id] of ids.entries()) {
      should(journal.find('node', id)).equal(undefined, `${index} is taken for an earlier one`);
      const isPartial = typeof id !== 'string';
      const found = isPartial ? delivery(id.partial, { verified: 'partial' }) : delivery(id);
      (await journal.accept(found)).done();
    }
    for (const id of ids) should(journal.find('node', id)).eql({ answer: null });
  });

  it('still knows what was once remembered with a word before its id, and mistakes no id for it', async () => {
    for (const id of ['a', 'v3:'.repeat(60)]) {
      const text = `partial ${id}`;
      const key = id === 'a' ? text : createHash('sha256').update(text).digest('base64url');
      await database.collection('delivery-identities').put(['node', key], { at: now, answer: null });
      should(journal.find('node', { partial: id })).eql({ answer: null });
      should(journal.find('node', id)).be.undefined();
    }
    should(journal.find('node', 'partial a')).be.undefined();
  });

  it('still knows an id that was once remembered by its hash', async () => {
    const id = 'v3:'.repeat(60);
    const key = createHash('sha256').update(id).digest('base64url');
    await database.collection('delivery-identities').put(['node', key], { at: now, answer: null });
    should(journal.find('node', id)).eql({ answer: null });
  });

  it('hands over what a version without a log left in the database', async () => {
    const former = (id: string): object => {
      const { scope, receivedAt, verified, keyIndex, contentType, query, rawBody } = delivery(id);
      return { scope, id, receivedAt, verified, keyIndex, contentType, query, rawBody };
    };
    const pending = database.collection('deliveries-pending');
    await pending.put(['node', now, 1], former('former-1'));
    await pending.put(['node', now, 2], former('former-2'));
    await pending.put(['node2', now, 3], former('elsewhere'));
    (await journal.accept(delivery('new'))).leave();
    const [first, second, third, ...more] = [...journal.pending('node')];
    should(more).be.empty();
    should([first, second, third].map((each) => each?.delivery.id)).eql(['former-1', 'former-2', 'new']);
    should(first?.delivery.rawBody.toString()).equal('{"id":"former-1"}');
    first?.done();
    second?.leave();
    await journal.written();
    await reopen();
    should(pendingIds()).deepEqual(['former-2', 'new']);
    now += 7 * REMEMBERED_MS;
    await journal.forgetPending();
    should(pendingIds('node2')).deepEqual([]);
  });

  describe('after a crash', () => {
    /** Finds what this process has written, as another one would. */
    const crash = (): void => {
      journal = opened();
    };

    it('knows from the log what the database has not been told yet', async () => {
      (await journal.accept(delivery('handed over'))).done();
      await journal.accept(delivery('waiting'));
      const answer = { status: 200, contentType: 'text/xml', body: Buffer.from('<Response/>') };
      await journal.answered(delivery('answered'), answer);
      should(database.collection('delivery-identities').count()).equal(0);
      await until('the hand-over', () => pendingIds('node', opened()).length === 1 || undefined);
      crash();
      for (const id of ['handed over', 'waiting'])
        should(journal.find('node', id)).deepEqual({ answer: null });
      should(journal.find('node', 'answered')).deepEqual({ answer });
      should(pendingIds()).deepEqual(['waiting']);
    });

    it('knows for how long the first of several copies is remembered', async () => {
      await journal.accept(delivery('a'));
      now += 5;
      await journal.accept(delivery('a', { duplicate: true }));
      crash();
      now += REMEMBERED_MS - 6;
      should(journal.find('node', 'a')).deepEqual({ answer: null });
      now += 1;
      should(journal.find('node', 'a')).be.undefined();
      should(pendingIds()).deepEqual(['a', 'a']);
    });

    it('reads only what the database was not told', async () => {
      await journal.accept(delivery('waiting'));
      (await journal.accept(delivery('handed over'))).done();
      await journal.written();
      await journal.forgetIdentities();
      should(database.collection('deliveries-waiting').count()).equal(1);
      const segment = path.join(logs(), 'keep-7', '00000001.log');
      const bytes = readFileSync(segment);
      // Nothing reads what is already known.
      bytes[300] = (bytes[300] ?? 0) ^ 0xff;
      writeFileSync(segment, bytes);
      crash();
      should(said).be.empty();
      should(journal.find('node', 'waiting')).deepEqual({ answer: null });
    });

    it('rebuilds everything from the log when the database is lost', async () => {
      for (let index = 0; index < 20; index += 1) {
        const handOver = await journal.accept(delivery(`a-${index}`));
        if (index % 4 !== 0) handOver.done();
      }
      await journal.written();
      await journal.forgetIdentities();
      await journal.dispose();
      await database.close();
      rmSync(path.join(directory, 'state'), { recursive: true });
      open();
      for (let index = 0; index < 20; index += 1)
        should(journal.find('node', `a-${index}`)).not.be.undefined();
      should(pendingIds()).deepEqual(['a-0', 'a-4', 'a-8', 'a-12', 'a-16']);
    });

    it('forgets what waited when the log is gone', async () => {
      await journal.accept(delivery('waiting'));
      await journal.forgetIdentities();
      rmSync(logs(), { recursive: true });
      crash();
      should(pendingIds()).deepEqual([]);
      should(journal.find('node', 'waiting')).deepEqual({ answer: null });
      await journal.accept(delivery('new'));
      should(pendingIds('node', opened())).deepEqual(['new']);
    });
  });

  describe('keeps deliveries', () => {
    const kept = async (of = journal): Promise<string[]> => {
      const ids: string[] = [];
      for await (const batch of of.read({ from: -Infinity, to: Infinity }))
        ids.push(...batch.map(({ id }) => id));
      return ids;
    };
    const DAY_MS = REMEMBERED_MS;

    it('for the days of their node, and lists those of all nodes in the order in which they came', async () => {
      days.set('node', 7).set('other', 30);
      for (let day = 0; day < 10; day += 1) {
        (await journal.accept(delivery(`node-${day}`))).done();
        now += 1000;
        (await journal.accept(delivery(`other-${day}`, { scope: 'other' }))).done();
        await journal.written();
        now += DAY_MS;
        await journal.tidy({ isHourly: true });
      }
      const expected = Array.from({ length: 10 }, (_, day) =>
        (day >= 4 ? [`node-${day}`] : []).concat(`other-${day}`)
      );
      should(await kept()).deepEqual(expected.flat());
      await reopen();
      should(await kept()).deepEqual(expected.flat());
    });

    it('no longer than any node still asks for', async () => {
      days.set('node', 365);
      (await journal.accept(delivery('long'))).done();
      await journal.written();
      now += 8 * DAY_MS;
      await journal.tidy({ isHourly: true });
      should(await kept()).deepEqual(['long']);
      days.set('node', 7);
      await journal.tidy({ isHourly: true });
      should(await kept()).deepEqual([]);
    });

    it('with 0 days until they are handed over, and leaves no byte of them', async () => {
      days.set('node', 0);
      const secret = Buffer.from('{"text":"a private message"}');
      const handOver = await journal.accept(delivery('waiting', { rawBody: secret }));
      await journal.tidy({ isHourly: false });
      should(bytesOnDisk(directory).includes(secret)).be.true();
      handOver.done();
      await journal.answered(delivery('answered', { rawBody: secret }), {
        status: 200,
        contentType: null,
        body: secret
      });
      await journal.written();
      await journal.tidy({ isHourly: false });
      should(bytesOnDisk(logs()).includes(secret)).be.false();
      should(await kept()).deepEqual([]);
      should(journal.find('node', 'waiting')).deepEqual({ answer: null });
      should((await journal.accept(delivery('next'))).done).be.a.Function();
    });

    it('within a size: the oldest go first, but none that waits, and it says so once a day', async () => {
      await journal.dispose();
      journal = opened({ mostBytes: 3 * 1024 * 1024 });
      days.set('node', 7);
      const rawBody = Buffer.alloc(200_000, 'x');
      await journal.accept(delivery('waiting', { rawBody }));
      for (let index = 0; index < 60; index += 1) {
        (await journal.accept(delivery(`${index}`, { rawBody }))).done();
        now += 1000;
      }
      await journal.written();
      await journal.forgetIdentities();
      const left = await kept();
      should(left[0]).equal('waiting');
      should(left.at(-1)).equal('59');
      should(left.length).be.below(60);
      should(said).have.length(1);
      should(said[0])
        .match(/has reached its limit of 3 MiB/)
        .and.match(/TELNYX_DELIVERY_LOG_MIB/);
      should(journal.find('node', '0')).deepEqual({ answer: null });
    });
  });
});

/** All bytes of all files in a directory. */
function bytesOnDisk(directory: string): Buffer {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile()
  );
  return Buffer.concat(files.map(({ parentPath, name }) => readFileSync(path.join(parentPath, name))));
}
