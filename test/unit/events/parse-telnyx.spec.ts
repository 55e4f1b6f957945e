import should from 'should';
import { parseTelnyxDelivery } from '../../../src/events/reading/parse-telnyx';
import { fromForm, fromJson, fromQuery, fromText } from './parsed';

const ENVELOPE = {
  data: { event_type: 'call.hold', id: 'e-1', occurred_at: '2026-03-04T09:15:02Z', payload: { a: 1 } }
};

describe('events: deliveries of Telnyx', () => {
  it('never takes envelope fields from the payload', () => {
    const payload = {
      id: 'p',
      attempt: 9,
      occurred_at: '2020-01-01T00:00:00Z',
      record_type: 'p',
      event_type: 'p',
      delivered_to: 'p'
    };
    const event = fromJson({
      data: { ...ENVELOPE.data, record_type: 'event', payload },
      meta: { attempt: 2 }
    });
    should(event).have.properties({
      event_type: 'call.hold',
      own_id: 'e-1',
      attempt: 2,
      delivered_to: null,
      record_type: 'event',
      occurred_at: '2026-03-04T09:15:02.000Z'
    });
    should(event.payload).deepEqual(payload);
  });

  it('keeps a payload that is null, and uses the fields beside the type when there is no payload', () => {
    should(fromJson({ data: { event_type: 'x', payload: null } }).payload).be.null();
    should(fromJson({ data: { event_type: 'x', colour: 'blue' } }).payload).deepEqual({
      event_type: 'x',
      colour: 'blue'
    });
  });

  it('looks for the identity in data.id, root id, webhook_id', () => {
    const data = { event_type: 'x', payload: {} };
    should(fromJson({ data: { ...data, id: 'd' }, id: 'r', webhook_id: 'w' }).own_id).equal('d');
    should(fromJson({ data, id: 'r', webhook_id: 'w' }).own_id).equal('r');
    should(fromJson({ data, webhook_id: 'w' }).own_id).equal('w');
    should(fromJson({ data }).own_id).be.null();
  });

  it('uses no identity that two events could share', () => {
    const ids = [17, '', {}, ['a'], true, 'x'.repeat(257)];
    for (const id of ids) should(fromJson({ data: { event_type: 'x', id, payload: {} } }).own_id).be.null();
    should(fromJson({ id: '42', question: 'a tool call' }).own_id).be.null();
    should(fromJson({ sms_id: 's', id: 's' }).own_id).be.null();
    should(fromForm({ CallSid: 'c', AccountSid: 'a', id: '42' }).own_id).be.null();
    should(fromQuery('event_type=call.hold&id=42').own_id).be.null();
  });

  it('never uses data.id of a meeting as the identity', () => {
    const meeting = { event: 'x', version: '1', data: { id: 'no' } };
    should(fromJson(meeting).own_id).be.null();
    should(fromJson({ ...meeting, id: 'yes' }).own_id).equal('yes');
  });

  it('accepts only whole numbers as an attempt and text as an address', () => {
    const told = (meta: unknown) => fromJson({ ...ENVELOPE, meta });
    should(told({ attempt: 3, delivered_to: 'https://hooks.example.com' })).have.properties({
      attempt: 3,
      delivered_to: 'https://hooks.example.com'
    });
    for (const attempt of ['3', 1.5, -1, null, 1e300, {}]) should(told({ attempt }).attempt).be.null();
    for (const delivered_to of [7, {}, '', null]) should(told({ delivered_to }).delivered_to).be.null();
  });

  it('looks for the time in the places of the shapes, in order', () => {
    const at = (second: number) => `2026-03-04T09:15:0${second}Z`;
    const iso = (second: number) => `2026-03-04T09:15:0${second}.000Z`;
    const steps = [
      {
        data: { event_type: 'x', occurred_at: at(1), payload: { occurred_at: at(3) } },
        occurred_at: at(2),
        created_at: at(4)
      },
      { data: { event_type: 'x', payload: { occurred_at: at(3) } }, occurred_at: at(2), created_at: at(4) },
      { data: { event_type: 'x', payload: { occurred_at: at(3) } }, created_at: at(4) },
      { data: { event_type: 'x', payload: {} }, created_at: at(4), event_timestamp: at(5) },
      { data: { event_type: 'x', payload: {} }, event_timestamp: at(5) }
    ];
    steps.forEach((body, index) => should(fromJson(body).occurred_at).equal(iso(index + 1)));
    should(fromJson({ data: { event_type: 'x', occurred_at: 'soon', payload: {} } }).occurred_at).be.null();
  });

  it('accepts unknown types', () => {
    const types = [
      'brand.new',
      '10dlc.x-y_z',
      'UPPER',
      'with space',
      'emoji.🎥',
      '__proto__',
      'constructor',
      '*'
    ];
    for (const type of types) {
      should(fromJson({ data: { event_type: type, payload: {} } })).have.properties({
        event_type: type,
        canonical_type: type,
        known: false
      });
    }
  });

  it('resolves v1 names and aliases, and keeps the original name', () => {
    should(fromJson({ event_type: 'dtmf', payload: {}, webhook_id: 'w' })).have.properties({
      event_type: 'dtmf',
      canonical_type: 'call.dtmf.received',
      known: true,
      family: 'legacy-v1'
    });
    should(fromJson({ data: { event_type: 'call.siprec.started', payload: {} } })).have.properties({
      event_type: 'call.siprec.started',
      canonical_type: 'siprec.started',
      known: true,
      family: 'call-siprec'
    });
  });

  it('rejects a body that is neither JSON nor a form, without quoting it', () => {
    const rawBody = Buffer.from('{"data":{"link":"https://example.com/?sig=hidden');
    const result = parseTelnyxDelivery({ rawBody, contentType: 'application/json', query: null });
    should(result).have.properties({ ok: false, code: 'UNPARSABLE_BODY' });
    should(JSON.stringify(result)).not.containEql('hidden');
  });

  it('accepts a form without known fields', () => {
    should(fromForm({ a: '1' })).have.properties({
      event_type: 'unknown',
      shape: 'texml-form',
      known: false
    });
    should(fromText('', 'application/x-www-form-urlencoded').payload).deepEqual({});
  });

  it('accepts a form that contains an event type', () => {
    should(fromForm({ event_type: 'call.hold', 'payload[a]': '1' })).have.properties({
      event_type: 'call.hold'
    });
    should(fromForm({ event_type: 'call.hold', CallSid: 'c', AccountSid: 'a' }).event_type).equal(
      'texml.voice'
    );
  });
});
