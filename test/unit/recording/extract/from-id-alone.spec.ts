import should from 'should';
import { carriesRecording, findRecordings } from '../../../../src/recording/find-recordings';

function event(
  event_type: string,
  payload: object,
  provider = 'telnyx'
): { event: unknown; payload: unknown } {
  return { event: { provider, event_type, id: 'evt-1', occurred_at: '2026-03-04T09:20:00.000Z' }, payload };
}

const EMPTY: readonly object[] = [
  {},
  { recording_urls: {} },
  { recording_urls: null },
  { recording_urls: { mp3: null, wav: null }, public_recording_urls: {} }
];

describe('from-id-alone', () => {
  it('finds a recording that has an id and no links', () => {
    for (const links of EMPTY)
      for (const type of ['call.recording.saved', 'conference.recording.saved', 'recording_saved']) {
        const found = findRecordings(
          event(type, { recording_id: 'rec-1', channels: 'dual', call_leg_id: 'leg-1', ...links })
        );
        found.should.have.length(1, type);
        found[0]!.should.containDeep({
          kind: 'audio',
          identity: 'telnyx:rec-1',
          links: [],
          resource: 'recording',
          details: { recording_id: 'rec-1', channels: 'dual', call_leg_id: 'leg-1', event_type: type }
        });
      }
  });

  it('finds the recording of a call by the call', () => {
    const started = { recording_started_at: '2026-03-04T09:15:02Z' };
    const call = { call_leg_id: 'leg-1', call_session_id: 'ses-1', recording_urls: {} };
    const [first] = findRecordings(event('call.recording.saved', { ...call, ...started }));
    const [again] = findRecordings(
      event('call.recording.saved', { ...call, ...started, recording_urls: null })
    );
    const [other] = findRecordings(
      event('call.recording.saved', { ...call, recording_started_at: '2026-03-04T09:16:02Z' })
    );
    should(first!.details.recording_id).be.null();
    first!.identity.should.equal(again!.identity).and.not.equal(other!.identity);
  });

  it('finds video rooms and their compositions', () => {
    for (const links of [{}, { download_url: null }, { download_url: '' }]) {
      const [room] = findRecordings(
        event('video.room.recording.completed', { recording_id: 'v-1', ...links })
      );
      room!.should.containDeep({ kind: 'video', identity: 'telnyx:v-1', resource: 'room-recording' });
      const [film] = findRecordings(
        event('video.room.composition.completed', { composition_id: 'c-1', recording_id: 'v-1', ...links })
      );
      film!.should.containDeep({ identity: 'telnyx:c-1', resource: 'room-composition' });
    }
  });

  it('accepts an unknown type because of the field', () => {
    carriesRecording(
      event('call.recording.archived', { recording_id: 'rec-1', recording_urls: {} })
    ).should.be.true();
    carriesRecording(event('call.recording.archived', { recording_id: 'rec-1' })).should.be.false();
  });

  it('finds a recording of Daily whose event says no more than its id', () => {
    const [found] = findRecordings(event('recording.ready-to-download', { recording_id: 'd-1' }, 'daily'));
    found!.identity.should.equal('daily:d-1');
    carriesRecording(event('recording.started', { recording_id: 'd-1' }, 'daily')).should.be.false();
  });

  it('prefers links that are only in the body', () => {
    const source = event('call.recording.saved', { recording_id: 'rec-1' });
    const body = {
      data: { payload: { recording_id: 'rec-1', recording_urls: { mp3: 'https://example.com/a.mp3' } } }
    };
    const [found] = findRecordings({ ...source, event: { ...(source.event as object), body } });
    found!.links.should.have.length(1);
  });

  it('finds nothing without an id, and in events that announce no recording', () => {
    carriesRecording(event('call.recording.saved', { recording_urls: {} })).should.be.false();
    carriesRecording(event('video.room.composition.completed', { recording_id: 'v-1' })).should.be.false();
    for (const type of [
      'call.recording.error',
      'call.hangup',
      'video.room.recording.started',
      'texml.call.completed',
      'call.recording.transcription.saved'
    ])
      carriesRecording(
        event(type, { recording_id: 'rec-1', call_leg_id: 'leg-1', recording_urls: {}, download_url: null })
      ).should.be.false(type);
  });
});
