import should from 'should';
import { fromJson } from './parsed';

const ENVELOPE = {
  data: { event_type: 'call.hold', id: 'e-1', occurred_at: '2026-03-04T09:15:02Z', payload: { a: 1 } }
};

/** A body that several detection steps match; the first one decides. */
const ORDER: readonly (readonly [string, object, string, string])[] = [
  ['data.event_type before a meeting', { ...ENVELOPE, event: 'x', version: '1' }, 'call.hold', 'envelope'],
  [
    'data.event_type before root event_type',
    { ...ENVELOPE, event_type: 'other', id: 'r' },
    'call.hold',
    'envelope'
  ],
  [
    'a meeting before root event_type',
    { event: 'x', version: '1', event_type: 'other', data: {} },
    'meeting.x',
    'meeting'
  ],
  [
    'root event_type before a link click',
    { event_type: 'other', data: { record_type: 'link_clicked' } },
    'other',
    'flat-typed'
  ],
  [
    'a link click before a delivery record',
    { data: { record_type: 'link_clicked' }, metadata: { event: { event_type: 'x' } } },
    'message.link_click',
    'link-clicked'
  ],
  [
    'a delivery record before a campaign',
    { metadata: { event: { event_type: 'x' } }, campaignId: 'c', type: 't' },
    'x',
    'debug-record'
  ],
  [
    'a campaign before a v1 message',
    { campaignId: 'c', type: 't', sms_id: 's' },
    '10dlc.campaign.update',
    'flat-camel'
  ],
  ['a v1 message before a fragment', { sms_id: 's', recording_urls: {} }, 'legacy.message', 'legacy-v1-flat'],
  [
    'a fragment before TeXML',
    { recording_urls: {}, CallSid: 'c', AccountSid: 'a' },
    'call.recording.saved',
    'payload-fragment'
  ],
  ['a meeting needs a version', { event: 'x', data: {} }, 'unknown', 'unstructured'],
  [
    'dispatch before event-record',
    { event_type: 't', urls: [], format: 'v2', payload_status: 's', payload: {} },
    't',
    'dispatch'
  ],
  [
    'event-record before v1',
    { event_type: 't', payload_status: 's', created_at: 'x', payload: {} },
    't',
    'event-record'
  ],
  [
    'notification methods alone make an event-record',
    { event_type: 't', available_notification_methods: [], id: 'i', payload: {} },
    't',
    'event-record'
  ],
  ['no payload before v1', { event_type: 't', webhook_id: 'w' }, 't', 'flat-typed'],
  ['v1 before bare', { event_type: 't', webhook_id: 'w', id: 'i', payload: {} }, 't', 'legacy-v1'],
  ['created_at alone makes v1', { event_type: 't', created_at: 'x', payload: {} }, 't', 'legacy-v1'],
  ['id makes bare', { event_type: 't', id: 'i', payload: {} }, 't', 'bare'],
  ['nothing makes bare-minimal', { event_type: 't', payload: {} }, 't', 'bare-minimal']
];

/** Fields of the wrong type: never an error, never trusted. */
const HOSTILE: readonly (readonly [string, unknown, string, string])[] = [
  ['an event type that is a number', { data: { event_type: 7 } }, 'unknown', 'unstructured'],
  ['an empty event type', { data: { event_type: '' }, event_type: '' }, 'unknown', 'unstructured'],
  ['an event type that is an object', { event_type: { toString: 'x' } }, 'unknown', 'unstructured'],
  ['data that is an array', { data: [{ event_type: 'x' }] }, 'unknown', 'unstructured'],
  ['data that is text', { data: 'event_type' }, 'unknown', 'unstructured'],
  ['meta that is text', { ...ENVELOPE, meta: 'x' }, 'call.hold', 'envelope'],
  ['meta that is null', { ...ENVELOPE, meta: null }, 'call.hold', 'envelope'],
  ['an array', [ENVELOPE], 'unknown', 'unstructured'],
  ['null', null, 'unknown', 'unstructured'],
  ['a number', 17, 'unknown', 'unstructured'],
  ['text', 'call.hold', 'unknown', 'unstructured'],
  ['an empty object', {}, 'unknown', 'unstructured'],
  ['recording_urls that is text', { recording_urls: 'x' }, 'unknown', 'unstructured']
];

describe('events: detection of the shape of a JSON body', () => {
  for (const [what, body, type, shape] of ORDER) {
    it(`order of detection: ${what}`, () => {
      should(fromJson(body)).have.properties({ event_type: type, shape });
    });
  }

  for (const [what, body, type, shape] of HOSTILE) {
    it(`takes ${what}`, () => {
      const event = fromJson(body);
      should(event).have.properties({ event_type: type, shape, attempt: null, delivered_to: null });
      should(event.body).deepEqual(body);
    });
  }
});
