import should from 'should';
import { type Meetings, telnyxMeetings } from '../../../../../src/providers/telnyx/meetings/telnyx-meetings';
import { readTranscript } from '../../../../../src/providers/telnyx/meetings/transcript';
import { findRecordings } from '../../../../../src/recording/find-recordings';
import type { RecordingReference } from '../../../../../src/recording/recording-reference';
import { ApiServer, never } from '../api-server';

const SESSION = '/v2/meeting_sessions/mtgsess_1';
const RECORDINGS = `GET ${SESSION}/recordings`;
const TRANSCRIPT = `GET ${SESSION}/transcript`;

const DETAILS = {
  id: 'mtgsess_1',
  platform: 'zoom',
  bot_name: 'Notes',
  meeting_url: 'https://zoom.us/j/1234567890?pwd=geheim',
  joined_at: '2026-03-04T09:15:02Z',
  ended_at: '2026-03-04T10:15:02Z',
  metadata: { case: '4711' }
};

function announced(event: string, data: object): RecordingReference {
  const [reference] = findRecordings({
    event: { provider: 'telnyx', event_type: `meeting.${event}`, id: 'whdel_1' },
    payload: { session_id: 'mtgsess_1', ...data }
  });
  if (reference === undefined) throw new Error('Nothing to store');
  return reference;
}

function segment(seq: number, fields: object = {}): object {
  return {
    seq,
    text: `Sentence ${seq}.`,
    speaker_label: 'Ann',
    relative_ts: seq,
    confidence: 0.9,
    ...fields
  };
}

describe('telnyx-meetings', () => {
  let server: ApiServer;
  beforeEach(async () => {
    server = await ApiServer.start();
    server.json(`GET ${SESSION}`, { data: DETAILS });
  });
  afterEach(async () => {
    await server.stop();
  });

  const meetings = (): Meetings => telnyxMeetings(server.client(), { lagMs: 1 });
  const expand = (reference: RecordingReference, isLast = false): Promise<RecordingReference[]> =>
    meetings().expand(reference, isLast, never);

  const lists = (...types: string[]): void => {
    const data = types.map((type, index) => ({
      type,
      url: `https://media.example.com/${index}`,
      expires_at: null
    }));
    server.json(RECORDINGS, { data });
  };

  describe('recordings', () => {
    const available = (...recording_types: string[]): RecordingReference =>
      announced('recording.available', { recording_types });

    it('become a reference for each file that is listed', async () => {
      lists('video_mixed', 'audio_mixed');
      const files = await expand(available('video_mixed'));
      files
        .map(({ identity, links }) => [identity, links[0]?.url])
        .should.eql([
          ['telnyx:meeting:mtgsess_1:video_mixed', 'https://media.example.com/0'],
          ['telnyx:meeting:mtgsess_1:audio_mixed', 'https://media.example.com/1']
        ]);
      files[0]!.details.should.containEql({
        recording_id: 'mtgsess_1',
        track: 'video_mixed',
        started_at: '2026-03-04T09:15:02.000Z',
        ended_at: '2026-03-04T10:15:02.000Z',
        room_name: 'zoom.us/j/1234567890',
        initiated_by: 'Notes'
      });
      files[0]!.links[0]!.isFleeting!.should.be.true();
      should(files[0]!.isCollection).be.false();
    });

    it('include types that are announced and not listed yet', async () => {
      lists('video_mixed');
      const files = await expand(available('video_mixed', 'audio_mixed'));
      files
        .map(({ details, links }) => [details.track, links.length])
        .should.eql([
          ['video_mixed', 1],
          ['audio_mixed', 0]
        ]);
      await meetings()
        .resolveLinks(files[1]!, 'missing', never)
        .should.be.rejectedWith({ code: 'LINK_REFUSED', retryable: true, message: /audio_mixed.*yet/ });
    });

    it('keep several files of one type apart', async () => {
      lists('video_mixed', 'video_mixed');
      (await expand(available('video_mixed')))
        .map(({ details }) => details.track)
        .should.eql(['video_mixed', 'video_mixed-2']);
    });

    it('keep a type apart that looks like the second file of another', async () => {
      lists('a', 'a', 'a-2', 'a');
      (await expand(available())).map(({ details }) => details.track).should.eql(['a', 'a-3', 'a-2', 'a-4']);
    });

    it('include types that are listed without a link', async () => {
      server.json(RECORDINGS, {
        data: [
          { type: 'a', url: 'https://example.com/a' },
          { type: 'b', url: null }
        ]
      });
      (await expand(available())).map(({ details }) => details.track).should.eql(['a', 'b']);
    });

    it('are asked for again while none is listed', async () => {
      lists();
      await expand(available()).should.be.rejectedWith({ code: 'LINK_REFUSED', retryable: true });
    });

    it('are known by their announcement when the API refuses', async () => {
      for (const status of [401, 404, 429, 502]) {
        server.json(RECORDINGS, { error: { code: 'provider_error', message: 'No' } }, status);
        const [file] = await expand(available('video_mixed'));
        file!.links.should.be.empty();
      }
    });

    it('get a fresh link for one file', async () => {
      lists('audio_mixed', 'video_mixed');
      const [, file] = await expand(available('video_mixed'));
      const [link] = await meetings().resolveLinks(file!, 'dead', never);
      link!.url.should.equal('https://media.example.com/1');
      server.lines.filter((line) => line === RECORDINGS).should.have.length(2);
    });

    it('are looked for twice when the API does not know the session yet', async () => {
      server.json(RECORDINGS, { error: { code: 'not_found', message: 'No such session' } }, 404);
      server.json(RECORDINGS, { data: [{ type: 'video_mixed', url: 'https://media.example.com/0' }] });
      const [file] = await expand(available('video_mixed'));
      const [link] = await meetings().resolveLinks({ ...file!, links: [] }, 'missing', never);
      link!.url.should.equal('https://media.example.com/0');
    });

    it('are refused as the API refuses', async () => {
      const faults: [number, object, object][] = [
        [401, { errors: [{ code: '10009', title: 'Authentication failed' }] }, { code: 'API_UNAUTHORIZED' }],
        [404, { error: { code: 'not_found', message: 'No' } }, { code: 'API_NOT_FOUND', retryable: false }],
        [
          429,
          { error: { code: 'auth_overloaded', message: 'Busy' } },
          { code: 'RATE_LIMITED', retryAfterMs: 3000 }
        ],
        [
          502,
          { error: { code: 'provider_error', message: 'Oops' } },
          { code: 'LINK_REFUSED', retryable: true }
        ]
      ];
      for (const [status, body, fault] of faults) {
        const one = await ApiServer.start();
        one.json(RECORDINGS, body, status, { 'retry-after': '3' });
        await telnyxMeetings(one.client(), { lagMs: 1 })
          .expand(available(), false, never)
          .should.be.rejectedWith(fault);
        await one.stop();
      }
    });

    it('say what is missing without a key', async () => {
      const fault = { code: 'NO_RECORDING', message: /"API key" as "Telnyx"/ };
      for (const api of [null, server.client({ apiKey: () => null })])
        await telnyxMeetings(api).expand(available(), false, never).should.be.rejectedWith(fault);
      const [file] = await telnyxMeetings(null).expand(available('video_mixed'), false, never);
      await telnyxMeetings(null).resolveLinks(file!, 'missing', never).should.be.rejectedWith(fault);
    });

    it('are not asked for by a session that is a path', async () => {
      const hostile = announced('recording.available', { session_id: '../recordings', recording_types: [] });
      await expand(hostile).should.be.rejectedWith({ code: 'NO_RECORDING' });
      server.seen.should.be.empty();
    });

    it('are taken without details when the session cannot be read', async () => {
      const one = await ApiServer.start();
      one
        .status(`GET ${SESSION}`, 500)
        .json(RECORDINGS, { data: [{ type: 'video_mixed', url: 'https://x.example.com/' }] });
      const own = telnyxMeetings(one.client(), { lagMs: 1 });
      const [file] = await own.expand(available('video_mixed'), false, never);
      should(file!.details.started_at).be.null();
      await own.completeDetails(file!, never).should.be.rejectedWith({ retryable: true });
      await one.stop();
    });

    it('refuse answers that are no list, or an endless one', async () => {
      for (const data of [
        null,
        {},
        Array.from({ length: 101 }, () => ({ type: 'a', url: 'https://a.example.com/' }))
      ]) {
        const one = await ApiServer.start();
        one.json(RECORDINGS, { data });
        await telnyxMeetings(one.client())
          .expand(available(), false, never)
          .should.be.rejectedWith({ code: 'LINK_REFUSED', retryable: false });
        await one.stop();
      }
    });
  });

  describe('transcripts', () => {
    const completed = (fields: object = {}): RecordingReference => announced('transcript.completed', fields);
    const page = (data: object[], next_after: number | null): void => {
      server.json(TRANSCRIPT, { data, meta: { next_after } });
    };

    it('are read page by page until one is empty', async () => {
      page([segment(3), segment(61, { speaker_label: null, text: ' a\r\n b ' })], 61);
      page([segment(3700, { relative_ts: 3700.4 })], 3700);
      page([], null);
      const [file, ...more] = await expand(completed({ segment_count: 3, last_seq: 3700 }));
      more.should.be.empty();
      server.seen
        .filter(({ line }) => line === TRANSCRIPT)
        .map(({ query }) => query.get('after'))
        .should.eql([null, '61', '3700']);
      file!.identity.should.equal('telnyx:meeting:mtgsess_1:transcript');
      const [json, text] = file!.links;
      text!.content!.text.should.equal(
        '[00:00:03] Ann: Sentence 3.\n[00:01:01] a b\n[01:01:40] Ann: Sentence 3700.\n'
      );
      const about = JSON.parse(json!.content!.text) as { segments: object[]; session: object };
      about.should.containDeep({ session_id: 'mtgsess_1', complete: true, segment_count: 3 });
      about.segments.should.have.length(3);
      about.session.should.containEql({ platform: 'zoom', bot_name: 'Notes', metadata: { case: '4711' } });
      JSON.stringify(about).should.not.containEql('geheim');
    });

    it('are asked for again until they have what was announced', async () => {
      page([segment(1)], 1);
      page([], null);
      await expand(completed({ segment_count: 2, last_seq: 2 })).should.be.rejectedWith({
        code: 'LINK_REFUSED',
        retryable: true,
        message: /1 of 2 segments/
      });
    });

    it('are stored under another name when they stay incomplete', async () => {
      page([segment(1)], 1);
      page([], null);
      const [file] = await expand(completed({ segment_count: 2 }), true);
      file!.identity.should.equal('telnyx:meeting:mtgsess_1:transcript-incomplete');
      file!.details.track!.should.equal('transcript-incomplete');
      file!.links[0]!.content!.text.should.match(/"complete": false/);
      file!.links[1]!.content!.text.should.match(/\(Incomplete/);
    });

    it('can be empty when that was announced, and only then', async () => {
      page([], null);
      const [file] = await expand(completed({ segment_count: 0, last_seq: 0 }));
      file!.links[1]!.content!.text.should.equal('(Nobody said anything.)\n');
      await expand(completed(), true).should.be.rejectedWith({ code: 'LINK_REFUSED', retryable: true });
    });

    it('end when a server repeats its first page, or gives no cursor', async () => {
      page([segment(1), segment(2)], 2);
      (await expand(completed({ segment_count: 2 }))).should.have.length(1);
      const one = await ApiServer.start();
      one.json(TRANSCRIPT, { data: [{ text: 'No number.' }] });
      const own = telnyxMeetings(one.client(), { lagMs: 1 });
      (await own.expand(completed(), false, never)).should.have.length(1);
      await one.stop();
    });

    it('end when a server has a page after every page, or a book for a name', async () => {
      const { meeting } = completed();
      for (const label of ['Guest', 'x'.repeat(8 * 1024 * 1024)]) {
        let seq = 0;
        const request = () => {
          seq += 1;
          if (seq > 6000) throw new Error('Endless');
          return Promise.resolve({
            data: [{ seq, text: 'Hi', speaker_label: label }],
            meta: { next_after: seq }
          });
        };
        await readTranscript({ request }, meeting!, never).should.be.rejectedWith({ code: 'TOO_LARGE' });
        seq.should.be.below(label === 'Guest' ? 5002 : 10);
      }
    });

    it('refuse what is no transcript', async () => {
      server.json(TRANSCRIPT, { data: 'x' });
      await expand(completed()).should.be.rejectedWith({ code: 'LINK_REFUSED', retryable: false });
    });
  });

  describe('artifacts', () => {
    const completed = announced('artifact.completed', { artifact_id: 'mtgart_1', type: 'summary' });
    const path = `GET ${SESSION}/artifacts/mtgart_1`;

    it('are asked for when their event has no text', async () => {
      server.json(path, { data: { id: 'mtgart_1', status: 'completed', content: { text: 'All agreed.' } } });
      const [link] = await meetings().resolveLinks(completed, 'missing', never);
      link!.content!.text.should.equal('All agreed.\n');
    });

    it('have a text later, or never', async () => {
      server.json(path, { data: { status: 'pending', content: null } });
      await meetings().resolveLinks(completed, 'missing', never).should.be.rejectedWith({ retryable: true });
      const one = await ApiServer.start();
      one.json(path, { data: { status: 'failed', content: null } });
      await telnyxMeetings(one.client(), { lagMs: 1 })
        .resolveLinks(completed, 'missing', never)
        .should.be.rejectedWith({ code: 'API_NOT_FOUND', retryable: false });
      await one.stop();
    });
  });
});
