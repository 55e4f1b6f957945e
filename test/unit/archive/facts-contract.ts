import should from 'should';
import { type ArchiveFacts, currentFile } from '../../../src/archive/archive-facts';
import { type Effects, NO_EFFECTS, type RemovedFile, entering } from '../../../src/archive/effects';
import { type IndexedFile, storedCopies } from '../../../src/archive/index/stored-index';
import type { FailedRecording } from '../../../src/archive/queue/failed-recordings';
import type { DeletedKey } from '../../../src/evidence/deletion/tombstones';
import { identityOfUrl, mediaLink } from '../../../src/recording/recording-reference';
import type { StateChange } from '../../../src/state/state-database';
import type { StoredRecording } from '../../../src/store/stored-recording';
import { keyDigest } from '../../../src/values/fields';
import { recordingAt } from './archive-fixture';

export interface FactsUnderTest {
  facts: ArchiveFacts;
  /** What another process with the same archive sees, or this one after a crash at this moment. */
  elsewhere: () => Promise<ArchiveFacts>;
  /** Makes changes of the database of `facts`. */
  commit: (changes: readonly StateChange[]) => Promise<void>;
  remove: () => Promise<void>;
}

/** The promises of `ArchiveFacts`, for every implementation. Times are those of the current clock. */
export function itKeepsArchiveFacts(open: () => Promise<FactsUnderTest>): void {
  let tested: FactsUnderTest;
  let facts: ArchiveFacts;

  beforeEach(async () => {
    tested = await open();
    ({ facts } = tested);
  });
  afterEach(() => tested.remove());

  const STORED = {
    path: '/a/1.mp3',
    sha256: 'aa',
    stored_at: '2026-03-04T09:00:00.000Z',
    started_at: null,
    transcription: null,
    deleted_at_source: null
  } as StoredRecording;

  function file(identity: string, more: Partial<StoredRecording> = {}, order = 'job'): IndexedFile {
    return { identity, wantedFormat: 'mp3', recording: { ...STORED, ...more }, order };
  }

  function failed(name: string, more: Partial<FailedRecording> = {}): FailedRecording {
    const { details } = recordingAt(`https://media.example.com/${name}.mp3`);
    const about = {
      node: 'node',
      identity: `telnyx:${name}`,
      code: 'GAVE_UP',
      message: 'Gave up.',
      attempts: 9
    };
    return { ...about, at: Date.now(), details: { ...details, recording_id: name }, ...more };
  }

  const paths = (files: readonly IndexedFile[]): (string | undefined)[] =>
    files.map(({ recording }) => recording.path).sort();
  const put = (place: string, ...files: IndexedFile[]): Promise<void> =>
    facts.commit(entering({ place }, files));
  const listed = async (): Promise<(string | null)[]> =>
    (await facts.givenUp.newest({ skip: 0, most: 100 })).recordings
      .map(({ failed: { details } }) => details.recording_id)
      .sort();

  it('finds what was committed, here and elsewhere, from the moment that it is', async () => {
    should(await facts.find('telnyx:1')).eql([]);
    await put('/a', file('telnyx:1'), file('telnyx:12', { path: '/a/12.mp3' }));
    paths(await facts.find('telnyx:1')).should.eql(['/a/1.mp3']);
    const other = await tested.elsewhere();
    should(await other.find('telnyx:1')).eql([file('telnyx:1')]);
    should(await other.at('/a').find('telnyx:1')).eql([file('telnyx:1')]);
  });

  it('keeps one file per recording, destination and wanted format', async () => {
    await put('/a', file('telnyx:1'), { ...file('telnyx:1', { path: '/a/1.wav' }), wantedFormat: 'wav' });
    await put('/a', file('telnyx:1', { path: '/a/1_2.mp3' }, 'job-2'));
    await put('/a', { ...file('telnyx:1', { path: '/a/1' }), wantedFormat: null });
    await put('/b', file('telnyx:1', { path: '/b/1.mp3' }));
    paths(await facts.at('/a').find('telnyx:1')).should.eql(['/a/1', '/a/1.wav', '/a/1_2.mp3']);
    paths(await facts.at('/b').find('telnyx:1')).should.eql(['/b/1.mp3']);
    should(await facts.at('/c').find('telnyx:1')).eql([]);
    paths(await facts.find('telnyx:1')).should.have.length(4);
    facts.at('/a').place.should.equal('/a');
  });

  it('accepts identities and destinations of any length and any characters', async () => {
    const names = [
      `telnyx:https://media.example.com/${'x'.repeat(5000)}`,
      'telnyx:\u0000',
      'telnyx:\ud800',
      ''
    ];
    for (const [at, name] of names.entries()) {
      const place = `/${'long/'.repeat(1000)}${at}`;
      await put(place, file(name, { path: String(at) }));
      paths(await facts.at(place).find(name)).should.eql([String(at)]);
    }
  });

  it('tells what was deleted, and where, for as long as it is asked', async () => {
    await put('/a', file('telnyx:1'));
    const { stored_at } = file('telnyx:1').recording;
    const tombstone = {
      stored_at,
      deleted_at: stored_at,
      reason: 'erased',
      policy: null,
      bytes: 7,
      seq: 3
    } as const;
    const key: DeletedKey = [keyDigest('telnyx:1'), keyDigest('/a'), 'mp3'];
    await facts.commit({ ...NO_EFFECTS, removed: [{ key, tombstone }] });
    const other = await tested.elsewhere();
    should(await other.at('/a').find('telnyx:1')).eql([]);
    should(await other.at('/a').deleted('telnyx:1')).eql([{ isHere: true, tombstone }]);
    should(await other.at('/b').deleted('telnyx:1')).eql([{ isHere: false, tombstone }]);
    should(await other.at('/a').deleted('telnyx:12')).eql([]);
  });

  it('takes the same effects any number of times', async () => {
    const effects: Effects = {
      ...entering({ place: '/a' }, [file('telnyx:1')]),
      givenUp: [failed('2')],
      cleared: [{ node: 'node', identity: 'telnyx:1' }],
      removed: []
    };
    for (let time = 0; time < 3; time += 1) await facts.commit(structuredClone(effects));
    should(await facts.find('telnyx:1')).eql([file('telnyx:1')]);
    should(await listed()).eql(['2']);
    await facts.commit(NO_EFFECTS);
    should(await listed()).eql(['2']);
  });

  it('loses nothing that one job adds when another one describes the same copy without it', async () => {
    const text = { transcription: 'Hello.', transcribed_at: '2026-03-04T09:02:00.000Z' };
    const deleted = { deleted_at_source: '2026-03-04T10:00:00.000Z' };
    const known = async (): Promise<StoredRecording | undefined> =>
      (await facts.find('telnyx:1'))[0]?.recording;
    await put('/a', file('telnyx:1', text));
    await put('/a', file('telnyx:1', deleted));
    await put('/a', file('telnyx:1'));
    should(await known()).have.properties({ ...text, ...deleted });
    // An earlier text does not replace it, a later one does.
    await put('/a', file('telnyx:1', { transcription: 'He', transcribed_at: '2026-03-04T09:01:00.000Z' }));
    should(await known()).have.properties(text);
    const later = { transcription: 'Hello!', transcribed_at: '2026-03-04T09:03:00.000Z' };
    await Promise.all([put('/a', file('telnyx:1', later)), put('/a', file('telnyx:1'))]);
    should(await known()).have.properties({ ...later, ...deleted });
    // Another job stored the file again.
    await put('/a', file('telnyx:1', {}, 'job-2'));
    should(await known()).have.properties({ transcription: null, deleted_at_source: null });
  });

  it('counts the later of two entries for one file', async () => {
    await put('/a', file('telnyx:1', { from: 'one' }), file('telnyx:1', { from: 'two' }));
    should((await facts.find('telnyx:1'))[0]?.recording.from).equal('two');
  });

  it('goes through all files in steps, while others are entered', async () => {
    const ids = Array.from({ length: 25 }, (_value, index) => `telnyx:${index}`);
    await put('/a', ...ids.map((id) => file(id)));
    const seen: string[] = [];
    for await (const step of facts.steps(10)) {
      step.length.should.be.belowOrEqual(10);
      seen.push(...step.map(({ identity }) => identity));
      await put('/a', file('telnyx:new'));
    }
    seen.should.containDeep(ids);
    new Set(seen).size.should.equal(seen.length);
  });

  it('knows what became of a file, by its location', async () => {
    const first = file('telnyx:1');
    await put('/a', first);
    await put('/a', file('telnyx:1', { stored_at: '2026-03-05T09:00:00.000Z' }));
    should((await currentFile(facts, first))?.recording.stored_at).equal('2026-03-05T09:00:00.000Z');
    await put('/a', file('telnyx:1', { path: '/a/1_2.mp3' }));
    should(await currentFile(facts, first)).be.undefined();
  });

  it('finds a recording under the address of a link as well', async () => {
    const url = 'https://media.example.com/1.mp3';
    const stored = file(identityOfUrl('telnyx', url));
    await put('/a', stored);
    const reference = { ...recordingAt(url), identity: 'telnyx:1', links: [mediaLink(url, 'mp3')] };
    should(await storedCopies(facts, reference)).eql([stored]);
  });

  describe('of a file that was deleted', () => {
    const removed: RemovedFile = {
      key: [keyDigest('telnyx:1'), keyDigest('/a'), 'mp3'],
      tombstone: {
        ...{ stored_at: STORED.stored_at, deleted_at: '2026-06-04T09:00:00.000Z', bytes: 7, seq: 3 },
        ...{ reason: 'expired', policy: 'ninety days' }
      }
    };
    const remove = (): Promise<void> => facts.commit({ ...NO_EFFECTS, removed: [removed] });

    it('knows nothing, here and elsewhere, however often it is told', async () => {
      await put('/a', file('telnyx:1'), { ...file('telnyx:1', { path: '/a/1.wav' }), wantedFormat: 'wav' });
      await put('/b', file('telnyx:1', { path: '/b/1.mp3' }));
      for (let time = 0; time < 3; time += 1) await remove();
      paths(await facts.find('telnyx:1')).should.eql(['/a/1.wav', '/b/1.mp3']);
      const other = await tested.elsewhere();
      paths(await other.find('telnyx:1')).should.eql(['/a/1.wav', '/b/1.mp3']);
      paths(await other.at('/a').find('telnyx:1')).should.eql(['/a/1.wav']);
    });

    it('does not take back the copy that was deleted, but one that was stored later', async () => {
      await remove();
      await put('/a', file('telnyx:1', { transcription: 'Late.' }));
      should(await facts.find('telnyx:1')).eql([]);
      await put('/a', file('telnyx:1', { stored_at: '2026-07-04T09:00:00.000Z' }, 'job-2'));
      await remove();
      should(await facts.find('telnyx:1')).have.length(1);
      should(await (await tested.elsewhere()).find('telnyx:1')).have.length(1);
    });

    it('commits it with other changes', async () => {
      await put('/a', file('telnyx:1'));
      await tested.commit(facts.changes({ ...NO_EFFECTS, removed: [removed] }));
      should(await facts.find('telnyx:1')).eql([]);
      await facts.settled();
      should(await (await tested.elsewhere()).find('telnyx:1')).eql([]);
    });
  });

  it('lists what was given up once per node, with the latest reason, until it is stored', async () => {
    await facts.commit({
      ...NO_EFFECTS,
      givenUp: [failed('1'), failed('2'), failed('1', { node: 'other' })]
    });
    await facts.commit({ ...NO_EFFECTS, givenUp: [failed('1', { code: 'NOT_MEDIA', at: Date.now() + 1 })] });
    should(await listed()).eql(['1', '1', '2']);
    const newest = await facts.givenUp.newest({ skip: 0, most: 1 });
    newest.total.should.equal(3);
    const { id, failed: latest } = newest.recordings[0]!;
    latest.code.should.equal('NOT_MEDIA');
    should(await facts.givenUp.at('node', id)).eql(latest);
    should(await facts.givenUp.at('nobody', id)).be.undefined();
    await facts.commit({ ...NO_EFFECTS, cleared: [{ node: 'node', identity: 'telnyx:2' }] });
    await facts.givenUp.remove('node', id);
    await facts.givenUp.remove('node', id);
    should(await facts.givenUp.at('node', id)).be.undefined();
    const left = await (await tested.elsewhere()).givenUp.newest({ skip: 0, most: 100 });
    should(left.recordings.map(({ failed: { node } }) => node)).eql(['other']);
  });

  it('lists a recording of which one file is stored and another one was given up', async () => {
    const both = { givenUp: [failed('1')], cleared: [{ node: 'node', identity: 'telnyx:1' }] };
    await facts.commit({ ...NO_EFFECTS, ...both });
    await facts.commit({ ...NO_EFFECTS, ...both });
    should(await listed()).eql(['1']);
  });

  it('is settled when what was committed is found', async () => {
    const entered = put('/a', file('telnyx:1'));
    await facts.settled();
    should(await facts.find('telnyx:1')).have.length(1);
    await entered;
  });
}
