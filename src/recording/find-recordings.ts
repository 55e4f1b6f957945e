import { type Fields, asFields, asText } from '../values/fields';
import {
  type Announcement,
  type RecordingSource,
  announcementsOf,
  unknownDetails
} from './extract/announcement';
import { fromDaily } from './extract/from-daily';
import { fromFax } from './extract/from-fax';
import { fromIdAlone } from './extract/from-id-alone';
import { fromMeeting, fromStoredMeeting } from './extract/from-meeting';
import { fromMessageMedia } from './extract/from-message-media';
import { fromRecordingUrls } from './extract/from-recording-urls';
import { fromTexml } from './extract/from-texml';
import { fromTranscription } from './extract/from-transcription';
import { fromVideoRoom } from './extract/from-video-room';
import type { RecordingOrigin, RecordingOrigins } from './origin';
import type { RecordingDetails } from './recording-details';
import {
  type ApiResource,
  type MediaKind,
  type RecordingReference,
  formatOfUrl,
  identityOfId,
  identityOfUrl,
  mediaLink,
  partOfIdentity
} from './recording-reference';

export type { RecordingSource } from './extract/announcement';

/** Links first, ids last: an event that has both needs no API. */
const EXTRACTORS: readonly ((announcement: Announcement) => RecordingReference[])[] = [
  fromRecordingUrls,
  fromTexml,
  fromFax,
  fromMessageMedia,
  fromVideoRoom,
  fromDaily,
  fromTranscription,
  fromMeeting
];

/**
 * Finds what an event announces that can be stored. Fields decide, never the event type: Telnyx adds
 * types without notice, and a new one with `recording_urls` must be archived too.
 *
 * @param source `msg.event` and `msg.payload` of a webhook node; either may be missing or changed
 * @returns one reference per file; empty when there is nothing to store. Never throws.
 */
export function findRecordings(source: RecordingSource): RecordingReference[] {
  const announcements = announcementsOf(source);
  for (const announcement of announcements) {
    for (const extract of EXTRACTORS) {
      const found = extract(announcement);
      if (found.length > 0) return found;
    }
  }
  // Last, because a flow may have left the links out of its payload.
  return announcements.map(fromIdAlone).find((found) => found.length > 0) ?? [];
}

/**
 * Whether the event carries something the download node can store: a link, or an id whose link the
 * provider's API knows. Announcements without a file (`in-progress`, `absent`, `*.started`, `*.error`) do not.
 */
export function carriesRecording(source: RecordingSource): boolean {
  return findRecordings(source).length > 0;
}

/** Whether an event brings the text of a recording, or names one. */
export function announcesText({ details, transcription_id }: RecordingReference): boolean {
  return details.transcription !== null || transcription_id !== undefined;
}

/** What a flow sets when it names a recording itself. All untrusted. */
export interface RecordingRequest {
  recording_id?: unknown;
  provider?: unknown;
  /** As the list node sends it: which transcript its payload describes. */
  transcript_id?: unknown;
  url?: unknown;
  /** As the list node sends it: the provider's list entry of the recording. */
  payload?: unknown;
}

/**
 * The recordings that a message names without an event. When its payload is the provider's list entry of that
 * recording, the entry gives the details, and tells raw tracks apart.
 *
 * @returns empty when the message names none
 */
export function referencesFromMessage(
  message: RecordingRequest,
  origins: RecordingOrigins
): RecordingReference[] {
  const listed = asFields(message.payload);
  const id = asText(message.recording_id);
  if (listed !== null && id !== null && asText(listed['id']) === id && asText(message.url) === null) {
    const found = originOf(message, origins).fromListed(listed);
    if (found.length > 0) return found;
  }
  const named = referenceFromMessage(message, origins);
  return named === null ? [] : [named];
}

/**
 * The transcript that the list node sends: `msg.transcript_id`, and its payload the provider's list entry of that
 * transcript.
 *
 * @returns empty when the message is not one of these
 */
export function transcriptsFromMessage(
  { transcript_id, provider, payload }: RecordingRequest,
  origins: RecordingOrigins
): RecordingReference[] {
  const id = asText(transcript_id);
  const listed = id === null ? null : asFields(payload);
  if (listed === null) return [];
  const { transcripts } = originOf({ provider }, origins);
  return transcripts !== undefined && transcripts.idOf(listed) === id ? transcripts.fromListed(listed) : [];
}

/**
 * The recording that a message names without an event: `msg.recording_id` (with `msg.provider`,
 * default the usual one) or `msg.url`. With both, the address is used and the id names the recording.
 *
 * @returns null when the message names none
 */
export function referenceFromMessage(
  message: RecordingRequest,
  origins: RecordingOrigins
): RecordingReference | null {
  const id = asText(message.recording_id);
  const url = asText(message.url);
  if (id === null && url === null) return null;

  const origin = originOf(message, origins);
  const provider = origin.name;
  const format = url === null ? null : formatOfUrl(url);
  return {
    kind: namedKind(format, origin),
    identity: id === null ? identityOfUrl(provider, url ?? '') : identityOfId(provider, id),
    details: {
      ...unknownDetails({ provider, event_type: null, event_id: null, announced_at: null }),
      recording_id: id,
      format
    },
    links: url === null ? [] : [mediaLink(url, format)],
    media_index: null,
    announced_at: null,
    storage_key: null
  };
}

function originOf({ provider }: RecordingRequest, origins: RecordingOrigins): RecordingOrigin {
  return origins.find(provider) ?? origins.usual;
}

function namedKind(format: string | null, { usualKind }: RecordingOrigin): MediaKind {
  if (format === 'pdf') return 'fax';
  return format === 'mp4' || format === 'webm' ? 'video' : usualKind;
}

/** `record_type` of a payload that describes a file of the archive, to have it fetched again. */
export const STORED_RECORD_TYPE = 'stored_recording';

/**
 * The recording of a stored file, as the list node describes a damaged one: `identity` and what the
 * sidecar holds. The fresh copy takes the place of the damaged one in the index, because the identity is the
 * same.
 *
 * @param payload of a message
 * @param origins the known providers
 * @returns null when it does not describe a stored file
 */
export function fromStored(payload: unknown, origins: RecordingOrigins): RecordingReference | null {
  const fields = asFields(payload);
  if (fields === null || fields['record_type'] !== STORED_RECORD_TYPE) return null;
  const origin = origins.find(fields['provider']);
  // As it was stored: reading it as new text would change it again.
  const { identity } = fields;
  if (origin === undefined || typeof identity !== 'string' || !identity.startsWith(`${origin.name}:`))
    return null;
  const details = storedDetails(fields, origin.name);
  const { recording_id, track } = details;
  // A track has its object key in its identity, after the recording's id.
  const trackKey =
    track === null || recording_id === null ? null : partOfIdentity(identity, origin.name, recording_id);
  const resource = origin.resourceOf?.(details.event_type);
  const stored = { identity, details, announced_at: asText(fields['stored_at']) };
  const ofMeeting = resource === undefined ? null : fromStoredMeeting(stored, resource);
  if (ofMeeting !== null) return ofMeeting;
  return {
    kind: trackKey === null ? storedKind(details.format, resource, origin) : 'track',
    ...stored,
    links: [],
    media_index: null,
    storage_key: trackKey,
    ...(resource !== undefined && { resource }),
    ...origin.restored?.(identity)
  };
}

/** The details that are not text. The compiler reports those that are missing here. */
const OTHER_TYPES: {
  readonly [
    Name in keyof RecordingDetails as string extends NonNullable<RecordingDetails[Name]> ? never : Name
  ]: NonNullable<RecordingDetails[Name]> extends number ? 'number' : never;
} = { duration_seconds: 'number', max_participants: 'number' };

/** Reads the details of a recording back from JSON. */
export function storedDetails(fields: Fields, provider: RecordingDetails['provider']): RecordingDetails {
  const unknown = { provider, event_type: null, event_id: null, announced_at: null };
  const details: Record<string, unknown> = { ...unknownDetails(unknown) };
  const types = new Map<string, string>(Object.entries(OTHER_TYPES));
  for (const name of Object.keys(details)) {
    const value = fields[name];
    if (name !== 'provider' && typeof value === (types.get(name) ?? 'string')) details[name] = value;
  }
  return details as unknown as RecordingDetails;
}

function storedKind(
  format: string | null,
  resource: ApiResource | undefined,
  { usualKind }: RecordingOrigin
): MediaKind {
  if (resource === 'fax') return 'fax';
  if (resource === 'message') return 'attachment';
  return format === 'mp4' || format === 'webm' ? 'video' : usualKind;
}
