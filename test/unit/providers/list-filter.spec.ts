import should from 'should';
import { dailyTranscriptFilters } from '../../../src/providers/daily/list-filters';
import { readFilter } from '../../../src/providers/list-filter';
import { telnyxFilters, telnyxTranscriptFilters } from '../../../src/providers/telnyx/list-filters';

describe('the filters of lists', () => {
  it('of recordings are passed on by any name', () => {
    should(readFilter({ connection_id: 'c-1', new_one: { gte: 3 } }, telnyxFilters)).eql({
      'filter[connection_id]': 'c-1',
      'filter[new_one][gte]': '3'
    });
  });

  it('of transcripts are only those that the list knows, because it would ignore others and list everything', () => {
    should(readFilter('{"recording_id":"rec-1"}', telnyxTranscriptFilters)).eql({
      'filter[recording_id]': 'rec-1'
    });
    should(readFilter({ roomId: 'r', mtgSessionId: 'm' }, dailyTranscriptFilters)).eql({
      roomId: 'r',
      mtgSessionId: 'm'
    });
    should(() => readFilter({ connection_id: 'c-1' }, telnyxTranscriptFilters)).throw(
      /connection_id.*recording_id/
    );
    should(() => readFilter({ created_at: '2026' }, telnyxTranscriptFilters)).throw(/From/);
    should(() => readFilter({ room_name: 'r' }, dailyTranscriptFilters)).throw(/roomId and mtgSessionId/);
  });
});
