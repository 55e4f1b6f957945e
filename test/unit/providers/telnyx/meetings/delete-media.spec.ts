import should from 'should';
import type { Deletion } from '../../../../../src/providers/provider';
import { telnyxMeetings } from '../../../../../src/providers/telnyx/meetings/telnyx-meetings';
import { findRecordings } from '../../../../../src/recording/find-recordings';
import type { RecordingReference } from '../../../../../src/recording/recording-reference';
import { ApiServer, never, reference } from '../api-server';

const SESSION = '/v2/meeting_sessions/mtgsess_1';
const RECORDINGS = `GET ${SESSION}/recordings`;
const DELETE = `DELETE ${SESSION}/recording_media`;

function available(...recording_types: string[]): RecordingReference {
  const [found] = findRecordings({
    event: { provider: 'telnyx', event_type: 'meeting.recording.available', id: 'whdel_1' },
    payload: { session_id: 'mtgsess_1', recording_types }
  });
  if (found === undefined) throw new Error('Nothing to store');
  return found;
}

const stored = (...types: string[]) => types.map((track) => reference({ track }).details);

describe('delete-media', () => {
  let server: ApiServer;
  beforeEach(async () => {
    server = await ApiServer.start();
  });
  afterEach(async () => {
    await server.stop();
  });

  const lists = (...types: string[]): void => {
    const data = types.map((type, index) => ({ type, url: `https://media.example.com/${index}` }));
    server.json(RECORDINGS, { data });
  };
  const deleted = (status: string): void => {
    server.json(DELETE, { data: { deletion_status: status, scope: 'provider_recording_media' } }, 202);
  };
  const remove = (announced: string[], ...types: string[]): Promise<Deletion> =>
    telnyxMeetings(server.client()).deleteRecording(available(...announced), never, stored(...types));
  const refused = async (deletion: Promise<Deletion>, message: RegExp): Promise<void> => {
    const answer = await deletion;
    should(answer.ok ? '' : answer.message).match(message);
    server.lines.should.not.containEql(DELETE);
  };

  it('asks for it when everything that is listed and announced is stored', async () => {
    for (const status of ['requested', 'already_in_progress']) {
      lists('video_mixed', 'audio_mixed');
      deleted(status);
      (await remove(['video_mixed'], 'audio_mixed', 'video_mixed')).should.eql({
        ok: true,
        already_gone: false
      });
    }
  });

  it('does not when a listed or announced type is not stored', async () => {
    lists('video_mixed', 'audio_mixed');
    await refused(remove(['video_mixed'], 'video_mixed'), /not stored: audio_mixed/);
    await refused(remove(['video_mixed', 'chat'], 'video_mixed', 'audio_mixed'), /not stored: chat/);
    const without = telnyxMeetings(server.client()).deleteRecording(available('video_mixed'), never);
    await refused(without, /not stored/);
  });

  it('does not while a recording is listed without a link', async () => {
    for (const url of [undefined, null, '', false]) {
      const data = [
        { type: 'video_mixed', url: 'https://media.example.com/0' },
        { type: 'audio_mixed', url }
      ];
      server.json(RECORDINGS, { data });
      deleted('requested');
      await refused(remove(['video_mixed'], 'video_mixed'), /not ready: audio_mixed/);
    }
  });

  it('does not when several files have one type', async () => {
    lists('video_mixed', 'video_mixed');
    await refused(
      remove(['video_mixed'], 'video_mixed', 'video_mixed-2'),
      /several recordings of the type video_mixed/
    );
  });

  it('does not without a key, and for texts', async () => {
    const nobody = telnyxMeetings(null).deleteRecording(available(), never, stored('video_mixed'));
    await refused(nobody, /API key/);
    const text = { ...available(), resource: 'meeting-transcript' } as const;
    await refused(
      telnyxMeetings(server.client()).deleteRecording(text, never, stored('transcript')),
      /no API/
    );
  });

  it('does not take a foreign session for a deleted one', async () => {
    server.json(RECORDINGS, { error: { code: 'not_found', message: 'No' } }, 404);
    await refused(remove(['video_mixed'], 'video_mixed'), /another account/);
  });

  it('tells an API that does not offer it from recordings that are gone', async () => {
    lists('video_mixed');
    server.status(DELETE, 404);
    const answer = await remove(['video_mixed'], 'video_mixed');
    should(answer.ok ? '' : answer.message).match(/does not offer/);
    const one = await ApiServer.start();
    one.json(RECORDINGS, { data: [] }).status(DELETE, 404);
    (
      await telnyxMeetings(one.client()).deleteRecording(
        available('video_mixed'),
        never,
        stored('video_mixed')
      )
    ).should.eql({ ok: true, already_gone: true });
    await one.stop();
  });

  it('says that the platform cannot, and repeats what may pass', async () => {
    const answers: [number, string, object | null][] = [
      [422, 'unsupported_capability', null],
      [409, 'invalid_state', { code: 'LINK_REFUSED', retryable: true }],
      [502, 'provider_error', { code: 'LINK_REFUSED', retryable: true }],
      [401, 'unauthorized', { code: 'API_UNAUTHORIZED', retryable: false }]
    ];
    for (const [status, code, fault] of answers) {
      const one = await ApiServer.start();
      one.json(RECORDINGS, { data: [{ type: 'video_mixed', url: 'https://media.example.com/0' }] });
      one.json(DELETE, { error: { code, message: 'No' } }, status);
      const deletion = telnyxMeetings(one.client()).deleteRecording(
        available('video_mixed'),
        never,
        stored('video_mixed')
      );
      if (fault === null)
        (await deletion).should.containEql({ ok: false }).and.have.property('message').match(/422/);
      else await deletion.should.be.rejectedWith(fault);
      await one.stop();
    }
  });
});
