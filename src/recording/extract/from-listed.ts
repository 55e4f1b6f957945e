import { type Fields, asCount, asParty, asText } from '../../values/fields';
import { readTime } from '../../values/time';
import { type RecordingReference, identityOfId } from '../recording-reference';
import { type Announcement, callIdentifiers, unknownDetails } from './announcement';
import { fromDaily } from './from-daily';
import { fromRecordingUrls } from './from-recording-urls';

/** @returns null when it has none */
function idOf(item: Fields): string | null {
  return asText(item['id']) ?? asText(item['recording_id']);
}

function announcementOf(provider: string, item: Fields): Announcement {
  return {
    provider,
    event_type: null,
    event_id: null,
    announced_at: readTime(item['created_at']),
    payload: item
  };
}

/** What an item of Telnyx's `GET /v2/recordings` stands for; see `RecordingOrigin.fromListed`. */
export function listedByTelnyx(payload: Fields): RecordingReference[] {
  const id = idOf(payload);
  if (id === null) return [];
  const announcement = announcementOf('telnyx', payload);
  const withLinks = fromRecordingUrls({ ...announcement, payload: { ...payload, recording_id: id } });
  if (withLinks.length > 0) return withLinks;
  const millis = asCount(payload['duration_millis']);
  return [
    {
      kind: 'audio',
      identity: identityOfId('telnyx', id),
      details: {
        ...unknownDetails(announcement),
        ...callIdentifiers(payload),
        recording_id: id,
        channels: asText(payload['channels']),
        started_at: readTime(payload['recording_started_at']),
        ended_at: readTime(payload['recording_ended_at']),
        duration_seconds: millis === null ? null : millis / 1000,
        from: asParty(payload['from']),
        to: asParty(payload['to']),
        initiated_by: asText(payload['initiated_by'])
      },
      links: [],
      media_index: null,
      announced_at: announcement.announced_at,
      storage_key: null,
      resource: 'recording'
    }
  ];
}

/**
 * What an item of Daily's `GET /recordings` stands for, which spells some fields differently from the events: one
 * recording, or all tracks of one; see `RecordingOrigin.fromListed`.
 */
export function listedByDaily(item: Fields): RecordingReference[] {
  const id = idOf(item);
  if (id === null) return [];
  // The API says whether it is finished when its file is fetched.
  const payload = { ...item, recording_id: id, status: 'finished' };
  return fromDaily({ ...announcementOf('daily', item), payload });
}
