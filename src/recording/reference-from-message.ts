import { unknownDetails } from './extract/announcement';
import { identityOfId, identityOfUrl } from './identity';
import { formatOfUrl, mediaLink } from './media-link';
import { asFields, asText } from '../values/fields';
import type { RecordingOrigin, RecordingOrigins } from './origin';
import type { MediaKind, RecordingReference } from './recording-reference';

/** What a flow sets when it names a recording itself. All untrusted. */
export interface RecordingRequest {
  recording_id?: unknown;
  provider?: unknown;
  url?: unknown;
  /** As the list node sends it: what the provider's list says of the recording. */
  payload?: unknown;
}

/**
 * What a message names without an event. When its payload is what the provider's list says of the very
 * recording, that gives the details, and tells raw tracks apart.
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
    kind: kindOf(format, origin),
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

function kindOf(format: string | null, { usualKind }: RecordingOrigin): MediaKind {
  if (format === 'pdf') return 'fax';
  return format === 'mp4' || format === 'webm' ? 'video' : usualKind;
}
