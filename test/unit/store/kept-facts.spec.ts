import should from 'should';
import { readLock, readRetention } from '../../../src/store/kept-facts';

const RETENTION = {
  policy: { name: 'calls', version: '0123456789abcdef' },
  retain_until: '2026-04-04T10:00:00.000Z',
  delete_after: '2026-06-03T10:00:00.000Z'
};
const LOCK = {
  mode: 'governance',
  until: '2026-04-04T10:00:00.000Z',
  hold: false,
  version_id: 'v1',
  confirmed_at: '2026-03-05T10:11:00.000Z'
};

describe('what a sidecar says of keeping', () => {
  it('is read back as it was written', () => {
    should(readRetention(JSON.parse(JSON.stringify(RETENTION)))).eql(RETENTION);
    should(readRetention({ ...RETENTION, retain_until: null })).eql({ ...RETENTION, retain_until: null });
    should(readRetention({ ...RETENTION, delete_after: null })).eql({ ...RETENTION, delete_after: null });
    should(readRetention({ ...RETENTION, policy: null })).eql({ ...RETENTION, policy: null });
    should(readLock(JSON.parse(JSON.stringify(LOCK)))).eql(LOCK);
  });

  for (const wrong of [
    null,
    'calls',
    [],
    { ...RETENTION, policy: 'calls' },
    { ...RETENTION, policy: undefined },
    { ...RETENTION, policy: { name: 'calls' } },
    { ...RETENTION, policy: { name: 'x'.repeat(201), version: '1' } },
    { ...RETENTION, delete_after: undefined },
    { ...RETENTION, delete_after: 'tomorrow' },
    { ...RETENTION, delete_after: 1_780_000_000 },
    { ...RETENTION, delete_after: '2026-04-03T10:00:00.000Z' }
  ])
    it(`is nothing when it is no retention: ${JSON.stringify([wrong]).slice(0, 80)}`, () => {
      should(readRetention(wrong)).equal(null);
    });

  for (const wrong of [
    undefined,
    { ...LOCK, mode: 'GOVERNANCE' },
    { ...LOCK, until: null },
    { ...LOCK, hold: 'ON' },
    { ...LOCK, version_id: '' },
    { ...LOCK, confirmed_at: 'then' }
  ])
    it(`is nothing when it is no lock: ${JSON.stringify([wrong]).slice(0, 60)}`, () => {
      should(readLock(wrong)).equal(null);
    });
});
