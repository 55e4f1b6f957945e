import { unknownDetails } from './announcement';
import { partOfIdentity } from '../identity';
import { asFields, asText, type Fields } from '../../values/fields';
import type { RecordingOrigin, RecordingOrigins } from '../origin';
import type { RecordingDetails } from '../recording-details';
import type { ApiResource, MediaKind, RecordingReference } from '../recording-reference';

/** `record_type` of a payload that describes a file of the archive, to have it fetched again. */
export const STORED_RECORD_TYPE = 'stored_recording';

/**
 * The recording of a stored file, as the list node describes a damaged one: `identity` and what the
 * sidecar holds. The fresh copy takes the place of the damaged one in the index, because the identity is the
 * same.
 *
 * @param payload of a message
 * @param origins the providers that there are
 * @returns null when it does not describe a stored file
 */
export function fromStored(payload: unknown, origins: RecordingOrigins): RecordingReference | null {
  const fields = asFields(payload);
  if (fields === null || fields['record_type'] !== STORED_RECORD_TYPE) return null;
  const origin = origins.find(fields['provider']);
  // As it was stored: to read it as new text would change it once more.
  const { identity } = fields;
  if (origin === undefined || typeof identity !== 'string' || !identity.startsWith(`${origin.name}:`))
    return null;
  const details = storedDetails(fields, origin.name);
  const { recording_id, track } = details;
  // A track has its object key in its identity, behind the recording's id.
  const trackKey =
    track === null || recording_id === null ? null : partOfIdentity(identity, origin.name, recording_id);
  const resource = origin.resourceOf?.(details.event_type);
  return {
    kind: trackKey === null ? kindOf(details.format, resource, origin) : 'track',
    identity,
    details,
    links: [],
    media_index: null,
    announced_at: asText(fields['stored_at']),
    storage_key: trackKey,
    ...(resource !== undefined && { resource })
  };
}

/** Reads the details of a recording back from JSON. */
export function storedDetails(fields: Fields, provider: RecordingDetails['provider']): RecordingDetails {
  const unknown = { provider, event_type: null, event_id: null, announced_at: null };
  const details: Record<string, unknown> = { ...unknownDetails(unknown) };
  for (const name of Object.keys(details)) {
    const value = fields[name];
    const isNumber = name === 'duration_seconds' || name === 'max_participants';
    if (name !== 'provider' && typeof value === (isNumber ? 'number' : 'string')) details[name] = value;
  }
  return details as unknown as RecordingDetails;
}

function kindOf(
  format: string | null,
  resource: ApiResource | undefined,
  { usualKind }: RecordingOrigin
): MediaKind {
  if (resource === 'fax') return 'fax';
  if (resource === 'message') return 'attachment';
  return format === 'mp4' || format === 'webm' ? 'video' : usualKind;
}
