import should from 'should';
import type { IndexedFile } from '../../../../src/archive/index/stored-index';
import type { FileResult } from '../../../../src/archive/queue/run-result';
import { withTexts } from '../../../../src/archive/transcripts/transcript-filing';
import { CodedError } from '../../../../src/errors/coded-error';
import { unknownDetails } from '../../../../src/recording/extract/announcement';
import type { RecordingReference } from '../../../../src/recording/recording-reference';
import type { StoredFile, StoredRecording } from '../../../../src/store/stored-recording';

const never = new AbortController().signal;
const DETAILS = unknownDetails({
  provider: 'telnyx',
  event_type: 'call.recording.transcription.saved',
  event_id: 'evt-2',
  announced_at: null
});

function reference(transcription: string | null): RecordingReference {
  return {
    kind: 'audio',
    identity: 'telnyx:rec-1',
    details: { ...DETAILS, recording_id: 'rec-1', transcription },
    links: [],
    media_index: null,
    announced_at: null,
    storage_key: null
  };
}

const RECORDING: StoredRecording = {
  ...DETAILS,
  recording_id: 'rec-1',
  size: 5,
  sha256: 'aa',
  content_type: 'audio/mpeg',
  destination: 'folder',
  path: '/archive/call.mp3',
  sidecar: null,
  source_host: 'media.example.com',
  attempts: 1,
  resumed: false,
  already_stored: false,
  stored_at: '2026-03-04T10:00:00.000Z',
  deleted_at_source: null
};

const ENTRY: IndexedFile = {
  identity: 'telnyx:rec-1',
  wantedFormat: 'mp3',
  recording: RECORDING,
  order: 'o-1'
};

function storedResult(entry: IndexedFile | null): FileResult & { kind: 'stored' } {
  const file: StoredFile = {
    recording: { ...RECORDING, already_stored: entry === null },
    payload: '/archive/call.mp3'
  };
  return { kind: 'stored', reference: reference('Hello.'), wantedFormat: 'mp3', file, entry };
}

const filing = {
  file: (stored: StoredFile): Promise<StoredFile> =>
    Promise.resolve({
      ...stored,
      recording: { ...stored.recording, transcription: 'Hello.', transcription_file: '/archive/call.txt' }
    })
};
const index = (...known: IndexedFile[]): { find: (identity: string) => Promise<IndexedFile[]> } => ({
  find: (identity) => Promise.resolve(known.filter((entry) => entry.identity === identity))
});
const noJudge = (error: unknown): FileResult => {
  throw error;
};

describe('transcript-results', () => {
  it('adds the text to a file that was just stored', async () => {
    const results = [storedResult(ENTRY)];
    const [filed] = await withTexts(
      results,
      reference('Hello.'),
      { filing, index: index(), judge: noJudge },
      never
    );
    if (filed?.kind !== 'stored') throw new Error('not stored');
    filed.file.recording.transcription!.should.equal('Hello.');
    filed.entry!.recording.should.containEql({
      transcription: 'Hello.',
      transcription_file: '/archive/call.txt'
    });
  });

  it('adds the text to a file that an earlier event announced, as it was stored then', async () => {
    const other = { ...ENTRY, wantedFormat: null };
    const changed = { ...ENTRY, recording: { ...RECORDING, sha256: 'bb' } };
    const results = [storedResult(null)];
    const known = index(other, changed, ENTRY);
    const [filed] = await withTexts(
      results,
      reference('Hello.'),
      { filing, index: known, judge: noJudge },
      never
    );
    if (filed?.kind !== 'stored') throw new Error('not stored');
    filed.file.recording.already_stored.should.be.true();
    filed.entry!.should.containEql({ identity: 'telnyx:rec-1', wantedFormat: 'mp3', order: 'o-1' });
    filed.entry!.recording.should.containEql({
      sha256: 'aa',
      already_stored: false,
      transcription: 'Hello.'
    });
  });

  it('changes nothing without a text or a stored file', async () => {
    const results: FileResult[] = [storedResult(ENTRY), { kind: 'stopped' }];
    const noFiling = { file: (): Promise<StoredFile> => Promise.reject(new Error('asked')) };
    should(
      await withTexts(results, reference(null), { filing: noFiling, index: index(), judge: noJudge }, never)
    ).eql(results);
    const stopped: FileResult[] = [{ kind: 'stopped' }];
    should(
      await withTexts(
        stopped,
        reference('Hello.'),
        { filing: noFiling, index: index(), judge: noJudge },
        never
      )
    ).eql(stopped);
    const unchanged = { file: (stored: StoredFile) => Promise.resolve(stored) };
    const same = await withTexts(
      results,
      reference('Hello.'),
      { filing: unchanged, index: index(), judge: noJudge },
      never
    );
    should(same[0]).equal(results[0]);
  });

  it('keeps the stored file when the text cannot be filed, and retries later', async () => {
    const error = new CodedError('STORE_FAILED', 'full', { retryable: true });
    const failing = { file: (): Promise<StoredFile> => Promise.reject(error) };
    const one = { reference: reference('Hello.'), wantedFormat: 'mp3', error, attempts: 1 } as const;
    const failed: FileResult = { ...one, kind: 'failed' };
    const again: FileResult = { ...one, kind: 'again', retry: 1, retries: 8, pauseMs: 1000 };
    const fresh = storedResult(ENTRY);
    const old = storedResult(null);
    const run = (result: FileResult, fault: FileResult): Promise<FileResult[]> =>
      withTexts(
        [result],
        reference('Hello.'),
        { filing: failing, index: index(), judge: () => fault },
        never
      );
    (await run(fresh, failed)).should.eql([fresh, failed]);
    (await run(old, failed)).should.eql([old, failed]);
    (await run(fresh, again)).should.eql([fresh, again]);
    (await run(old, again)).should.eql([again]);
  });
});
