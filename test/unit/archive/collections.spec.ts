import { readFile } from 'node:fs/promises';
import path from 'node:path';
import should from 'should';
import type { ArchiveDeps } from '../../../src/archive/archive-context';
import type { JobItem } from '../../../src/archive/queue/job';
import { CodedError } from '../../../src/errors/coded-error';
import { ofSession } from '../../../src/providers/telnyx/meetings/meeting-session';
import { plainText, textLink } from '../../../src/recording/extract/from-meeting';
import { findRecordings } from '../../../src/recording/find-recordings';
import {
  type MediaLink,
  type RecordingReference,
  mediaLink
} from '../../../src/recording/recording-reference';
import { localServer, wav, type LocalServer } from '../../support/media';
import { ArchiveFixture, type TestArchiver } from './archive-fixture';

const [SESSION] = findRecordings({
  event: { provider: 'telnyx', event_type: 'meeting.recording.available', id: 'whdel_1' },
  payload: { session_id: 'mtgsess_1', recording_types: ['video_mixed'] }
});

type Expand = NonNullable<ArchiveDeps['expand']>;

describe('collections', () => {
  const bytes = wav({ seconds: 1 });
  let fixture: ArchiveFixture;
  let server: LocalServer;
  let archivers: TestArchiver[];
  let status = 200;
  let keys: (string | undefined)[];

  beforeEach(async () => {
    archivers = [];
    status = 200;
    fixture = await ArchiveFixture.create();
    keys = [];
    server = await localServer((request, response) => {
      keys.push(request.headers.authorization);
      if (status !== 200) response.writeHead(status).end();
      else {
        // Two files are never the same.
        const body = Buffer.concat([bytes, Buffer.from(request.url ?? '')]);
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': body.length }).end(body);
      }
    });
  });

  afterEach(async () => {
    await Promise.all(archivers.map((each) => each.close()));
    await server.close();
    await fixture.remove();
  });

  const archiver = (deps: Partial<ArchiveDeps>, retries = 3): TestArchiver => {
    const made = fixture.archiver({ retries }, deps);
    archivers.push(made);
    return made;
  };
  const link = (name: string): MediaLink => ({
    ...mediaLink(`${server.url}/${name}.wav`, null),
    isFleeting: true
  });
  const file = (name: string, ...links: MediaLink[]): RecordingReference => {
    return { ...ofSession(SESSION!, name), links };
  };
  const item = (): JobItem => ({ reference: SESSION!, format: 'any' });
  const late = new CodedError('LINK_REFUSED', 'Not yet.', { retryable: true });

  it('store each file under a name of its own', async () => {
    const expand: Expand = () =>
      Promise.resolve([file('video_mixed', link('a')), file('audio_mixed', link('b'))]);
    const outcomes = await archiver({ expand }).archive(item());
    outcomes.every(({ ok }) => ok).should.be.true();
    (await fixture.files())
      .filter((name) => name.endsWith('.wav'))
      .map((name) => path.basename(name))
      .should.eql(['unknown_mtgsess_1_audio_mixed.wav', 'unknown_mtgsess_1_video_mixed.wav']);
  });

  it('are asked for again in each run, and nothing is fetched twice', async () => {
    let runs = 0;
    const expand: Expand = () => {
      runs += 1;
      const files = [file('video_mixed', link(`a?run=${runs}`))];
      return Promise.resolve(
        runs < 3 ? [...files, file('audio_mixed')] : [...files, file('audio_mixed', link('b'))]
      );
    };
    const outcomes = await archiver({ expand, resolveLinks: () => Promise.reject(late) }).archive(item());
    runs.should.equal(3);
    outcomes.map(({ ok }) => ok).should.eql([true, true]);
    server.requests.should.have.length(2);
    for (const outcome of outcomes) if (outcome.ok) outcome.file.recording.already_stored.should.be.false();
  });

  it('keep no link for another run', async () => {
    status = 403;
    const deps: Partial<ArchiveDeps> = {
      expand: () => Promise.resolve([file('video_mixed', link('old'))]),
      resolveLinks: () => Promise.resolve([link('fresh')])
    };
    const tries = archiver(deps);
    const job = tries.order(item());
    (await tries.pass(job)).kind.should.equal('again');
    JSON.stringify(job).should.not.containEql(server.url);
    server.requests.should.eql(['/old.wav', '/fresh.wav']);
  });

  it('send no key to their links', async () => {
    const deps: Partial<ArchiveDeps> = {
      expand: () => Promise.resolve([file('video_mixed', link('a'))]),
      authorize: () => 'Bearer geheim'
    };
    await archiver(deps).archive(item());
    keys.should.eql([undefined]);
  });

  it('fail for a type that never comes, and keep what is there', async () => {
    const deps: Partial<ArchiveDeps> = {
      expand: () => Promise.resolve([file('video_mixed', link('a')), file('audio_mixed')]),
      resolveLinks: () => Promise.reject(late)
    };
    const outcomes = await archiver(deps).archive(item());
    outcomes.map(({ ok }) => ok).should.eql([true, false]);
    fixture.pauses.should.have.length(3);
  });

  it('are found when the source no longer lists them', async () => {
    let isGone = false;
    const deps: Partial<ArchiveDeps> = {
      expand: () => Promise.resolve([file('video_mixed', ...(isGone ? [] : [link('a')]))]),
      resolveLinks: () => Promise.reject(late)
    };
    const tries = archiver(deps);
    await tries.archive(item());
    isGone = true;
    const [again] = await tries.archive(item());
    should(again?.ok && again.file.recording.already_stored).be.true();
    server.requests.should.have.length(1);
  });

  it('say when it is the last run', async () => {
    const asked: boolean[] = [];
    const expand: Expand = (_reference, isLast) => {
      asked.push(isLast);
      return Promise.reject(late);
    };
    const [outcome] = await archiver({ expand }, 2).archive(item());
    should(outcome?.ok).be.false();
    asked.should.eql([false, false, true]);
  });

  it('write texts beside each other, with sidecars, once', async () => {
    const [transcript] = findRecordings({
      event: { provider: 'telnyx', event_type: 'meeting.transcript.completed', id: 'whdel_2' },
      payload: { session_id: 'mtgsess_1', segment_count: 1 }
    });
    const links = [
      textLink('json', { text: '{"a":1}\n', contentType: 'application/json' }),
      textLink('txt', plainText('Ann: Hello.\n'))
    ];
    let asked = 0;
    const expand: Expand = () => {
      asked += 1;
      return Promise.resolve([{ ...transcript!, isCollection: false, links }]);
    };
    const tries = archiver({ expand });
    const outcomes = await tries.archive({ reference: transcript!, format: 'any' });
    outcomes.map(({ ok }) => ok).should.eql([true, true]);
    (await fixture.files())
      .map((name) => path.basename(name))
      .should.eql([
        'unknown_mtgsess_1_transcript.json',
        'unknown_mtgsess_1_transcript.json.json',
        'unknown_mtgsess_1_transcript.txt',
        'unknown_mtgsess_1_transcript.txt.json'
      ]);
    const [json] = outcomes;
    if (json?.ok !== true) throw new Error('Not stored');
    (await readFile(String(json.file.payload), 'utf8')).should.equal('{"a":1}\n');
    json.file.recording.should.containEql({
      format: 'json',
      content_type: 'application/json',
      size: 8,
      source_host: ''
    });
    server.requests.should.be.empty();
    // Once stored, nothing is asked.
    const again = await tries.archive({ reference: transcript!, format: 'any' });
    again.every((outcome) => outcome.ok && outcome.file.recording.already_stored).should.be.true();
    asked.should.equal(1);
  });
});
