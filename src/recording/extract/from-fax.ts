import { asParty, asText } from '../../values/fields';
import { type RecordingReference, formatOfUrl, identityOfId, mediaLink } from '../recording-reference';
import { type Announcement, callIdentifiers, unknownDetails } from './announcement';

/**
 * fax.received (Telnyx page of that name). `media_url` alone says nothing: playback events carry the
 * same field for the user's own sound file, and outbound faxes are the user's own document. A received
 * fax whose link is missing is known to the API.
 */
export function fromFax(announcement: Announcement): RecordingReference[] {
  const { payload } = announcement;
  const faxId = asText(payload['fax_id']);
  const url = asText(payload['media_url']);
  const received = url !== null || payload['status'] === 'received';
  if (faxId === null || !received || payload['direction'] === 'outbound') return [];
  const format = (url === null ? null : formatOfUrl(url)) ?? 'pdf';
  return [
    {
      kind: 'fax',
      identity: identityOfId(announcement.provider, faxId),
      details: {
        ...unknownDetails(announcement),
        ...callIdentifiers(payload),
        recording_id: faxId,
        format,
        from: asParty(payload['from']),
        to: asParty(payload['to'])
      },
      links: url === null ? [] : [mediaLink(url, format)],
      media_index: null,
      announced_at: announcement.announced_at,
      storage_key: null,
      resource: 'fax'
    }
  ];
}
