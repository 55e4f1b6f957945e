import should from 'should';
import { filenameValues } from '../../../src/naming/filename-template';
import { unknownDetails } from '../../../src/recording/extract/announcement';

const DETAILS = unknownDetails({
  provider: 'telnyx',
  event_type: 'call.recording.saved',
  event_id: null,
  announced_at: null
});
const FACTS = { ext: 'wav', announced_at: '2026-03-05T23:59:59.999Z', media_index: null };

describe('filename-values', () => {
  it("takes the recording's own start, in UTC", () => {
    const values = filenameValues({ ...DETAILS, started_at: '2026-03-04T09:15:02.118Z' }, FACTS);
    [values.year, values.month, values.day, values.hour, values.started_at].should.eql([
      '2026',
      '03',
      '04',
      '09',
      '20260304T091502Z'
    ]);
  });

  it('falls back to when it was announced, never to now', () => {
    should(filenameValues(DETAILS, FACTS).started_at).equal('20260305T235959Z');
    should(filenameValues(DETAILS, { ...FACTS, announced_at: null }).started_at).be.null();
  });

  it('spells the index of an attachment and leaves out what there is none of', () => {
    should(filenameValues(DETAILS, { ...FACTS, media_index: 0 }).media_index).equal('0');
    should(filenameValues(DETAILS, FACTS).media_index).be.null();
  });
});
