import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import { bucketTrouble, diskTrouble, TROUBLES } from '../../../src/errors/trouble';
import { bucketFault } from '../../../src/store/bucket/client/fault';
import { storeFault } from '../../../src/store/store-fault';

describe('the trouble of an error', () => {
  it('follows from its code, unless the error says more', () => {
    new CodedError('STALLED', 'x').trouble.should.equal('source-silent');
    new CodedError('GAVE_UP', 'x').trouble.should.equal('unexpected');
    new CodedError('STALLED', 'x', { trouble: 'share-gone' }).trouble.should.equal('share-gone');
  });

  it('distinguishes disks from buckets', () => {
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    storeFault('write', full).trouble.should.equal('disk-full');
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED', syscall: 'connect' });
    bucketFault('store', refused).trouble.should.equal('bucket-unreachable');
  });

  it('is always a known one, whatever a response says', () => {
    for (const word of ['constructor', '__proto__', 'toString', '', 'https://example.com/?secret']) {
      should(TROUBLES).containEql(diskTrouble(word));
      should(TROUBLES).containEql(bucketTrouble(word, 0));
    }
    bucketTrouble('', 403).should.equal('bucket-refuses');
    bucketTrouble('', 500).should.equal('bucket-busy');
    bucketTrouble('', 400).should.equal('bucket-fault');
  });
});
