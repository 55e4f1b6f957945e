import { PROVIDERS } from '../../events/provider';
import { unknownDetails } from './announcement';
import { partOfIdentity } from '../identity';
import { asFields, asText, type Fields } from '../../values/fields';
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
 * @returns null when it does not describe a stored file
 */
export function fromStored(payload: unknown): RecordingReference | null {
  const fields = asFields(payload);
  if (fields === null || fields['record_type'] !== STORED_RECORD_TYPE) return null;
  const provider = PROVIDERS.find((known) => known === fields['provider']);
  // As it was stored: to read it as new text would change it once more.
  const { identity } = fields;
  if (provider === undefined || typeof identity !== 'string' || !identity.startsWith(`${provider}:`))
    return null;
  const details = storedDetails(fields, provider);
  const { recording_id, track } = details;
  // A track has its object key in its identity, behind the recording's id.
  const trackKey =
    track === null || recording_id === null ? null : partOfIdentity(identity, provider, recording_id);
  const resource = resourceOf(details);
  return {
    kind: trackKey === null ? kindOf(details, resource) : 'track',
    identity,
    details,
    links: [],
    media_index: null,
    announced_at: asText(fields['stored_at']),
    storage_key: trackKey,
    ...(provider === 'telnyx' && { resource })
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

function resourceOf({ event_type }: RecordingDetails): ApiResource {
  const type = event_type ?? '';
  if (type.startsWith('fax.')) return 'fax';
  if (type.startsWith('video.room.composition')) return 'room-composition';
  if (type.startsWith('video.room.')) return 'room-recording';
  if (type.startsWith('message.')) return 'message';
  return type.startsWith('texml.') ? 'texml-recording' : 'recording';
}

function kindOf({ provider, format }: RecordingDetails, resource: ApiResource): MediaKind {
  if (resource === 'fax') return 'fax';
  if (resource === 'message') return 'attachment';
  return provider === 'daily' || format === 'mp4' || format === 'webm' ? 'video' : 'audio';
}
