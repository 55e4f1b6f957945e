import should from 'should';
import { requestTarget, urlKind } from '../../../../src/transfer/address/url-kind';

describe('transfer/url-kind', () => {
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

  it('tells the owner of custom storage what to do, without the address', () => {
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

    it('never reads another host than the URL parser does', () => {
      should(target('https://h.example.com\\@other.example.com/x')).equal('/@other.example.com/x');
      should(target('https:h.example.com/x?y=1')).equal('/x?y=1');
      should(target(' https://h.example.com/x y')).equal('/x%20y');
      should(target('https://h.example.com/\r\nX: y')).equal('/X:%20y');
    });

    it('asks for the root when there is no path', () => {
      should(target('https://h.example.com')).equal('/');
      should(target('https://h.example.com?a=1')).equal('/?a=1');
    });
  });
});
