import { readFile } from 'node:fs/promises';
import path from 'node:path';
import should from 'should';
import { folderSidecar } from '../../../../src/store/folder/folder-sidecar';
import { TranscriptFiling } from '../../../../src/archive/transcripts/transcript-filing';
import type { Job } from '../../../../src/archive/queue/job';
import { folderTexts } from '../../../../src/store/folder/transcript-writer';
import { findRecordings } from '../../../../src/recording/find-recordings';
import type { RecordingReference } from '../../../../src/recording/recording-reference';
import { createLinkResolver } from '../../../../src/providers/telnyx/link-resolver';
import { localServer, wav, type LocalServer } from '../../../support/media';
import { ApiServer } from '../../providers/telnyx/api-server';
import { ArchiveFixture, FRESH, type TestArchiver } from '../archive-fixture';

const TEXT = 'Good morning, front desk.';
const PATH = '/telephony-recorder-prod/acc-1/2026-03-04/leg-1-1772615702.wav';

describe('transcripts and their audio', () => {
  let archive: ArchiveFixture;
  let media: LocalServer;
  let api: ApiServer;
  const bytes = wav({ seconds: 0.1 });

  beforeEach(async () => {
    archive = await ArchiveFixture.create();
    api = await ApiServer.start();
    media = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length });
      response.end(bytes);
    });
  });
  afterEach(async () => {
    await media.close();
    await api.stop();
    await archive.remove();
  });

  function archiver(key = true): TestArchiver {
    return archive.archiver(
      {},
      {
        resolveLinks: createLinkResolver({ api: key ? api.client() : null, lagMs: 1 }),
        transcripts: new TranscriptFiling({ sidecar: folderSidecar, texts: folderTexts() })
      }
    );
  }

  function event(event_type: string, payload: Record<string, unknown>): RecordingReference {
    const occurred_at = '2026-03-04T09:15:02Z';
    return findRecordings({
      event: { provider: 'telnyx', event_type, id: event_type, occurred_at },
      payload
    })[0]!;
  }
  const audio = (fields: Record<string, unknown>): RecordingReference =>
    event('call.recording.saved', {
      recording_started_at: '2026-03-04T09:15:02Z',
      recording_urls: { wav: `${media.url}${PATH}?X-Amz-Signature=old` },
      ...fields
    });
  const text = (): RecordingReference =>
    event('call.recording.transcription.saved', { recording_id: 'rec-1', transcription_text: TEXT });

  function knowsRecording(): void {
    api.json('GET /v2/recordings/rec-1', {
      data: {
        id: 'rec-1',
        status: 'completed',
        recording_started_at: '2026-03-04T09:15:02Z',
        download_urls: { wav: `${media.url}${PATH}?X-Amz-Signature=new` }
      }
    });
  }

  async function onlyOneOfEach(): Promise<void> {
    const files = (await archive.files()).map((name) => path.extname(name)).sort();
    files.should.eql(['.json', '.txt', '.wav']);
    const [sidecar = '', txt = ''] = await archive
      .files()
      .then((all) => [all.find((name) => name.endsWith('.json')), all.find((name) => name.endsWith('.txt'))]);
    (await readFile(path.join(archive.folder, txt), 'utf8')).should.equal(TEXT);
    const known = JSON.parse(await readFile(path.join(archive.folder, sidecar), 'utf8')) as {
      transcription: string;
    };
    known.transcription.should.equal(TEXT);
  }

  it('files the text when the audio arrives first', async () => {
    const one = archiver(false);
    await one.archive({ reference: audio({ recording_id: 'rec-1' }), format: 'any' });
    const [outcome] = await one.archive({ reference: text(), format: 'any' });
    if (!outcome?.ok) throw new Error('not stored');
    outcome.file.recording.should.containEql({ already_stored: true, transcription: TEXT });
    await onlyOneOfEach();
    media.requests.should.have.length(1);
    // The audio again: its message has the text.
    const [again] = await one.archive({ reference: audio({ recording_id: 'rec-1' }), format: 'any' });
    if (!again?.ok) throw new Error('not stored');
    should(again.file.recording.transcription).equal(TEXT);
  });

  it('enters the text into the index when it arrives while the audio is on its way', async () => {
    knowsRecording();
    let release = (): void => undefined;
    const joined = new Promise<void>((resolve) => (release = resolve));
    const slow = await localServer((_request, response) => {
      void joined.then(() => response.writeHead(200, { 'content-type': 'audio/wav' }).end(bytes));
    });
    const resolve = createLinkResolver({ api: api.client(), lagMs: 1 });
    // The first job has ended, and its entry is not in the index yet.
    const nothing = () => Promise.resolve([]);
    const index = { place: '/a', find: nothing, deleted: nothing };
    const one = archive.plainArchiver(
      index,
      {},
      {
        resolveLinks: async (...question) => {
          const links = await resolve(...question);
          setImmediate(release);
          return links;
        },
        transcripts: new TranscriptFiling({ sidecar: folderSidecar, texts: folderTexts() })
      }
    );
    const url = `${slow.url}${PATH}?X-Amz-Signature=old`;
    const first = audio({ recording_id: 'rec-1', recording_urls: { wav: url } });
    const job = (id: string, reference: RecordingReference): Job => {
      return { id, acceptedAt: 0, message: {}, items: [{ reference, format: 'any' }], files: {} };
    };
    const [, late] = await Promise.all([
      one.run(job('job-1', first), FRESH),
      one.run(job('job-2', text()), FRESH)
    ]);
    await slow.close();
    media.requests.should.be.empty();
    should(late.entries).have.length(1);
    should(late.entries[0]!.recording).containEql({ already_stored: false, transcription: TEXT });
    await onlyOneOfEach();
  });

  it('files the text of audio whose event has no id', async () => {
    knowsRecording();
    const one = archiver();
    await one.archive({ reference: audio({ call_leg_id: 'leg-1' }), format: 'any' });
    await one.archive({ reference: text(), format: 'any' });
    await onlyOneOfEach();
    media.requests.should.have.length(1);
  });

  it('stores the audio through the API when the text arrives first', async () => {
    knowsRecording();
    const one = archiver();
    const [outcome] = await one.archive({ reference: text(), format: 'any' });
    if (!outcome?.ok) throw new Error('not stored');
    outcome.file.recording.should.containEql({ already_stored: false, transcription: TEXT });
    await one.archive({ reference: audio({ recording_id: 'rec-1' }), format: 'any' });
    await onlyOneOfEach();
    media.requests.should.have.length(1);
  });

  it('waits for the audio without an API key, but not forever', async () => {
    const one = archiver(false);
    const job = one.order({ reference: text(), format: 'any' });
    const first = await one.pass(job);
    if (first.kind !== 'again') throw new Error('not waiting');
    first.pauseMs.should.be.aboveOrEqual(15_000);
    await one.archive({ reference: audio({ recording_id: 'rec-1' }), format: 'any' });
    (await one.pass(job)).kind.should.equal('ended');
    await onlyOneOfEach();
    const [failed] = await one.archive({
      reference: event('call.recording.transcription.saved', {
        recording_id: 'rec-2',
        transcription_text: TEXT
      }),
      format: 'any'
    });
    should(failed).containDeep({ ok: false, error: { code: 'GAVE_UP' } });
  });
});
