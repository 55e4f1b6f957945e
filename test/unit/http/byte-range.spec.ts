import should from 'should';
import { readRange } from '../../../src/http/byte-range';

describe('byte-range', () => {
  const cases: [header: string | undefined, range: ReturnType<typeof readRange>][] = [
    [undefined, { kind: 'whole' }],
    ['bytes=0-', { kind: 'part', start: 0, end: 100 }],
    [' bytes=0-0 ', { kind: 'part', start: 0, end: 1 }],
    ['bytes=10-19', { kind: 'part', start: 10, end: 20 }],
    ['bytes=90-1000', { kind: 'part', start: 90, end: 100 }],
    ['bytes=-10', { kind: 'part', start: 90, end: 100 }],
    ['bytes=-1000', { kind: 'part', start: 0, end: 100 }],
    ['bytes=100-', { kind: 'unsatisfiable' }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    [`bytes=${'9'.repeat(400)}-`, { kind: 'unsatisfiable' }],
    [`bytes=5-${'9'.repeat(400)}`, { kind: 'part', start: 5, end: 100 }],
    ['bytes=20-10', { kind: 'whole' }],
    ['bytes=-', { kind: 'whole' }],
    ['bytes=', { kind: 'whole' }],
    ['bytes=a-b', { kind: 'whole' }],
    ['bytes=0x1-2', { kind: 'whole' }],
    ['bytes=-1-2', { kind: 'whole' }],
    ['bytes=0-1,5-6', { kind: 'whole' }],
    [`bytes=${'0-,'.repeat(5000)}0-`, { kind: 'whole' }],
    ['lines=0-1', { kind: 'whole' }]
  ];
  for (const [header, range] of cases)
    it(`reads ${header?.slice(0, 30) ?? 'no header'}`, () => {
      should(readRange(header, 100)).eql(range);
    });

  it('has no part of an empty file', () => {
    should(readRange('bytes=0-', 0)).eql({ kind: 'unsatisfiable' });
    should(readRange(undefined, 0)).eql({ kind: 'whole' });
  });
});
