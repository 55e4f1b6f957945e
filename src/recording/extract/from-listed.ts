import type { Provider } from '../../events/provider';
import { fromDaily } from './from-daily';
import { fromRecordingUrls } from './from-recording-urls';
import { callIdentifiers, unknownDetails, type Announcement } from './announcement';
import { identityOfId } from '../identity';
import { readTime } from '../../values/time';
import { asCount, asParty, asText, type Fields } from '../../values/fields';
import type { RecordingReference } from '../recording-reference';

/**
 * What an item of a provider's list of recordings stands for: one recording, or all tracks of one. Lists
 * of Telnyx: `GET /v2/recordings`; of Daily: `GET /recordings`, which spells some fields otherwise than
 * the events.
 *
 * @returns one reference per file; empty when the item has no id
 */
export function fromListed(provider: Provider, item: Fields): RecordingReference[] {
  const id = asText(item['id']) ?? asText(item['recording_id']);
  if (id === null) return [];
  const announcement: Announcement = {
    provider,
    event_type: null,
    event_id: null,
    announced_at: readTime(item['created_at']),
    payload: item
  };
  return provider === 'daily' ? listedByDaily(announcement, id) : listedByTelnyx(announcement, id);
}

function listedByTelnyx(announcement: Announcement, id: string): RecordingReference[] {
  const { payload } = announcement;
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

function listedByDaily(announcement: Announcement, id: string): RecordingReference[] {
  // Whether it is finished is for the API to say when its file is fetched.
  const payload = { ...announcement.payload, recording_id: id, status: 'finished' };
  return fromDaily({ ...announcement, payload });
}
