import should from 'should';
import { isDailyProbe, isDailyProbeBody, parseDailyDelivery } from '../../../src/events/reading/parse-daily';
import { eventOf } from './parsed';

function fromDaily(body: unknown) {
  return eventOf(
    parseDailyDelivery({ rawBody: Buffer.from(JSON.stringify(body)), contentType: 'application/json' })
  );
}

describe('events: deliveries of Daily', () => {
  it('accepts an unknown type', () => {
    should(
      fromDaily({ version: '2', type: 'brand.new', id: 'i', payload: {}, event_ts: 1772615702 })
    ).have.properties({
      provider: 'daily',
      event_type: 'brand.new',
      canonical_type: 'brand.new',
      known: false,
      family: 'unknown',
      shape: 'daily-envelope',
      own_id: 'i',
      occurred_at: '2026-03-04T09:15:02.000Z'
    });
  });

  it('reads an envelope without identity and time', () => {
    should(fromDaily({ type: 'meeting.started', payload: { room: 'r' } })).have.properties({
      shape: 'daily-envelope',
      own_id: null,
      occurred_at: null,
      payload: { room: 'r' }
    });
  });

  it('uses the time of the payload when the envelope has none', () => {
    should(fromDaily({ type: 'dialin.ready', payload: { timestamp: '1772615702' } }).occurred_at).equal(
      '2026-03-04T09:15:02.000Z'
    );
  });

  const others: readonly unknown[] = [
    { type: 'meeting.started' },
    { type: 7, payload: {} },
    { type: '', payload: {} },
    { payload: {} },
    { data: { event_type: 'call.hold' } },
    [],
    null,
    'text'
  ];
  for (const body of others) {
    it(`treats ${JSON.stringify(body)} as an event of unknown type`, () => {
      should(fromDaily(body)).have.properties({
        event_type: 'unknown',
        shape: 'unstructured',
        known: false,
        payload: body
      });
    });
  }

  it('never uses the names of Telnyx', () => {
    should(fromDaily({ type: 'call_answered', payload: {} })).have.properties({
      canonical_type: 'call_answered',
      known: false
    });
  });

  it('rejects unreadable bodies', () => {
    should(parseDailyDelivery({ rawBody: Buffer.from('{"type":'), contentType: undefined })).have.properties({
      ok: false,
      code: 'UNPARSABLE_BODY'
    });
  });

  it('recognises the probe, and only the probe', () => {
    should(isDailyProbe({ test: 'test' })).be.true();
    for (const body of [{ test: 'test', a: 1 }, { test: 1 }, {}, ['test'], 'test', null]) {
      should(isDailyProbe(body)).be.false();
    }
  });

  it('recognises the probe by its bytes', () => {
    for (const text of ['{"test":"test"}', ' {\n"test" : "test" }\n'])
      should(isDailyProbeBody(Buffer.from(text))).be.true();
    const long = `{"test":"test"${' '.repeat(1000)}}`;
    for (const text of [
      '',
      '{"test":"test"',
      'test=test',
      '{"test":"test","id":"1"}',
      '[{"test":"test"}]',
      long
    ])
      should(isDailyProbeBody(Buffer.from(text))).be.false();
  });
});
