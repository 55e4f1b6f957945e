/**
 * What is known of a recording apart from its bytes. The names are those of `msg.recording` and of
 * the sidecar. Every value came from outside: none is trusted as a path, URL or template value.
 * Each field is null when unknown.
 */
export interface RecordingDetails {
  /** The name of one of the providers; see `RecordingOrigin`. */
  provider: string;
  recording_id: string | null;
  event_type: string | null;
  event_id: string | null;
  /** `mp3`, `wav`, `mp4`, `pdf`, …; of the wanted file, before its bytes were seen. */
  format: string | null;
  /** `single` or `dual` as Telnyx spells it. */
  channels: string | null;
  /** ISO 8601 UTC. */
  started_at: string | null;
  /** ISO 8601 UTC. */
  ended_at: string | null;
  duration_seconds: number | null;
  call_control_id: string | null;
  call_leg_id: string | null;
  call_session_id: string | null;
  conference_id: string | null;
  connection_id: string | null;
  from: string | null;
  to: string | null;
  /** What started the recording: `DialVerb`, `RecordVerb`, `StartCallRecordingAPI`, … */
  initiated_by: string | null;
  room_name: string | null;
  /** Most people in the room at once, as Daily counts. */
  max_participants: number | null;
  /** Which file of the recording it is, where there are several. */
  track: string | null;
  /** Daily's id of the meeting session, which its recordings and transcripts share. */
  mtg_session_id: string | null;
  transcription: string | null;
}
