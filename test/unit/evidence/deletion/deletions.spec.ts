import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import { type DeletionRequest, Deletions } from '../../../../src/evidence/deletion/deletions';
import type { DeletedKey } from '../../../../src/evidence/deletion/tombstones';
import { StateDatabase } from '../../../../src/state/state-database';
import { keyDigest } from '../../../../src/values/fields';
import { CustodyFixture, DAY_MS } from '../custody-fixture';

const KEY: DeletedKey = [keyDigest('telnyx:1'), keyDigest('/archive'), ''];
const CASE = { id: 'Doe v. Roe', reason: 'a letter of their lawyer', by: 'Jane Doe' };

describe('deletions', () => {
  let fixture: CustodyFixture;
  let database: StateDatabase;
  let deletions: Deletions;
  let removed: string[];
  let fault: Error | null;
  let lateFault: Error | null;
  let onRemove: () => void;

  beforeEach(async () => {
    fixture = new CustodyFixture();
    database = new StateDatabase(fixture.state);
    removed = [];
    fault = lateFault = null;
    onRemove = () => undefined;
    await fixture.open();
    start();
  });

  afterEach(async () => {
    await database.close();
    await fixture.end();
  });

  function start(): void {
    deletions = new Deletions({
      database,
      custody: fixture.custody!,
      removal: {
        remove: async ({ recording }, permit) => {
          if (fault !== null) throw fault;
          onRemove();
          await permit();
          if (lateFault !== null) throw lateFault;
          removed.push(recording);
        },
        forgetting: () => []
      },
      now: () => fixture.now
    });
  }

  function request(more: Partial<DeletionRequest> = {}): DeletionRequest {
    return {
      key: KEY,
      recording: 'recording-1',
      copy: { place: '/archive', location: '/archive/call.mp3', text: null },
      sha256: 'a'.repeat(64),
      versionId: null,
      bytes: 1000,
      storedAt: new Date(fixture.now - 90 * DAY_MS).toISOString(),
      retainUntil: null,
      reason: 'expired',
      policy: 'calls',
      actor: 'sweep',
      ...more
    };
  }

  function events(): unknown[] {
    return fixture
      .files('.jsonl')
      .flatMap((name) => fixture.lines(name))
      .map((line) => (JSON.parse(line) as { event: string }).event);
  }

  /** Of the last line of a kind. */
  function details(event: string): unknown {
    const lines = fixture.files('.jsonl').flatMap((name) => fixture.lines(name));
    const all = lines.map((line) => JSON.parse(line) as { event: string; details: unknown });
    return all.filter((line) => line.event === event).at(-1)?.details;
  }

  it('leave a tombstone without personal data, whose line is in the log', async () => {
    const outcome = await deletions.delete(request());
    should(outcome).have.property('deleted', true);
    should(events()).eql(['opened', 'start', 'deletion-intended', 'expired']);
    should(deletions.tombstones.get(KEY)).eql({
      stored_at: request().storedAt,
      deleted_at: new Date(fixture.now).toISOString(),
      reason: 'expired',
      policy: 'calls',
      bytes: 1000,
      seq: 4
    });
    should(deletions.tombstones.has(KEY[0])).equal(true);
    should(deletions.tombstones.has(keyDigest('telnyx:2'))).equal(false);
  });

  it('are refused while a case is open, and all cases have to be released', async () => {
    should(await deletions.hold(KEY, 'recording-1', CASE)).equal('placed');
    should(await deletions.hold(KEY, 'recording-1', CASE)).equal('known');
    should(await deletions.hold(KEY, 'recording-1', { ...CASE, id: 'audit' })).equal('placed');
    should(await deletions.release(KEY, 'recording-1', { id: 'none', by: 'Jane Doe' })).equal('unknown');
    should(await deletions.release(KEY, 'recording-1', { id: CASE.id, by: 'Jane Doe' })).equal('released');
    const outcome = await deletions.delete(request());
    should(outcome).containDeep({ deleted: false, refusal: { kind: 'held', cases: [{ id: 'audit' }] } });
    should(removed).eql([]);
    await deletions.release(KEY, 'recording-1', { id: 'audit', by: 'Jane Doe' });
    should(await deletions.delete(request())).have.property('deleted', true);
    // For good, also after a second time.
    fixture.now += 1000;
    await deletions.hold(KEY, 'recording-1', CASE);
    should(deletions.holds.of(KEY[0])).have.length(3);
    should(events().filter((event) => event === 'deletion-refused')).have.length(1);
  });

  it('that somebody wished for wait for the release', async () => {
    await deletions.hold(KEY, 'recording-1', CASE);
    await deletions.delete(request({ reason: 'erased' }));
    should(await deletions.runDeferred()).equal(0);
    start();
    await deletions.release(KEY, 'recording-1', { id: CASE.id, by: 'Jane Doe' });
    should(await deletions.runDeferred()).equal(1);
    should(removed).eql(['recording-1']);
    should(await deletions.runDeferred()).equal(0);
  });

  it('let a hold that comes at the same moment either win or know that it came too late', async () => {
    const [answer, outcome] = await Promise.all([
      deletions.hold(KEY, 'recording-1', CASE),
      deletions.delete(request())
    ]);
    should(answer).equal('placed');
    should(outcome).have.property('deleted', false);
  });

  it('that failed half-way are finished after a restart, and no hold is promised before that', async () => {
    fault = new Error('the bucket is away');
    await should(deletions.delete(request())).be.rejectedWith(/bucket is away/);
    start();
    should(await deletions.hold(KEY, 'recording-1', CASE)).equal('being-deleted');
    should((await deletions.resume()).failed).have.length(1);
    fault = null;
    should(await deletions.resume()).eql({ finished: 1, failed: [] });
    should(deletions.tombstones.count()).equal(1);
    should(removed).eql(['recording-1']);
  });

  it('that the store refuses are taken back, so that the recording can be held', async () => {
    fault = new CodedError('DELETION_REFUSED', 'call.mp3 in the bucket is locked.');
    const outcome = await deletions.delete(request());
    should(outcome).eql({ deleted: false, refusal: { kind: 'locked', error: fault } });
    should(events()).eql(['opened', 'start', 'deletion-intended', 'deletion-refused']);
    should(await deletions.hold(KEY, 'recording-1', CASE)).equal('placed');
    fault = null;
    should(await deletions.resume()).eql({ finished: 0, failed: [] });
    should(removed).eql([]);
  });

  it('that the store refuses after a restart are taken back, too, when nothing is gone', async () => {
    fault = new Error('the bucket is away');
    await should(deletions.delete(request())).be.rejected();
    fault = new CodedError('DELETION_REFUSED', 'call.mp3 in the bucket is locked.');
    start();
    should(await deletions.resume()).eql({ finished: 0, failed: [] });
    should(await deletions.hold(KEY, 'recording-1', CASE)).equal('placed');
  });

  it('that the store refuses half-way do not stay begun: what is left can be held', async () => {
    lateFault = new CodedError('DELETION_REFUSED', 'call.mp3 in the bucket is locked.');
    const outcome = await deletions.delete(request());
    should(outcome).eql({ deleted: false, refusal: { kind: 'locked', error: lateFault } });
    should(details('deletion-refused')).containEql({ kind: 'locked', part: true });
    start();
    should(Deletions.isAnyLeft(database)).equal(false);
    should(await deletions.resume()).eql({ finished: 0, failed: [] });
    should(await deletions.hold(KEY, 'recording-1', CASE)).equal('placed');
  });

  it('that were begun and are refused half-way after a restart do not stay begun either', async () => {
    lateFault = new Error('the bucket is away');
    await should(deletions.delete(request())).be.rejected();
    lateFault = new CodedError('DELETION_REFUSED', 'call.mp3 in the bucket is locked.');
    start();
    should(await deletions.resume()).eql({ finished: 0, failed: [] });
    should(await deletions.hold(KEY, 'recording-1', CASE)).equal('placed');
  });

  it('that somebody wished for and that are refused half-way are tried again', async () => {
    lateFault = new CodedError('DELETION_REFUSED', 'call.mp3 in the bucket is locked.');
    await deletions.delete(request({ reason: 'erased' }));
    should(Deletions.isAnyLeft(database)).equal(true);
    should(await deletions.runDeferred()).equal(0);
    lateFault = null;
    should(await deletions.runDeferred()).equal(1);
  });

  it('that fail after a release keep no other one waiting', async () => {
    const second: DeletedKey = [keyDigest('telnyx:2'), keyDigest('/archive'), ''];
    for (const key of [KEY, second]) {
      await deletions.hold(key, 'recording', CASE);
      await deletions.delete(request({ key, reason: 'erased' }));
      await deletions.release(key, 'recording', { id: CASE.id, by: 'Jane Doe' });
    }
    const faults = [new Error('the bucket is away')];
    onRemove = () => {
      const [first] = faults.splice(0, 1);
      if (first !== undefined) throw first;
    };
    await should(deletions.runDeferred()).be.rejectedWith(/bucket is away/);
    should(removed).have.length(1);
    should(await deletions.resume()).eql({ finished: 1, failed: [] });
  });

  it('that were begun stop at a hold that another Node-RED has told since', async () => {
    fault = new Error('the bucket is away');
    await should(deletions.delete(request())).be.rejected();
    fault = null;
    const told = { ...CASE, at: '2026-11-30T12:00:00.000Z', releasedBy: null, releasedAt: null };
    await database.commit([deletions.holds.putting(KEY[0], told)]);
    start();
    should(await deletions.resume()).eql({ finished: 0, failed: [] });
    should(removed).eql([]);
    should(Deletions.isAnyLeft(database)).equal(false);
  });

  it('and what a hold forbids wait for each other, in any order', async () => {
    const other: DeletedKey = [keyDigest('telnyx:2'), keyDigest('/archive'), ''];
    const order: string[] = [];
    const ask = (ids: string[], name: string): Promise<unknown> =>
      deletions.permitted(
        { ids, recording: 'recording-1', reason: 'at-source', actor: 'node:1' },
        async () => {
          order.push(name);
          await new Promise((resolve) => setImmediate(resolve));
          order.push(name);
        }
      );
    await Promise.all([ask([KEY[0], other[0]], 'a'), ask([other[0], KEY[0], KEY[0]], 'b')]);
    should(order).eql(['a', 'a', 'b', 'b']);
    await deletions.hold(other, 'recording-2', CASE);
    await should(ask([KEY[0], other[0]], 'c')).be.rejectedWith({ code: 'DELETION_REFUSED' });
    should(order).have.length(4);
    should(details('deletion-refused')).eql({ reason: 'at-source', kind: 'held' });
  });

  it('wait for the end of the time for which a recording is kept, and for a trustworthy clock', async () => {
    const retainUntil = new Date(fixture.now + DAY_MS).toISOString();
    const kept = await deletions.delete(request({ reason: 'erased', retainUntil }));
    should(kept).eql({ deleted: false, refusal: { kind: 'retained', until: retainUntil } });
    should(deletions.wouldRefuse(request({ retainUntil: 'no date' }))).have.property('kind', 'retained');
    fixture.custody?.clock.noteDate(new Date(fixture.now - DAY_MS).toUTCString());
    const doubted = await deletions.delete(request());
    should(doubted).eql({ deleted: false, refusal: { kind: 'clock', doubt: 'differs-from-provider' } });
    should(removed).eql([]);
  });

  it('do not happen when the log cannot be written', async () => {
    await fixture.custody?.close();
    await should(deletions.delete(request())).be.rejectedWith({ code: 'STORE_FAILED' });
    should(removed).eql([]);
    should(deletions.tombstones.count()).equal(0);
  });

  it('keep names and reasons of cases out of the log', async () => {
    await deletions.hold(KEY, 'recording-1', CASE);
    const [name = ''] = fixture.files('.jsonl');
    should(fixture.lines(name).join('\n')).not.match(/Doe|lawyer/);
    await should(
      Promise.resolve().then(() => deletions.hold(KEY, 'r', { ...CASE, by: ' ' }))
    ).be.rejectedWith({
      code: 'BAD_SETTING'
    });
  });
});
