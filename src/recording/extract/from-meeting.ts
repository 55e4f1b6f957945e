import { type Fields, asCount, asFields, asText } from '../../values/fields';
import { readTime } from '../../values/time';
import {
  type ApiResource,
  type MeetingFacts,
  type RecordingReference,
  type TextContent,
  identityOfMeeting,
  mediaLink,
  partOfMeeting
} from '../recording-reference';
import { type Announcement, unknownDetails } from './announcement';

/** A session has one or two types of recordings; each that is announced is asked for. */
const MOST_TYPES = 50;

/** Names the transcript of a session, where recordings have their type. */
export const TRANSCRIPT = 'transcript';

/**
 * Meeting sessions (Telnyx "Meeting webhooks"): recording.available, transcript.completed, artifact.completed. None
 * has a link; an artifact comes with its text. A flow can ask for a session's recordings with a payload of
 * `session_id` and an empty `recording_types`.
 */
export function fromMeeting(announcement: Announcement): RecordingReference[] {
  const { payload, provider, event_type } = announcement;
  const session = asText(payload['session_id']);
  if (provider !== 'telnyx' || session === null) return [];
  if (asText(payload['artifact_id']) !== null) return fromArtifact(announcement, session);
  const types: unknown = payload['recording_types'];
  if (event_type === 'meeting.recording.available' || Array.isArray(types))
    return [
      {
        ...common(announcement, session, null),
        kind: 'video',
        resource: 'meeting-recording',
        meeting: { ...factsOf(session), types: typesOf(types) },
        isCollection: true
      }
    ];
  const last_seq = asCount(payload['last_seq']);
  const segment_count = asCount(payload['segment_count']);
  if (event_type !== 'meeting.transcript.completed' && last_seq === null && segment_count === null) return [];
  const transcript = common(announcement, session, TRANSCRIPT);
  transcript.details.track = TRANSCRIPT;
  transcript.details.ended_at = readTime(payload['ended_at']);
  return [
    {
      ...transcript,
      kind: 'text',
      resource: 'meeting-transcript',
      meeting: { ...factsOf(session), last_seq, segment_count },
      isCollection: true
    }
  ];
}

function fromArtifact(announcement: Announcement, session: string): RecordingReference[] {
  const { payload, event_type } = announcement;
  const artifact_id = asText(payload['artifact_id']);
  const content = artifactContent(payload);
  if (artifact_id === null || (content === null && event_type !== 'meeting.artifact.completed')) return [];
  const reference = common(announcement, session, artifact_id);
  reference.details.track = asText(payload['type']);
  return [
    {
      ...reference,
      kind: 'text',
      links: content === null ? [] : [textLink('txt', content)],
      resource: 'meeting-artifact',
      meeting: { ...factsOf(session), artifact_id }
    }
  ];
}

/** The text of an artifact, as its event and the API contain it; null when there is none. */
export function artifactContent(artifact: Fields): TextContent | null {
  const content: unknown = artifact['content'];
  const text: unknown = asFields(content)?.['text'] ?? content;
  if (typeof text !== 'string' || text.trim() === '') return null;
  return plainText(text.endsWith('\n') ? text : `${text}\n`);
}

/** A text that programs and people read as UTF-8. */
export function plainText(text: string): TextContent {
  return { text: text.toWellFormed(), contentType: 'text/plain; charset=utf-8' };
}

/** A link that is the file itself. */
export function textLink(format: string, content: TextContent): RecordingReference['links'][number] {
  return { ...mediaLink('', format), content };
}

/**
 * The reference of a file of a meeting that is to be fetched again.
 *
 * @returns null when it is none
 */
export function fromStoredMeeting(
  { identity, details, announced_at }: Pick<RecordingReference, 'identity' | 'details' | 'announced_at'>,
  resource: ApiResource
): RecordingReference | null {
  const { provider, recording_id: session, track } = details;
  const part = session === null ? null : partOfMeeting(identity, provider, session);
  if (session === null || part === null || !resource.startsWith('meeting-')) return null;
  return {
    kind: resource === 'meeting-recording' ? 'video' : 'text',
    identity,
    details,
    links: [],
    media_index: null,
    announced_at,
    storage_key: null,
    resource,
    meeting: {
      ...factsOf(session),
      types: resource === 'meeting-recording' && track !== null ? [track] : [],
      // An id that had to be escaped is none that the API knows.
      artifact_id: resource === 'meeting-artifact' ? part : null
    }
  };
}

function common(
  announcement: Announcement,
  session: string,
  part: string | null
): Omit<RecordingReference, 'kind'> {
  return {
    identity: identityOfMeeting(announcement.provider, session, part),
    details: { ...unknownDetails(announcement), recording_id: session },
    links: [],
    media_index: null,
    announced_at: announcement.announced_at,
    storage_key: null
  };
}

function factsOf(session_id: string): MeetingFacts {
  return { session_id, types: [], last_seq: null, segment_count: null, artifact_id: null };
}

function typesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const types = value.slice(0, MOST_TYPES).flatMap((type: unknown) => asText(type) ?? []);
  return [...new Set(types)];
}
