import should from 'should';
import { fromQuery } from './parsed';

describe('events: GET deliveries of Telnyx', () => {
  for (const name of ['event_type', 'data%5Bevent_type%5D', 'data.event_type', 'data_event_type']) {
    it(`finds the type in ${name}, before the TeXML rules`, () => {
      const event = fromQuery(`CallSid=c&AccountSid=a&${name}=call.hold`);
      should(event).have.properties({
        event_type: 'call.hold',
        shape: 'texml-query',
        family: 'call-control'
      });
    });
  }

  it('finds the fields beside the type', () => {
    const state = encodeURIComponent(Buffer.from('ticket').toString('base64'));
    for (const [open, close] of [
      ['%5B', '%5D'],
      ['.', '']
    ] as const) {
      const name = (field: string) => `data${open}${field}${close}`;
      const query = [
        `${name('event_type')}=call.hold`,
        `${name('id')}=e-1`,
        `${name('record_type')}=event`,
        `${name('occurred_at')}=2026-03-04T09:15:02Z`,
        `data${open}payload${close}${open}client_state${close}=${state}`
      ].join('&');
      should(fromQuery(query)).have.properties({
        own_id: 'e-1',
        record_type: 'event',
        occurred_at: '2026-03-04T09:15:02.000Z',
        client_state: 'ticket'
      });
    }
  });

  it('applies the TeXML rules otherwise', () => {
    should(fromQuery('CallSid=c&AccountSid=a&RecordingStatus=completed')).have.properties({
      event_type: 'texml.recording.completed',
      shape: 'texml-query',
      discriminator: { field: 'RecordingStatus', value: 'completed' }
    });
  });

  it('accepts any other query string, even an empty one', () => {
    should(fromQuery('').payload).deepEqual({});
    should(fromQuery('tenant=7&%')).have.properties({
      event_type: 'unknown',
      shape: 'texml-query',
      known: false
    });
  });
});
