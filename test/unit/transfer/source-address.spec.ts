import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import {
  checkAddress,
  hasExpired,
  linkExpiry,
  requestTarget,
  urlKind
} from '../../../src/transfer/source-request';
import type { NetworkPolicy } from '../../../src/transfer/transfer-types';

describe('transfer/source-request: what may be contacted', () => {
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

  it('recognises links that are not downloads', () => {
    should(codeFor('s3://bucket/secret')).equal('UNSUPPORTED_URL');
    should(codeFor('gs://bucket/secret', 'any')).equal('UNSUPPORTED_URL');
    should(codeFor('https://store.blob.core.windows.net/c/secret')).equal('UNSUPPORTED_URL');
  });

  it('allows public hosts on any https port', () => {
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

describe('transfer/source-request: kinds of addresses', () => {
  const cases: [string, string][] = [
    ['https://media.example.com/a.mp3?X-Amz-Signature=1', 'https'],
    ['HTTPS://media.example.com/a.mp3', 'https'],
    ['http://media.example.com/a.mp3', 'http'],
    ['s3://bucket/key', 'unsupported'],
    ['gs://bucket/key', 'unsupported'],
    ['https://store.blob.core.windows.net/container/key', 'unsupported'],
    ['https://store.blob.core.windows.net/container/key?se=2030-01-01T00%3A00Z&sig=abc', 'https'],
    ['ftp://media.example.com/a.mp3', 'refused'],
    ['file:///etc/passwd', 'refused'],
    ['data:audio/mpeg;base64,AAAA', 'refused'],
    ['javascript:alert(1)', 'refused'],
    ['media.example.com/a.mp3', 'refused'],
    ['', 'refused'],
    [`https://${'a.'.repeat(126)}example/x`, 'refused'],
    [`https://example.com/${'x'.repeat(20_000)}`, 'refused'],
    [`https://a${'\u0316\u0301'.repeat(500_000)}/`, 'refused']
  ];
  for (const [address, kind] of cases)
    it(`takes ${address === '' ? 'nothing' : address.slice(0, 90)} as ${kind}`, () => {
      should(urlKind(address).kind).equal(kind);
    });

  it('says what to do about custom storage, without the address', () => {
    const sorted = urlKind('s3://private-bucket/secret-key');
    if (sorted.kind !== 'unsupported') throw new Error('expected unsupported');
    should(sorted.advice)
      .match(/custom storage/)
      .and.not.match(/private-bucket|secret-key/);
  });

  describe('the request target', () => {
    const target = (address: string): string => requestTarget(address, new URL(address));

    it('keeps every byte that a signature may cover', () => {
      should(target("https://h.example.com/a%7eb/./c'd|e?x=%2f&y='a'&z=1+2#frag")).equal(
        "/a%7eb/./c'd|e?x=%2f&y='a'&z=1+2"
      );
    });

    it('never reads a different host than the URL parser', () => {
      should(target('https://h.example.com\\@other.example.com/x')).equal('/@other.example.com/x');
      should(target('https:h.example.com/x?y=1')).equal('/x?y=1');
      should(target(' https://h.example.com/x y')).equal('/x%20y');
      should(target('https://h.example.com/\r\nX: y')).equal('/X:%20y');
    });

    it('requests the root when there is no path', () => {
      should(target('https://h.example.com')).equal('/');
      should(target('https://h.example.com?a=1')).equal('/?a=1');
    });
  });
});

describe('transfer/source-request: the end of a link', () => {
  const at = (query: string): number | null => linkExpiry(new URL(`https://media.example.com/a.mp3${query}`));
  const noon = Date.UTC(2026, 0, 31, 12, 0, 0);

  it('reads signature version 4, in any spelling and order', () => {
    should(at('?X-Amz-Date=20260131T120000Z&X-Amz-Expires=600')).equal(noon + 600_000);
    should(at('?x-amz-expires=600&a=b&x-amz-date=20260131T120000Z')).equal(noon + 600_000);
    should(at('?X-Goog-Date=20260131T120000Z&X-Goog-Expires=7200')).equal(noon + 7_200_000);
  });

  it('reads signature version 2 and Azure', () => {
    should(at(`?AWSAccessKeyId=x&Signature=y&Expires=${noon / 1000}`)).equal(noon);
    should(at('?sig=x&se=2026-01-31T12:00:00Z')).equal(noon);
  });

  it('returns nothing for links without an expiry', () => {
    for (const query of [
      '',
      '?Expires=1769860800', // without a signature this may mean anything
      '?X-Amz-Date=20260131T120000Z',
      '?X-Amz-Expires=600',
      '?X-Amz-Date=yesterday&X-Amz-Expires=600',
      '?X-Amz-Date=20261331T120000Z&X-Amz-Expires=600',
      '?X-Amz-Date=20260131T120000Z&X-Amz-Expires=-1',
      '?sig=x&se=soon'
    ])
      should(at(query)).equal(null, query);
  });

  it('treats a link as expired only when a small clock error cannot be the reason', () => {
    const url = new URL('https://media.example.com/a.mp3?X-Amz-Date=20260131T120000Z&X-Amz-Expires=600');
    const end = noon + 600_000;
    should(hasExpired(url, end + 300_000)).be.false();
    should(hasExpired(url, end + 300_001)).be.true();
    should(hasExpired(new URL('https://media.example.com/a.mp3'), end + 1e12)).be.false();
  });
});
