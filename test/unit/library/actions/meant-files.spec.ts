import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { StoredRecordings } from '../../../../src/archive/index/stored-index';
import { meantFiles } from '../../../../src/library/actions/meant-files';
import { readRecordingQuery } from '../../../../src/library/actions/recording-query';
import { storedDetails } from '../../../../src/recording/find-recordings';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import { StateFixture } from '../../archive/state-fixture';

const SHA256 = 'a'.repeat(64);

describe('meant-files', () => {
  let state: StateFixture;
  let recordings: StoredRecordings;
  let folder: string;

  beforeEach(() => {
    state = new StateFixture();
    recordings = new StoredRecordings(state.database);
    folder = path.join(state.directory, 'calls');
    mkdirSync(folder);
  });
  afterEach(() => state.remove());

  async function enter(id: string, more: object = {}, place = folder): Promise<void> {
    const file = path.join(place, `${id}.mp3`);
    const recording = {
      ...storedDetails(
        { recording_id: id, format: 'mp3', started_at: '2026-03-03T10:00:00.000Z', ...more },
        'telnyx'
      ),
      ...{
        size: 1,
        sha256: SHA256,
        stored_at: '2026-03-04T10:00:00.000Z',
        path: file,
        sidecar: `${file}.json`
      },
      transcription: null
    } as unknown as StoredRecording;
    await state.database.commit([
      recordings.entering(place, { identity: `telnyx:${id}`, wantedFormat: null, recording, order: 'o' })
    ]);
  }

  async function found(
    query: object,
    { isPartEnough = false, places = null }: { isPartEnough?: boolean; places?: string[] | null } = {},
    signal = new AbortController().signal
  ): Promise<(string | null)[]> {
    const ids: (string | null)[] = [];
    const read = readRecordingQuery(query, () => ({ from: null, to: null }));
    const deps = { recordings, database: state.database, textOf: () => Promise.resolve(null) };
    for await (const { file } of meantFiles(
      read,
      { places, isPartEnough, onLooked: () => undefined },
      deps,
      signal
    ))
      ids.push(file.recording.recording_id);
    return ids.sort();
  }

  it('finds more files than a page of the search has', async () => {
    for (let at = 0; at < 450; at += 1)
      await enter(`r-${at}`, { from: at % 2 === 0 ? '+15550100' : '+15550101' });
    should(await found({ number: '+15550100' })).have.length(225);
    should(await found({})).have.length(450);
  });

  it('finds a number that only the sidecar has', async () => {
    await enter('r-1');
    await enter('r-2');
    writeFileSync(path.join(folder, 'r-1.mp3.json'), JSON.stringify({ sha256: SHA256, from: '+15550100' }));
    writeFileSync(
      path.join(folder, 'r-2.mp3.json'),
      JSON.stringify({ sha256: 'b'.repeat(64), from: '+15550100' })
    );
    should(await found({ number: '+15550100' })).eql(['r-1']);
  });

  it('finds what earlier versions stored, which no search has read yet', async () => {
    await enter('r-1', { from: '+15550100' });
    for (const { time, file } of [...recordings.entries.latestFirst({ from: null, before: null, limit: 9 })])
      await state.database.commit([
        state.database.collection<string>('stored-recordings-search').removing([time, ...file]),
        state.database.collection<string>('stored-recordings-search').removing('read')
      ]);
    should(await found({ number: '+15550100' })).eql(['r-1']);
  });

  it('looks only where it is told', async () => {
    const other = path.join(state.directory, 'others');
    await enter('r-1');
    await enter('r-2', {}, other);
    should(await found({}, { places: [other] })).eql(['r-2']);
    should(await found({}, { places: [other, folder] })).eql(['r-1', 'r-2']);
    should(await found({}, { places: [state.directory] })).eql([]);
  });

  it('finds an id that is longer than what the search keeps of it', async () => {
    const id = `${'x'.repeat(300)}1`;
    await enter(id);
    await enter(`${'x'.repeat(300)}2`);
    should(await found({ recording_id: id })).eql([id]);
  });

  it('stops when told', async () => {
    await enter('r-1');
    const stop = new AbortController();
    stop.abort(new Error('stop'));
    await should(found({}, {}, stop.signal)).be.rejectedWith(/stop/);
  });
});
