import type { EventType } from './catalogue';
import type { ParsedEvent } from './event';

/** A field that the documentation promises, but real deliveries may leave out or set to null. */
type Documented<T> = { readonly [Name in keyof T]?: T[Name] | null };

interface CallFields {
  call_control_id: string;
  call_leg_id: string;
  call_session_id: string;
  /** As received: base64 of what the flow author set. `msg.event.client_state` is decoded. */
  client_state: string;
  /** Larger than a JavaScript number can hold: always text. */
  connection_id: string;
}

interface CallParties {
  /** Number or SIP address. */
  from: string;
  to: string;
  /** ISO 8601. */
  start_time: string;
  state: string;
  custom_headers: readonly { name: string; value: string }[];
  sip_headers: readonly { name: string; value: string }[];
  tags: readonly string[];
}

/** Addresses by format. A format that was not made is null or absent; links are signed and expire. */
type RecordingUrls = Documented<{ mp3: string; wav: string }>;

interface RecordingFields {
  recording_id: string;
  channels: 'single' | 'dual';
  format: string;
  /** ISO 8601. */
  recording_started_at: string;
  recording_ended_at: string;
  recording_urls: RecordingUrls;
  public_recording_urls: RecordingUrls;
}

interface MessageParty {
  phone_number: string;
  carrier: string;
  line_type: string;
  /** The state of a sent message for this receiver. */
  status: string;
}

interface MessageFields {
  id: string;
  direction: 'inbound' | 'outbound';
  type: string;
  text: string;
  subject: string;
  /** RCS agents send `agent_id` and `agent_name` instead of a number. */
  from: Documented<MessageParty & { agent_id: string; agent_name: string }>;
  to: readonly Documented<MessageParty & { agent_id: string; agent_name: string }>[];
  cc: readonly (string | Documented<MessageParty>)[];
  media: readonly Documented<{ url: string; content_type: string; size: number; sha256: string }>[];
  messaging_profile_id: string;
  parts: number;
  errors: readonly unknown[];
  /** Amounts are strings. */
  cost: { amount: string; currency: string };
  received_at: string;
  sent_at: string;
  completed_at: string;
}

interface TexmlCallFields {
  AccountSid: string;
  CallSid: string;
  CallSidLegacy: string;
  ConnectionId: string;
}

interface TexmlRecordingFields extends TexmlCallFields {
  RecordingSid: string;
  RecordingStatus: string;
  RecordingSource: string;
  /** `1` or `2`, as text. */
  RecordingChannels: string;
  /** Seconds, as text. */
  RecordingDuration: string;
  /** Absent with `sendRecordingUrl="false"`. */
  RecordingUrl: string;
}

interface TexmlParties {
  From: string;
  To: string;
}

interface DailyRecordingFields {
  /** `cloud`, `cloud-audio-only`, `raw-tracks`; can be absent. */
  type: string;
  recording_id: string;
  room_name: string;
  /** Seconds since 1970, can be fractional. */
  start_ts: number;
  status: string;
  max_participants: number;
  /** Seconds. */
  duration: number;
  s3_key: string;
  /** Both spellings of the key occur. */
  tracks: readonly Documented<{ type: string; s3Key: string; s3key: string; size: number }>[];
}

/**
 * Payloads of the events that matter most, as their senders document them. Nothing checks a payload
 * against these types when it arrives: look at a value before you rely on it.
 */
export interface DocumentedPayloads {
  'call.initiated': Documented<
    CallFields & CallParties & { direction: 'incoming' | 'outgoing'; caller_id_name: string }
  >;
  'call.answered': Documented<CallFields & CallParties>;
  'call.hangup': Documented<
    CallFields &
      CallParties & {
        hangup_cause: string;
        hangup_source: string;
        sip_hangup_cause: string;
        end_time: string;
        call_quality_stats: unknown;
      }
  >;
  'call.playback.ended': Documented<
    CallFields & {
      media_url: string;
      media_name: string;
      overlay: boolean;
      status: string;
      status_detail: string;
    }
  >;
  'call.recording.saved': Documented<CallFields & RecordingFields & { start_time: string; end_time: string }>;
  'conference.recording.saved': Documented<CallFields & RecordingFields & { conference_id: string }>;
  'message.received': Documented<MessageFields & { autoresponse_type: string; body: unknown }>;
  'message.finalized': Documented<MessageFields>;
  'fax.received': Documented<{
    fax_id: string;
    connection_id: string;
    direction: 'inbound';
    from: string;
    to: string;
    caller_id: string;
    /** Signed link to a PDF. */
    media_url: string;
    page_count: number;
    partial_content: boolean;
    call_duration_secs: number;
    status: string;
    user_id: string;
  }>;
  'texml.recording.in-progress': Documented<TexmlRecordingFields>;
  'texml.recording.completed': Documented<TexmlRecordingFields>;
  'texml.recording.absent': Documented<TexmlRecordingFields>;
  'texml.transcription': Documented<
    TexmlCallFields & TexmlParties & { Transcript: string; IsFinal: 'true' | 'false'; Confidence: string }
  >;
  'texml.transcription.completed': Documented<
    TexmlCallFields &
      TexmlParties & {
        TranscriptionSid: string;
        TranscriptionStatus: string;
        TranscriptionText: string;
        RecordingSid: string;
        RecordingUrl: string;
        CallStatus: string;
      }
  >;
  'recording.ready-to-download': Documented<DailyRecordingFields>;
}

/** Event types whose payload is described; each is a type of the catalogue. */
export type DescribedEventType = Extract<keyof DocumentedPayloads, EventType>;

/** An event together with the documented type of its payload. */
export type EventOf<T extends DescribedEventType> = Omit<ParsedEvent, 'event_type' | 'payload'> & {
  event_type: T;
  payload: DocumentedPayloads[T];
};
