import should from 'should';
import { custodyEntries } from '../../../src/archive/custody-entries';
import { formatLine } from '../../../src/evidence/custody/custody-line';
import type { IndexedFile } from '../../../src/archive/index/stored-index';
import type { StoredRecording } from '../../../src/store/stored-recording';

const ID = '9d1bd6a2-7f2b-4d1c-8f0a-000000000001';
const PLACE = '/archive/of/+15550100199';

describe('the lines of the custody log for what a job stored', () => {
  function file(more: Partial<StoredRecording> = {}): IndexedFile {
    const recording = {
      ...{ recording_id: ID, path: `${PLACE}/1.mp3`, sha256: 'a'.repeat(64), size: 12, format: 'mp3' },
      ...{ destination: 'folder', stored_at: '2026-03-04T10:00:00.000Z', deleted_at_source: null },
      ...{ from: '+15550100123', to: '+15550100199', room_name: 'Alice' },
      ...more
    } as StoredRecording;
    return { identity: `telnyx:${ID}`, wantedFormat: 'mp3', recording, order: 'o' };
  }

  async function events(
    stored: readonly IndexedFile[],
    known: readonly IndexedFile[] = []
  ): Promise<string[]> {
    const facts = { find: () => Promise.resolve(known) };
    const placed = stored.map((each) => ({ place: PLACE, file: each }));
    return (await custodyEntries({ stored: placed }, facts, 'n')).map(({ event }) => event);
  }

  it('are one for each file, however often a job enters it', async () => {
    should(await events([file(), file({ from: null })])).eql(['stored']);
    should(await events([file(), file({ sha256: 'b'.repeat(64) }), file({ path: '/b' })])).have.length(3);
  });

  it('are none for a file that the index has', async () => {
    should(await events([file({ from: null })], [file()])).eql([]);
    should(await events([file({ version_id: 'v2' })], [file({ version_id: 'v1' })])).eql(['stored']);
  });

  it('tell of a deletion at the source once', async () => {
    const deleted = file({ deleted_at_source: '2026-03-04T11:00:00.000Z' });
    should(await events([file(), deleted, deleted])).eql(['stored', 'deleted-at-source']);
    should(await events([deleted], [file()])).eql(['deleted-at-source']);
    should(await events([deleted], [deleted])).eql([]);
  });

  it('hold no number, name or path', async () => {
    const facts = { find: () => Promise.resolve([]) };
    const [entry] = await custodyEntries({ stored: [{ place: PLACE, file: file() }] }, facts, 'n');
    const line = formatLine(entry!, { seq: 1, at: 0, prev: '0'.repeat(64) }).toString();
    should(line).not.match(/1555|Alice|archive/);
    should(line).match(new RegExp(ID));
  });

  it('name a recording without an id by a hash', async () => {
    const facts = { find: () => Promise.resolve([]) };
    const [entry] = await custodyEntries(
      { stored: [{ place: PLACE, file: file({ recording_id: null }) }] },
      facts,
      'n'
    );
    should(entry?.recording).match(/^sha256:[0-9a-f]{64}$/);
  });
});
