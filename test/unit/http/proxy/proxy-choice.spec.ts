import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import { environmentProxies, HostList } from '../../../../src/http/proxy/proxy-choice';
import { readProxy } from '../../../../src/http/proxy/proxy-server';

const SOURCE = { place: 'the test', login: 'Put them into the test', exceptions: 'the test' };

describe('http/proxy/proxy-choice', () => {
  describe('the environment', () => {
    const hostFor = (environment: Record<string, string>, url: string): string | null =>
      environmentProxies(environment)?.serverFor(new URL(url))?.host ?? null;

    it('names no proxy when nothing is set', () => {
      should(environmentProxies({})).be.null();
      should(environmentProxies({ HTTPS_PROXY: '', http_proxy: ' ', NO_PROXY: '*' })).be.null();
    });

    const cases: [string, Record<string, string>, string, string | null][] = [
      ['https by HTTPS_PROXY', { HTTPS_PROXY: 'http://a.example:1' }, 'https://b.example/', 'a.example:1'],
      ['https not by HTTP_PROXY', { HTTP_PROXY: 'http://a.example:1' }, 'https://b.example/', null],
      ['http by HTTP_PROXY', { HTTP_PROXY: 'http://a.example:1' }, 'http://b.example/', 'a.example:1'],
      ['http not by HTTPS_PROXY', { HTTPS_PROXY: 'http://a.example:1' }, 'http://b.example/', null],
      [
        'lower case first',
        { HTTPS_PROXY: 'http://upper.example', https_proxy: 'http://lower.example' },
        'https://b.example/',
        'lower.example:80'
      ],
      ['an address without a scheme', { https_proxy: 'a.example:1' }, 'https://b.example/', 'a.example:1'],
      ['an https proxy', { https_proxy: 'https://a.example' }, 'https://b.example/', 'a.example:443'],
      ['both by ALL_PROXY', { all_proxy: 'http://a.example:1' }, 'http://b.example/', 'a.example:1'],
      ['not by a SOCKS proxy of others', { ALL_PROXY: 'socks5://a.example:1' }, 'https://b.example/', null],
      ['not this machine', { HTTPS_PROXY: 'http://a.example:1' }, 'https://localhost:9000/', null],
      ['not this machine by address', { HTTP_PROXY: 'http://a.example:1' }, 'http://127.0.0.1:9000/', null],
      ['not this machine by IPv6', { HTTP_PROXY: 'http://a.example:1' }, 'http://[::1]/', null],
      [
        'not an exception',
        { HTTPS_PROXY: 'http://a.example:1', no_proxy: 'c.example, b.example' },
        'https://x.b.example/',
        null
      ]
    ];
    for (const [what, environment, url, expected] of cases)
      it(what, () => should(hostFor(environment, url)).equal(expected));

    it('refuses what is no HTTP proxy, and does not show it', () => {
      for (const value of [
        'socks5://user:secret@a.example',
        'http://user:se#cret@a.example',
        'http://user:12#secret@a.example',
        'http://user:12/secret@a.example',
        'http://user:12?secret@a.example',
        'http://'
      ]) {
        const refusal = (() => {
          try {
            environmentProxies({ HTTPS_PROXY: value });
          } catch (error) {
            return error as CodedError;
          }
          throw new Error(`${value} was accepted`);
        })();
        should(refusal).be.instanceof(CodedError).and.have.property('code', 'BAD_SETTING');
        should(refusal.message)
          .containEql('HTTPS_PROXY')
          .and.not.match(/secret|se#|user:|a\.example/);
      }
    });
  });

  describe('exceptions', () => {
    const cases: [string, string, boolean][] = [
      ['*', 'https://any.example/', true],
      ['', 'https://any.example/', false],
      ['b.example', 'https://b.example/', true],
      ['b.example', 'https://x.B.Example./', true],
      ['b.example', 'https://ab.example/', false],
      ['.b.example', 'https://x.b.example/', true],
      ['*.b.example', 'https://x.y.b.example/', true],
      ['b.example:8443', 'https://b.example:8443/', true],
      ['b.example:8443', 'https://b.example/', false],
      ['b.example:443', 'https://b.example/', true],
      ['b.example:80', 'http://b.example/', true],
      ['10.1.2.3', 'http://10.1.2.3/', true],
      ['10.1.2.3', 'http://110.1.2.3/', false],
      ['10.1.2.3:9000', 'http://10.1.2.3:9000/', true],
      ['10.1.2.3:9000', 'http://10.1.2.3/', false],
      ['10.0.0.0/8', 'http://10.200.0.1/', true],
      ['10.0.0.0/8', 'http://11.0.0.1/', false],
      ['10.0.0.0/99', 'http://10.0.0.1/', false],
      ['fd00::/8', 'http://[fd12::1]/', true],
      ['::1', 'http://[0:0:0:0:0:0:0:1]/', true],
      ['[fd12::1]', 'http://[fd12::1]/', true],
      ['[fd12::1]:9000', 'http://[fd12::1]:9000/', true],
      ['[fd12::1]:9000', 'http://[fd12::1]/', false],
      ['a.example,, \t b.example', 'https://b.example/', true]
    ];
    for (const [list, url, expected] of cases)
      it(`${list || 'none'} ${expected ? 'include' : 'do not include'} ${url}`, () => {
        should(new HostList(list).has(new URL(url))).equal(expected);
      });
  });

  describe('the login', () => {
    const login = (address: string, username?: string, password?: string): string | undefined => {
      const given = {
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password })
      };
      const header = readProxy({ address, source: SOURCE, ...given }).authorization();
      return header === undefined ? undefined : Buffer.from(header.slice(6), 'base64').toString();
    };

    it('is that of the fields, else that of the address, decoded', () => {
      should(login('http://a.example')).be.undefined();
      should(login('http://us%40er:p%3A%23@a.example')).equal('us@er:p:#');
      should(login('http://user:100%@a.example')).equal('user:100%');
      should(login('http://other:x@a.example', 'ünï', 'pä:ß')).equal('ünï:pä:ß');
    });

    it('is not shown when the proxy is printed', () => {
      const server = readProxy({ address: 'http://user:secret@a.example', source: SOURCE });
      should(JSON.stringify(server)).not.match(/secret|user|dXNlcj/);
    });
  });
});
