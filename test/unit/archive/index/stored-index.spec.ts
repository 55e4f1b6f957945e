import should from 'should';
import { type IndexedFile, StoredRecordings } from '../../../../src/archive/index/stored-index';
import type { StoredRecording } from '../../../../src/store/stored-recording';
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
    await state.database.commit(files.map((one) => recordings.at(place).entering(one)));
  }

  const paths = (files: readonly IndexedFile[]): (string | undefined)[] =>
    files.map(({ recording }) => recording.path).sort();

  it('keeps one file per format, destination and recording, also after a restart', async () => {
    await enter('/a', file('telnyx:1', 'mp3', '/a/1.mp3'), file('telnyx:1', 'wav', '/a/1.wav'));
    await enter('/a', file('telnyx:1', 'mp3', '/a/1_new.mp3'), file('telnyx:1', null, '/a/1'));
    await enter('/b', file('telnyx:1', 'mp3', '/b/1.mp3'));
    await enter('/a', file('telnyx:12', 'mp3', '/a/12.mp3'));
    await state.reopen();
    recordings = new StoredRecordings(state.database);
    paths(recordings.at('/a').find('telnyx:1')).should.eql(['/a/1', '/a/1.wav', '/a/1_new.mp3']);
    paths(recordings.at('/b').find('telnyx:1')).should.eql(['/b/1.mp3']);
    recordings.at('/c').find('telnyx:1').should.eql([]);
    paths(recordings.find('telnyx:1')).should.have.length(4);
    paths([...recordings.all()]).should.have.length(5);
    recordings.count().should.equal(5);
  });

  it('takes identities and places of any length', async () => {
    const identity = `telnyx:https://media.example.com/${'x'.repeat(5000)}`;
    const place = `/${'long/'.repeat(1000)}`;
    await enter(place, file(identity, null, 'p'));
    paths(recordings.at(place).find(identity)).should.eql(['p']);
  });

  it('looks up in microseconds among 20,000', async function () {
    this.timeout(30_000);
    await enter(
      '/a',
      ...Array.from({ length: 20_000 }, (_value, index) => file(`telnyx:${index}`, null, 'p'))
    );
    const index = recordings.at('/a');
    const begun = performance.now();
    for (let turn = 0; turn < 1000; turn += 1) should(index.find(`telnyx:${turn * 7}`)).have.length(1);
    (performance.now() - begun).should.be.below(500);
  });
});
