import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import { checkAddress } from '../../../../src/transfer/address/address-guard';
import type { NetworkPolicy } from '../../../../src/transfer/transfer-types';

describe('transfer/address-guard', () => {
  function codeFor(address: string, policy: NetworkPolicy = 'public-https'): string {
    try {
      checkAddress(address, policy);
      return 'allowed';
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      should(error.retryable).be.false();
      should(error.message).not.match(/secret/);
      return error.code;
    }
  }

  for (const address of [
    'http://media.example.com/secret',
    'https://user:secret@media.example.com/',
    'https://user@media.example.com/',
    'https://127.0.0.1/secret',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.0.0.1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://127.0.0.1./',
    'https://①②⑦.0.0.1/',
    'https://127%2e0.0.1/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:8.8.8.8]/',
    'https://[64:ff9b::8.8.8.8]/',
    'https://[fe80::1]/',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://a.localhost/',
    'ftp://media.example.com/',
    'file:///secret',
    'gopher://media.example.com/',
    'not an address'
  ])
    it(`refuses ${address}`, () => {
      should(codeFor(address)).equal('UNSAFE_URL');
    });

  it('says which links are no downloads at all', () => {
    should(codeFor('s3://bucket/secret')).equal('UNSUPPORTED_URL');
    should(codeFor('gs://bucket/secret', 'any')).equal('UNSUPPORTED_URL');
    should(codeFor('https://store.blob.core.windows.net/c/secret')).equal('UNSUPPORTED_URL');
  });

  it('allows public hosts on every https port', () => {
    should(codeFor('https://media.example.com/a.mp3?X=1')).equal('allowed');
    should(codeFor('https://media.example.com:8443/a.mp3')).equal('allowed');
    should(codeFor('https://8.8.8.8/a.mp3')).equal('allowed');
  });

  it('allows http, private hosts and passwords when any network is allowed', () => {
    should(codeFor('http://127.0.0.1:1880/', 'any')).equal('allowed');
    should(codeFor('https://[::1]/', 'any')).equal('allowed');
    should(codeFor('file:///secret', 'any')).equal('UNSAFE_URL');
    const checked = checkAddress('http://us%40er:pass%3Aword@192.168.1.2/a', 'any');
    should(checked.authorization).equal(`Basic ${Buffer.from('us@er:pass:word').toString('base64')}`);
    should(checked.target).equal('/a');
  });
});
