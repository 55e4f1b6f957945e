import should from 'should';
import { bucketFault } from '../../../src/store/bucket/client/fault';
import { storeFault } from '../../../src/store/store-fault';
import { systemError } from './folder/store-fixture';

describe('store/faults with a code that every object knows', () => {
  for (const code of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
    it(`reports only the status for ${code}`, () => {
      const answer = Object.assign(new Error('no'), { Code: code, $metadata: { httpStatusCode: 500 } });
      const fault = bucketFault('store a.mp3', answer);
      should(fault.message).equal(`Could not store a.mp3: the store answered 500 (${code}).`);
      should(fault.retryable).be.true();
      should(storeFault('write it', systemError(code)).message).not.match(/undefined|function/);
    });
});
