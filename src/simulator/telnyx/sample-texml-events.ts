import { randomBytes, randomUUID } from 'node:crypto';
import { form, type SampleFacts, type SampleKind } from './sample-delivery';

/** TeXML callbacks: forms without an event type of their own. The names are those that flows see. */
export const TEXML_EVENTS: readonly SampleKind[] = [
  {
    name: 'texml.siprec.started',
    description: 'TeXML: a SIPREC session starts',
    make: ({ call, now }) =>
      form({
        AccountSid: randomUUID(),
        CallSid: call.call_control_id,
        SiprecEvent: 'siprec-started',
        SiprecSid: randomUUID(),
        Timestamp: seconds(now)
      })
  },
  {
    name: 'texml.transcription',
    description: 'TeXML: a sentence of a live transcription',
    make: ({ call }) =>
      form({
        ...texmlCall(call),
        Confidence: '0.93',
        From: call.from,
        IsFinal: 'true',
        To: call.to,
        // Forms carry no event id: without something fresh two samples would count as one delivery.
        Transcript: `This is a sample sentence, number ${randomBytes(3).readUIntBE(0, 3)}.`
      })
  },
  {
    name: 'texml.recording.completed',
    description: 'TeXML: a call recording (MP3) can be fetched',
    recording: { source: 'call', formats: ['mp3'], channels: 'dual' },
    make: (facts) =>
      form({
        ...texmlCall(facts.call),
        ...texmlRecording(facts),
        RecordingChannels: facts.recording?.channels === 'dual' ? '2' : '1',
        RecordingSource: 'RecordVerb',
        RecordingStatus: 'completed'
      })
  },
  {
    name: 'texml.call.completed',
    description: 'TeXML: a call ended',
    make: ({ call, now }) =>
      form({
        ...texmlCall(call),
        CallbackSource: 'call-progress-events',
        CallDuration: '42',
        CallStatus: 'completed',
        From: call.from,
        HangupCause: 'normal_clearing',
        SequenceNumber: '3',
        Timestamp: seconds(now),
        To: call.to
      })
  }
];

function texmlCall({ call_control_id, connection_id }: SampleFacts['call']): Record<string, string> {
  return {
    AccountSid: randomUUID(),
    CallSid: call_control_id,
    CallSidLegacy: call_control_id,
    ConnectionId: connection_id
  };
}

function texmlRecording({ recording, link }: SampleFacts): Record<string, string> {
  const url = recording?.formats[0] === undefined ? null : link(recording.formats[0]);
  if (!recording || url === null) throw new Error('A recording event needs a recording');
  return {
    RecordingDuration: String(Math.round(recording.seconds)),
    RecordingSid: recording.id,
    RecordingUrl: url
  };
}

/** TeXML writes times without decimals. */
function seconds(time: Date): string {
  return time.toISOString().replace(/\.\d+/, '');
}
