import should from 'should';
import {
  RecentEntries,
  StoredRecordings,
  type IndexedFile
} from '../../../../src/archive/index/stored-index';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import { processorMsSince } from '../../../support/processor-time';
import { StateFixture } from '../state-fixture';

describe('stored-index', () => {
  let state: StateFixture;
  let recordings: StoredRecordings;

  beforeEach(() => {
    state = new StateFixture();
    recordings = new StoredRecordings(state.database);
  });
  afterEach(() => state.remove());

  function file(identity: string, wantedFormat: string | null, path: string): IndexedFile {
    return { identity, wantedFormat, recording: { path } as StoredRecording, order: 'o' };
  }

  async function enter(place: string, ...files: IndexedFile[]): Promise<void> {
    await state.database.commit(files.map((one) => recordings.entering(place, one)));
  }

  const paths = (files: readonly IndexedFile[]): (string | undefined)[] =>
    files.map(({ recording }) => recording.path).sort();

  it('keeps one file per format, destination and recording, even after a restart', async () => {
    await enter('/a', file('telnyx:1', 'mp3', '/a/1.mp3'), file('telnyx:1', 'wav', '/a/1.wav'));
    await enter('/a', file('telnyx:1', 'mp3', '/a/1_new.mp3'), file('telnyx:1', null, '/a/1'));
    await enter('/b', file('telnyx:1', 'mp3', '/b/1.mp3'));
    await enter('/a', file('telnyx:12', 'mp3', '/a/12.mp3'));
    await state.reopen();
    recordings = new StoredRecordings(state.database);
    paths(await recordings.at('/a').find('telnyx:1')).should.eql(['/a/1', '/a/1.wav', '/a/1_new.mp3']);
    paths(await recordings.at('/b').find('telnyx:1')).should.eql(['/b/1.mp3']);
    (await recordings.at('/c').find('telnyx:1')).should.eql([]);
    paths(recordings.find('telnyx:1')).should.have.length(4);
    paths([...recordings.all()]).should.have.length(5);
    recordings.count().should.equal(5);
  });

  it('accepts identities and places of any length', async () => {
    const identity = `telnyx:https://media.example.com/${'x'.repeat(5000)}`;
    const place = `/${'long/'.repeat(1000)}`;
    await enter(place, file(identity, null, 'p'));
    paths(await recordings.at(place).find(identity)).should.eql(['p']);
  });

  it('keeps what one job adds to a file when another one describes it without that, in any order', async () => {
    const stored = {
      identity: 'telnyx:1',
      wantedFormat: 'mp3',
      order: 'o',
      recording: {
        path: '/a/1.mp3',
        sha256: 'aa',
        stored_at: '2026-03-04T09:00:00.000Z',
        transcription: null,
        deleted_at_source: null
      } as StoredRecording
    };
    const adding = (added: Partial<StoredRecording>): IndexedFile => ({
      ...stored,
      recording: { ...stored.recording, ...added }
    });
    const text = { transcription: 'Hello.', transcribed_at: '2026-03-04T09:02:00.000Z' };
    const entering = (one: IndexedFile) => recordings.entering('/a', one);
    const known = (): StoredRecording | undefined => recordings.find('telnyx:1')[0]?.recording;

    // The change without the text is asked for first, and made last.
    const first = entering(stored);
    await state.database.commit([entering(adding(text)), first]);
    should(known()).have.properties(text);
    const deleted = { deleted_at_source: '2026-03-04T10:00:00.000Z' };
    await state.database.commit([entering(adding(deleted)), entering(stored)]);
    should(known()).have.properties({ ...text, ...deleted });

    // An earlier text does not replace it, a later one does.
    const earlier = { transcription: 'Hell', transcribed_at: '2026-03-04T09:01:00.000Z' };
    await state.database.commit([entering(adding(earlier))]);
    should(known()).have.properties(text);
    const later = { transcription: 'Hello!', transcribed_at: '2026-03-04T09:03:00.000Z' };
    await state.database.commit([entering(adding(later)), entering(stored)]);
    should(known()).have.properties({ ...later, ...deleted });

    // The file was stored again, by another job.
    const again = { ...stored, order: 'o-2' };
    await state.database.commit([entering(again)]);
    should(known()).have.properties({ transcription: null, deleted_at_source: null });
  });

  it('finds one of 20,000 entries in microseconds', async function () {
    this.timeout(60_000);
    await enter(
      '/a',
      ...Array.from({ length: 20_000 }, (_value, index) => file(`telnyx:${index}`, null, 'p'))
    );
    const index = recordings.at('/a');
    const begun = process.cpuUsage();
    for (let turn = 0; turn < 1000; turn += 1) should(await index.find(`telnyx:${turn * 7}`)).have.length(1);
    processorMsSince(begun).should.be.below(500);
  });
});

describe('recent entries', () => {
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

  it('knows a file before it is in the index, and trusts the index from then on', async () => {
    const recordings = new StoredRecordings(state.database);
    const known = new RecentEntries(recordings.at('/a'));
    should(await known.find('telnyx:1', 'mp3')).eql({ copy: undefined, isFresh: false });
    const stored = file('telnyx:1', 1);
    known.remember(stored);
    should(await known.find('telnyx:1', 'mp3')).eql({ copy: stored, isFresh: true });
    should((await known.find('telnyx:1', 'wav')).copy).be.undefined();
    should(await known.indexed('telnyx:1', 'mp3')).be.undefined();
    // Everything else in the index must survive.
    const deleted = file('telnyx:1', 1, { deleted_at_source: '2026-03-04T10:00:00.000Z' });
    await state.database.commit([recordings.entering('/a', deleted)]);
    should(await known.find('telnyx:1', 'mp3')).eql({ copy: deleted, isFresh: false });
    // Replaces a damaged copy.
    const again = file('telnyx:1', 2);
    known.remember(again);
    should(await known.find('telnyx:1', 'mp3')).eql({ copy: again, isFresh: true });
  });

  it('remembers a few hundred', async () => {
    const known = new RecentEntries(new StoredRecordings(state.database).at('/a'));
    for (let count = 0; count < 2000; count += 1) known.remember(file(`telnyx:${count}`, 1));
    should((await known.find('telnyx:0', 'mp3')).copy).be.undefined();
    should((await known.find('telnyx:1999', 'mp3')).isFresh).be.true();
    should((await known.find('telnyx:1500', 'mp3')).isFresh).be.true();
  });
});
