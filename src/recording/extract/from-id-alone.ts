import { lookUpType } from '../../events/catalogue';
import { PROVIDERS } from '../../events/provider';
import { type Fields, firstText } from '../../values/fields';
import { readTime } from '../../values/time';
import { type ApiResource, type RecordingReference, identityOfId } from '../recording-reference';
import type { Announcement } from './announcement';
import { recordingDetails } from './from-recording-urls';

/** Fields of links that are empty, and what such an event announces. */
const LINK_FIELDS = ['recording_urls', 'public_recording_urls', 'download_urls'];

/**
 * An event that announces a recording by an id, with `recording_urls` (or, of a video room, `download_url`) empty or
 * missing: only the API knows its address. The type decides, because an id alone is in many events; a type that the
 * catalogue does not know has to have the field.
 */
export function fromIdAlone(announcement: Announcement): RecordingReference[] {
  const { payload, provider } = announcement;
  const resource = resourceOf(announcement);
  if (resource === null) return [];
  const id = firstText(payload, resource === 'room-composition' ? 'composition_id' : 'recording_id');
  const described = recordingDetails(announcement, id);
  const started_at = described.started_at ?? readTime(payload['started_at']);
  const ofCall = resource === 'recording' ? callOf(payload, started_at ?? announcement.event_id) : null;
  const name = id ?? ofCall;
  if (name === null) return [];
  return [
    {
      kind: resource === 'recording' ? 'audio' : 'video',
      identity: identityOfId(provider, name),
      details: {
        ...described,
        started_at,
        ended_at: described.ended_at ?? readTime(payload['ended_at']),
        room_name: firstText(payload, 'room_name', 'room_id')
      },
      links: [],
      media_index: null,
      announced_at: announcement.announced_at,
      storage_key: null,
      resource
    }
  ];
}

function resourceOf({ provider, event_type, payload }: Announcement): ApiResource | null {
  const sender = PROVIDERS.find((name) => name === provider);
  if (sender === undefined || event_type === null) return null;
  const known = lookUpType(sender, event_type);
  if (known === undefined)
    return LINK_FIELDS.some((name) => Object.hasOwn(payload, name)) ? 'recording' : null;
  const { urls = [], ids = [] } = known.media ?? {};
  if (urls.some((field) => field.startsWith('recording_urls.'))) return 'recording';
  if (!urls.includes('download_url')) return null;
  return ids.includes('composition_id') ? 'room-composition' : 'room-recording';
}

/** Names the recording of a call by the call and its beginning; the API is asked for it by the call. */
function callOf(payload: Fields, when: string | null): string | null {
  const call = firstText(payload, 'conference_id', 'call_leg_id', 'call_control_id', 'call_session_id');
  return call === null || when === null ? null : `${call} ${when}`;
}
