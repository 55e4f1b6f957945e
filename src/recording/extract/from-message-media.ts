import { type Fields, asCount, asFields, asParty, asSha256, asText } from '../../values/fields';
import { readTime } from '../../values/time';
import { type MediaLink, type RecordingReference, asFormat, identityOfId } from '../recording-reference';
import { type Announcement, unknownDetails } from './announcement';

/**
 * Files in received messages: MMS `media[]` and the RCS `body.user_file` (Telnyx page
 * message.received). Files of outbound messages are the user's own and are left out.
 */
export function fromMessageMedia(announcement: Announcement): RecordingReference[] {
  const { payload } = announcement;
  if (payload['direction'] === 'outbound') return [];
  const links = [...mmsLinks(payload), ...rcsLinks(payload)];
  const messageId = asText(payload['id']) ?? announcement.event_id;
  return links.map((link, index) => ({
    kind: 'attachment',
    identity: identityOfId(announcement.provider, messageId ?? withoutTail(link.url), String(index)),
    details: {
      ...unknownDetails(announcement),
      recording_id: messageId,
      format: link.format,
      started_at: readTime(payload['received_at']),
      from: asParty(payload['from']),
      to: asParty(payload['to'])
    },
    links: [link],
    media_index: links.length > 1 ? index : null,
    announced_at: announcement.announced_at,
    storage_key: null,
    resource: 'message'
  }));
}

function mmsLinks(payload: Fields): MediaLink[] {
  const media: unknown = payload['media'];
  if (!Array.isArray(media)) return [];
  return media.flatMap((entry: unknown) => {
    const fields = asFields(entry) ?? {};
    const url = asText(fields['url']);
    if (url === null) return [];
    return [
      {
        format: formatOfType(fields['content_type']),
        url,
        sha256: asSha256(fields['sha256']) ?? asSha256(fields['hash_sha256']),
        size: asCount(fields['size'])
      }
    ];
  });
}

function rcsLinks(payload: Fields): MediaLink[] {
  const userFile = asFields(asFields(payload['body'])?.['user_file']);
  const file = asFields(userFile?.['payload']);
  const url = asText(file?.['file_uri']);
  if (file === null || url === null) return [];
  return [
    {
      format: formatOfType(file['mime_type']),
      url,
      sha256: null,
      size: asCount(file['file_size_bytes'])
    }
  ];
}

/** An address without query and fragment. */
function withoutTail(url: string): string {
  const tail = url.search(/[?#]/);
  return tail === -1 ? url : url.slice(0, tail);
}

/** `image/jpeg` to `jpeg`; a hint only, the bytes decide. */
function formatOfType(value: unknown): string | null {
  return asFormat(asText(value)?.split(';', 1)[0]?.split('/', 2)[1]);
}
