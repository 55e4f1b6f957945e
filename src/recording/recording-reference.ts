import type { RecordingDetails } from './recording-details';

/** One address of a recording in one format. `url` is a secret: signed links open the file. */
export interface MediaLink {
  /** `mp3`, `wav`, …; null when the event does not say. */
  format: string | null;
  url: string;
  /** SHA-256 (hex) that the sender announced, or null. */
  sha256: string | null;
  /** Size in bytes that the sender announced, or null. */
  size: number | null;
}

/** What kind of media to expect; decides which content types and first bytes are accepted. */
export type MediaKind = 'audio' | 'video' | 'fax' | 'attachment' | 'track';

/**
 * What the provider's API calls the thing. `texml-recording` is known to the recordings API too, as far
 * as is known; `message` is an attachment, of which the API makes no links.
 */
export type ApiResource =
  'recording' | 'texml-recording' | 'fax' | 'room-recording' | 'room-composition' | 'message';

/**
 * One recording (or fax, attachment, track) that an event announces: what is known of it and where
 * its bytes can be had. `links` is empty when only the provider's API knows the address.
 */
export interface RecordingReference {
  kind: MediaKind;
  /** Identity for "the same recording twice is one file": provider + id, else provider + address without its signature. */
  identity: string;
  details: RecordingDetails;
  links: MediaLink[];
  /** Position among the files of one event, from 0 (attachments, tracks); null when there is only one. */
  media_index: number | null;
  /** ISO 8601 UTC; when the event happened, else when it arrived. Names the file when `started_at` is unknown. */
  announced_at: string | null;
  /** Object key in the customer's own bucket (Daily `s3_key`, track keys), or null. */
  storage_key: string | null;
  /** Under what the API can be asked about `details.recording_id`; left out when nothing told. */
  resource?: ApiResource;
  /** TeXML `AccountSid`: part of the TeXML API's addresses. */
  account_sid?: string;
  /** Id of the text of the recording, when an event announced that. */
  transcription_id?: string;
}
