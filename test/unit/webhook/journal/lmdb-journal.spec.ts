import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import type { AcceptedDelivery } from '../../../../src/webhook/journal/delivery-journal';
import { LmdbJournal, REMEMBERED_MS } from '../../../../src/webhook/journal/lmdb-journal';
import { StateDatabase } from '../../../../src/state/state-database';
import { THREE_HOURS_MS } from '../../../support/clock-set';

describe('LmdbJournal', () => {
  let directory: string;
  let database: StateDatabase;
  let journal: LmdbJournal;
  let now: number;

  const delivery = (id: string, values: Partial<AcceptedDelivery> = {}): AcceptedDelivery => ({
    scope: 'node',
    id,
    receivedAt: now,
    verified: 'ed25519',
    keyIndex: 1,
    contentType: 'application/json',
    query: null,
    rawBody: Buffer.from(`{"id":"${id}"}`),
    ...values
  });
  const pendingIds = (scope = 'node', of = journal): string[] =>
    [...of.pending(scope)].map(({ delivery: { id }, leave }) => {
      leave();
      return id;
    });

  const open = (): void => {
    database = new StateDatabase(directory);
    journal = new LmdbJournal(database, () => now);
  };
  const reopen = async (): Promise<void> => {
    await database.close();
    open();
  };

  beforeEach(() => {
    now = Date.parse('2026-05-06T07:08:09Z');
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-journal-'));
    open();
  });
  afterEach(async () => {
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
    it(`remembers a delivery as long as it is sent again when the clock is set by ${byMs / 3_600_000} hours`, async () => {
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
      delivery('early', { contentType: undefined }),
      delivery('late', { receivedAt: now + 5, rawBody: Buffer.from([0, 255, 128]) })
    ]);
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
    const directly = new StateDatabase(directory);
    (await journal.accept(delivery('handed over'))).done();
    should(directly.collection('deliveries-pending').count()).equal(1);
    await journal.written();
    // Another environment sees what is new from its next timer on: the library renews its snapshot then.
    await new Promise((resolve) => setTimeout(resolve, 2));
    should(directly.collection('deliveries-pending').count()).equal(0);
    await directly.close();
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

  it('forgets after 24 hours, and what nobody came for after a week', async () => {
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

  it('sweeps more than one step', async () => {
    await Promise.all(Array.from({ length: 1203 }, (_, index) => journal.accept(delivery(`many-${index}`))));
    now += REMEMBERED_MS;
    await journal.accept(delivery('new'));
    await journal.forgetIdentities();
    should(database.collection('delivery-identities').count()).equal(1);
    should(journal.find('node', 'new')).not.be.undefined();
  });

  it('remembers ids apart that differ in half a character, or in what a database spells in two ways', async () => {
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

  it('remembers no id by what stands for another one', async () => {
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

  it('still knows what was remembered with a word before its id, and takes no id for it', async () => {
    for (const id of ['a', 'v3:'.repeat(60)]) {
      const text = `partial ${id}`;
      const key = id === 'a' ? text : createHash('sha256').update(text).digest('base64url');
      await database.collection('delivery-identities').put(['node', key], { at: now, answer: null });
      should(journal.find('node', { partial: id })).eql({ answer: null });
      should(journal.find('node', id)).be.undefined();
    }
    should(journal.find('node', 'partial a')).be.undefined();
  });

  it('still knows an id that was remembered by its hash before', async () => {
    const id = 'v3:'.repeat(60);
    const key = createHash('sha256').update(id).digest('base64url');
    await database.collection('delivery-identities').put(['node', key], { at: now, answer: null });
    should(journal.find('node', id)).eql({ answer: null });
  });
});
