import should from 'should';
import { RecentEntries } from '../../../../src/archive/index/recent-entries';
import { type IndexedFile, StoredRecordings } from '../../../../src/archive/index/stored-index';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import { StateFixture } from '../state-fixture';

describe('known-files', () => {
  let state: StateFixture;
  beforeEach(() => {
    state = new StateFixture();
  });
  afterEach(() => state.remove());

  function file(identity: string, minute: number, more: Partial<StoredRecording> = {}): IndexedFile {
    const stored_at = new Date(Date.UTC(2026, 2, 4, 9, minute)).toISOString();
    return {
      identity,
      wantedFormat: 'mp3',
      recording: { stored_at, ...more } as StoredRecording,
      order: 'o'
    };
  }

  it('knows a file before it is in the index, and believes the index from then on', async () => {
    const index = new StoredRecordings(state.database).at('/a');
    const known = new RecentEntries(index);
    should(known.find('telnyx:1', 'mp3')).eql({ copy: undefined, isFresh: false });
    const stored = file('telnyx:1', 1);
    known.remember(stored);
    should(known.find('telnyx:1', 'mp3')).eql({ copy: stored, isFresh: true });
    should(known.find('telnyx:1', 'wav').copy).be.undefined();
    should(known.indexed('telnyx:1', 'mp3')).be.undefined();
    // What the index knows besides must not be lost.
    const deleted = file('telnyx:1', 1, { deleted_at_source: '2026-03-04T10:00:00.000Z' });
    await state.database.commit([index.entering(deleted)]);
    should(known.find('telnyx:1', 'mp3')).eql({ copy: deleted, isFresh: false });
    // A damaged copy was replaced.
    const again = file('telnyx:1', 2);
    known.remember(again);
    should(known.find('telnyx:1', 'mp3')).eql({ copy: again, isFresh: true });
  });

  it('remembers a few hundred', () => {
    const known = new RecentEntries(new StoredRecordings(state.database).at('/a'));
    for (let count = 0; count < 2000; count += 1) known.remember(file(`telnyx:${count}`, 1));
    should(known.find('telnyx:0', 'mp3').copy).be.undefined();
    should(known.find('telnyx:1999', 'mp3').isFresh).be.true();
    should(known.find('telnyx:1500', 'mp3').isFresh).be.true();
  });
});
