import should from 'should';
import { providers } from '../../../../src/providers/registry';
import { STORED_RECORD_TYPE, findRecordings, fromStored } from '../../../../src/recording/find-recordings';
import type { RecordingReference } from '../../../../src/recording/recording-reference';

function meeting(
  event: string,
  data: object,
  type = `meeting.${event}`
): { event: unknown; payload: unknown } {
  const body = { id: 'whdel_1', event, version: '1', occurred_at: '2026-03-04T10:20:00Z', data };
  return {
    event: {
      provider: 'telnyx',
      event_type: type,
      id: 'whdel_1',
      occurred_at: '2026-03-04T10:20:00.000Z',
      body
    },
    payload: data
  };
}

function only(source: { event: unknown; payload: unknown }): RecordingReference {
  const found = findRecordings(source);
  found.should.have.length(1);
  return found[0]!;
}

describe('from-meeting', () => {
  it('reads an available recording as all that its session has', () => {
    const reference = only(
      meeting('recording.available', {
        session_id: 'mtgsess_1',
        recording_types: ['video_mixed', 'video_mixed', 7, null]
      })
    );
    reference.should.containDeep({
      kind: 'video',
      identity: 'telnyx:meeting:mtgsess_1',
      links: [],
      resource: 'meeting-recording',
      isCollection: true,
      announced_at: '2026-03-04T10:20:00.000Z',
      meeting: { session_id: 'mtgsess_1', types: ['video_mixed', '7'] }
    });
    reference.details.should.containEql({
      recording_id: 'mtgsess_1',
      event_type: 'meeting.recording.available'
    });
  });

  it('reads one without types, and what a flow asks for without an event', () => {
    only(meeting('recording.available', { session_id: 'mtgsess_1' })).meeting!.types.should.be.empty();
    const asked = only({ event: undefined, payload: { session_id: 'mtgsess_1', recording_types: [] } });
    asked.identity.should.equal('telnyx:meeting:mtgsess_1');
  });

  it('reads a transcript with what it should have', () => {
    const reference = only(
      meeting('transcript.completed', {
        session_id: 'mtgsess_1',
        segment_count: 42,
        last_seq: 97,
        ended_at: '2026-03-04T10:19:00Z'
      })
    );
    reference.should.containDeep({
      kind: 'text',
      identity: 'telnyx:meeting:mtgsess_1:transcript',
      resource: 'meeting-transcript',
      isCollection: true,
      meeting: { last_seq: 97, segment_count: 42 }
    });
    reference.details.should.containEql({ track: 'transcript', ended_at: '2026-03-04T10:19:00.000Z' });
  });

  it('reads an artifact with its text', () => {
    const data = { session_id: 'mtgsess_1', artifact_id: 'mtgart_1', type: 'summary', prompt: null };
    const reference = only(
      meeting('artifact.completed', { ...data, content: { text: 'All agreed.\ud800' } })
    );
    reference.should.containDeep({ kind: 'text', identity: 'telnyx:meeting:mtgsess_1:mtgart_1' });
    reference.links.should.have.length(1);
    reference.links[0]!.should.containEql({ format: 'txt', url: '' });
    reference.links[0]!.content!.text.should.equal('All agreed.\ufffd\n');
    should(reference.isCollection).be.undefined();
    // Without its text the API is asked.
    only(meeting('artifact.completed', { ...data, content: null })).links.should.be.empty();
  });

  it('finds nothing in other events of a session', () => {
    for (const [event, data] of [
      ['session.status_changed', { session_id: 'mtgsess_1', status: 'ended', recording: true }],
      ['artifact.failed', { session_id: 'mtgsess_1', artifact_id: 'mtgart_1', type: 'summary' }],
      ['recording.available', { recording_types: ['video_mixed'] }],
      ['recording.available', { session_id: {}, recording_types: ['video_mixed'] }]
    ] as const)
      findRecordings(meeting(event, data)).should.be.empty();
  });

  it('never gives files of two sessions the same identity', () => {
    const part = (session_id: string, artifact_id: string): string =>
      only(meeting('artifact.completed', { session_id, artifact_id, content: { text: 'x' } })).identity;
    part('a:b', 'c').should.not.equal(part('a', 'b:c'));
    part('a', 'b#c').should.not.containEql('#');
  });

  it('takes no more types than a session can have', () => {
    const recording_types = Array.from({ length: 10_000 }, (_, index) => `type-${index}`);
    only(
      meeting('recording.available', { session_id: 's', recording_types })
    ).meeting!.types.should.have.length(50);
  });

  it('finds a stored file again when it is damaged', () => {
    const stored = (event: string, part: string, track: string): RecordingReference | null =>
      fromStored(
        {
          record_type: STORED_RECORD_TYPE,
          provider: 'telnyx',
          identity: `telnyx:meeting:mtgsess_1:${part}`,
          recording_id: 'mtgsess_1',
          event_type: `meeting.${event}`,
          track,
          format: 'txt'
        },
        providers
      );
    stored('recording.available', 'video_mixed', 'video_mixed')!.should.containDeep({
      kind: 'video',
      resource: 'meeting-recording',
      meeting: { session_id: 'mtgsess_1', types: ['video_mixed'] }
    });
    stored('transcript.completed', 'transcript', 'transcript')!.kind.should.equal('text');
    stored('artifact.completed', 'mtgart_1', 'summary')!.meeting!.artifact_id!.should.equal('mtgart_1');
  });
});
