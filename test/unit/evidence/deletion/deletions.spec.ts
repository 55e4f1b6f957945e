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

  beforeEach(async () => {
    fixture = new CustodyFixture();
    database = new StateDatabase(fixture.state);
    removed = [];
    fault = lateFault = null;
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

  it('that the store refuses half-way stay begun, also after a restart', async () => {
    lateFault = new CodedError('DELETION_REFUSED', 'call.mp3 in the bucket is locked.');
    await should(deletions.delete(request())).be.rejectedWith({ code: 'DELETION_REFUSED' });
    [fault, lateFault] = [lateFault, null];
    start();
    should((await deletions.resume()).failed).eql([fault]);
    should(await deletions.hold(KEY, 'recording-1', CASE)).equal('being-deleted');
    fault = null;
    should(await deletions.resume()).eql({ finished: 1, failed: [] });
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
