import { type Fields, asCount, asProse, asText, firstText } from '../../values/fields';
import { readTime } from '../../values/time';
import {
  type RecordingReference,
  formatOfUrl,
  identityOfId,
  identityOfUrl,
  mediaLink
} from '../recording-reference';
import { type Announcement, unknownDetails } from './announcement';

const CHANNELS = new Map([
  ['1', 'single'],
  ['2', 'dual']
]);

/**
 * TeXML callbacks: recording status, ended calls, Dial and Record actions, recording transcription
 * (Telnyx pages "TeXML recording status callback", "call completed", …). `RecordingUrl` is missing
 * with `sendRecordingUrl=false`; then only the API knows the address.
 */
export function fromTexml(announcement: Announcement): RecordingReference[] {
  const { payload } = announcement;
  const url = asText(payload['RecordingUrl']);
  const sid = asText(payload['RecordingSid']) ?? (url === null ? null : idInApiLink(url));
  const status = asText(payload['RecordingStatus'])?.toLowerCase() ?? null;
  if (status === 'in-progress' || status === 'absent') return [];
  if (url === null && (sid === null || (status !== null && status !== 'completed'))) return [];

  const format = url === null ? null : formatOfUrl(url);
  const account = asText(payload['AccountSid']);
  return [
    {
      kind: 'audio',
      identity:
        sid === null
          ? identityOfUrl(announcement.provider, url ?? '')
          : identityOfId(announcement.provider, sid),
      details: {
        ...unknownDetails(announcement),
        recording_id: sid,
        format,
        channels: channelsOf(payload),
        started_at: readTime(payload['RecordingStartTime']),
        duration_seconds: asCount(payload['RecordingDuration']),
        call_control_id: firstText(payload, 'CallControlId', 'CallSid'),
        call_leg_id: asText(payload['CallLegId']),
        call_session_id: asText(payload['CallSessionId']),
        conference_id: asText(payload['ConferenceSid']),
        connection_id: asText(payload['ConnectionId']),
        from: asText(payload['From']),
        to: asText(payload['To']),
        initiated_by: asText(payload['RecordingSource']),
        transcription: asProse(payload['TranscriptionText'])
      },
      links: url === null ? [] : [mediaLink(url, format)],
      media_index: null,
      announced_at: announcement.announced_at,
      storage_key: null,
      resource: 'texml-recording',
      ...(account === null ? {} : { account_sid: account })
    }
  ];
}

function channelsOf(payload: Fields): string | null {
  const channels = asText(payload['RecordingChannels']);
  return channels === null ? null : (CHANNELS.get(channels) ?? channels);
}

/** `https://api.telnyx.com/v2/recordings/<id>.wav`, the form that names its recording. */
function idInApiLink(url: string): string | null {
  return (
    /^https:\/\/api\.telnyx\.com\/v2\/recordings\/([0-9A-Za-z_-]+)(?:\.[A-Za-z0-9]+)?(?:\?|$)/.exec(
      url
    )?.[1] ?? null
  );
}
