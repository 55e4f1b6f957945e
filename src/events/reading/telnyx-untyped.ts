import { type Fields, fieldOf, recordField, textField } from '../../values/fields';
import { firstTime } from '../../values/time';
import { type BodyReading, decodeClientState, emptyReading, firstId } from '../build-event';

/** Meetings: `event` is the type without `meeting.`, and `data` is the payload, not an envelope. */
export function readMeeting(body: Fields): BodyReading | undefined {
  const event = textField(body, 'event');
  if (event === null || fieldOf(body, 'version') === undefined) return undefined;
  const data = fieldOf(body, 'data');
  return {
    ...emptyReading(`meeting.${event}`, 'meeting', data === undefined ? body : data),
    own_id: firstId(fieldOf(body, 'id')),
    occurred_at: firstTime(fieldOf(body, 'occurred_at')),
    discriminator: { field: 'event', value: event }
  };
}

/** A click on a shortened link: recognised by its `record_type` alone. */
export function readLinkClick(body: Fields): BodyReading | undefined {
  const data = recordField(body, 'data');
  const record_type = textField(data, 'record_type');
  if (data === null || record_type !== 'link_clicked') return undefined;
  return {
    ...emptyReading('message.link_click', 'link-clicked', data),
    own_id: firstId(fieldOf(data, 'id'), fieldOf(body, 'id'), fieldOf(body, 'webhook_id')),
    record_type,
    occurred_at: firstTime(
      fieldOf(data, 'occurred_at'),
      fieldOf(data, 'time_clicked'),
      fieldOf(body, 'time_clicked')
    ),
    discriminator: { field: 'data.record_type', value: record_type }
  };
}

/** 10DLC campaign status in camelCase. Its fields identify the campaign, never the delivery. */
export function readCampaignStatus(body: Fields): BodyReading | undefined {
  const type = textField(body, 'type');
  if (type === null || fieldOf(body, 'campaignId') === undefined) return undefined;
  return {
    ...emptyReading('10dlc.campaign.update', 'flat-camel', body),
    discriminator: { field: 'type', value: type }
  };
}

/**
 * API v1 message record. `sms_id` stays the same from the sending to the last delivery report, so it
 * identifies the message, never the delivery.
 */
export function readLegacyMessage(body: Fields): BodyReading | undefined {
  const smsId = textField(body, 'sms_id');
  if (smsId === null) return undefined;
  return {
    ...emptyReading('legacy.message', 'legacy-v1-flat', body),
    record_type: textField(body, 'record_type'),
    occurred_at: firstTime(
      fieldOf(body, 'occurred_at'),
      fieldOf(body, 'created_at'),
      fieldOf(body, 'created'),
      fieldOf(body, 'date_created')
    ),
    discriminator: { field: 'sms_id', value: smsId }
  };
}

/** The payload of a recording event without its envelope, as some pages print it. */
export function readRecordingFragment(body: Fields): BodyReading | undefined {
  const urls = recordField(body, 'recording_urls');
  if (urls === null) return undefined;
  const conference = fieldOf(body, 'conference_id') !== undefined;
  return {
    ...emptyReading(
      conference ? 'conference.recording.saved' : 'call.recording.saved',
      'payload-fragment',
      body
    ),
    occurred_at: firstTime(fieldOf(body, 'occurred_at'), fieldOf(body, 'created_at')),
    client_state: decodeClientState(fieldOf(body, 'client_state')),
    // The formats, never the addresses: signed links are secrets.
    discriminator: { field: 'recording_urls', value: Object.keys(urls).join(',') }
  };
}
