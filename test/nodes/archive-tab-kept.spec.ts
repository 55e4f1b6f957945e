import should from 'should';
import { archiveState } from '../../nodes/lib/archive-state';
import { custodyOf } from '../../nodes/lib/custody';
import type { FileKey } from '../../src/archive/index/search-entries';
import { recordingName, sha256Hex } from '../../src/evidence/custody/custody-line';
import { Holds } from '../../src/evidence/deletion/holds';
import { ArchiveTabStage } from './archive-tab-stage';

const BYTES = Buffer.from('a recording');
const RETENTION = {
  policy: { name: 'calls', version: '1' },
  retain_until: '2031-03-03T10:00:00.000Z',
  delete_after: '2033-03-03T10:00:00.000Z'
};
const LOCK = {
  mode: 'governance',
  until: '2031-03-03T10:00:00.000Z',
  hold: false,
  version_id: 'v1',
  confirmed_at: '2026-03-04T10:00:00.000Z'
};

/** What the tab *Archive* tells of retention, holds and the custody log. */
describe('the routes of the tab Archive for what is kept', () => {
  let stage: ArchiveTabStage;

  beforeEach(async () => {
    stage = await ArchiveTabStage.start();
  });
  afterEach(() => stage.end());

  const rows = async (): Promise<Record<string, unknown>[]> =>
    (await stage.post('search', {})).body['rows'] as Record<string, unknown>[];

  async function putOnHold(id: string, more: object = {}): Promise<void> {
    const { database } = archiveState(stage.RED);
    const [recording] = id.split('.') as FileKey;
    const hold = { id: 'Case 7', reason: 'a dispute', by: 'Ann', at: '2026-03-05T10:00:00.000Z' };
    const whole = { ...hold, releasedBy: null, releasedAt: null, ...more };
    await database.commit([new Holds(database).putting(recording, whole)]);
  }

  it('tell until when a file is kept and locked', async () => {
    await stage.store('rec-1', BYTES, { retention: RETENTION, lock: LOCK });
    should(await rows()).match([
      {
        policy: 'calls',
        keepUntil: RETENTION.retain_until,
        deleteAfter: RETENTION.delete_after,
        lockedUntil: LOCK.until,
        lockMode: 'governance',
        cases: []
      }
    ]);
  });

  it('tell what a message has asked for without a policy', async () => {
    await stage.store('rec-1', BYTES, { retention: { ...RETENTION, policy: null } });
    should(await rows()).match([{ policy: null, keepUntil: RETENTION.retain_until }]);
  });

  it('tell nothing where no policy says so', async () => {
    await stage.store('rec-1', BYTES);
    should(await rows()).match([
      { policy: null, keepUntil: null, deleteAfter: null, lockedUntil: null, cases: [] }
    ]);
  });

  it('mark what is on hold, and tell of cases that were released only in the details', async () => {
    await stage.store('rec-1', BYTES);
    const { 'rec-1': id } = await stage.ids();
    await putOnHold(id!);
    const released = { releasedBy: 'Bob', releasedAt: '2026-03-06T10:00:00.000Z' };
    await putOnHold(id!, { id: 'Case 6', ...released });
    should(await rows()).match([{ cases: ['Case 7'] }]);
    const { body } = await stage.post('details', { id });
    should(body['cases']).have.length(2);
    should(body['cases']).matchAny({ id: 'Case 7', reason: 'a dispute', by: 'Ann', releasedAt: null });
    should(body['cases']).matchAny({ id: 'Case 6', ...released });
  });

  it('tell what the custody log has of a recording, latest first', async () => {
    await stage.store('rec-1', BYTES);
    await stage.store('rec-2', BYTES);
    const { 'rec-1': id } = await stage.ids();
    await putOnHold(id!);
    const recording = recordingName('rec-1', 'telnyx:rec-1');
    const custody = custodyOf(stage.RED);
    custody.record({ event: 'stored', recording, actor: 'node:archive' });
    custody.record({ event: 'stored', recording: recordingName('rec-2', 'telnyx:rec-2'), actor: 'node:a' });
    const details = { case_sha256: sha256Hex('Case 7'), bytes: 7, reason: 'expired' };
    custody.record({ event: 'hold-placed', recording, actor: 'archive', details });
    const { status, body } = await stage.post('log', { id, before: null });
    should(status).equal(200);
    should(body['next']).be.null();
    should(body['lines']).match([
      { event: 'hold-placed', actor: 'archive', facts: ['Case 7', 'expired'] },
      { event: 'stored', actor: 'node:archive', facts: [] }
    ]);
    should(body['lines']).have.length(2);
  });

  it('continue the log where it was cut only', async () => {
    await stage.store('rec-1', BYTES);
    const { 'rec-1': id } = await stage.ids();
    const recording = recordingName('rec-1', 'telnyx:rec-1');
    await custodyOf(stage.RED).append({ event: 'stored', recording, actor: 'node:a' });
    for (const before of [7, 'x', '../state:1', `${'9'.repeat(200)}:1`, '00000001-2026-01-01.jsonl:-1', {}])
      should((await stage.post('log', { id, before })).body['code']).equal('BAD_SETTING');
    for (const bad of [7, '', 'x.y.z', '../../etc/passwd', {}, 'x'.repeat(100_000)])
      should((await stage.post('log', { id: bad })).body['code']).equal('BAD_SETTING');
    const { body } = await stage.post('log', { id, before: '99999999-2026-01-01.jsonl:5' });
    should(body['lines']).have.length(1);
  });
});
