import should from 'should';
import { checkProxy, proxyOf } from '../../nodes/config/proxy-access';
import { CodedError } from '../../src/errors/coded-error';

const TARGET = new URL('https://api.telnyx.com');

describe('the settings of proxies', () => {
  const nodes = new Map<string, object>();
  const RED = { nodes: { getNode: (id: string) => nodes.get(id) ?? null } } as unknown as Parameters<
    typeof proxyOf
  >[0];
  const environment = { HTTPS_PROXY: 'http://from-environment.example:3128' };

  beforeEach(() => nodes.clear());

  const refusal = (id: string, env: Record<string, string> = {}): string => {
    try {
      checkProxy(proxyOf(RED, id, env));
    } catch (error) {
      should(error).be.instanceof(CodedError).and.have.property('code', 'BAD_SETTING');
      return (error as Error).message;
    }
    return '';
  };

  it('is that of the environment in flows that know no proxy, or choose none', () => {
    for (const id of [undefined, null, '', ' ']) {
      should(proxyOf(RED, id, {})).be.null();
      should(proxyOf(RED, id, environment)?.serverFor(TARGET)?.host).equal('from-environment.example:3128');
    }
  });

  it('is an http proxy node, whatever the environment says, with its login and exceptions', () => {
    const proxy = proxyOf(RED, 'proxy', environment);
    // Node-RED may create it after the nodes that use it.
    nodes.set('proxy', {
      type: 'http proxy',
      url: 'http://proxy.example:3128',
      noproxy: ['minio.example', '10.0.0.0/8'],
      credentials: { username: 'user', password: 'secret' }
    });
    const server = proxy?.serverFor(TARGET);
    should(server?.host).equal('proxy.example:3128');
    should(server?.authorization()).equal(`Basic ${Buffer.from('user:secret').toString('base64')}`);
    should(proxy?.serverFor(new URL('https://minio.example:9000'))).be.null();
    should(proxy?.serverFor(new URL('http://10.1.2.3'))).be.null();
    should(proxy?.serverFor(TARGET)).equal(server);
    nodes.set('proxy', { type: 'http proxy', url: 'http://other.example:3128' });
    should(proxy?.serverFor(TARGET)?.host).equal('other.example:3128');
  });

  it('stops requests when it cannot work, rather than let them go without it', () => {
    should(refusal('proxy', environment)).match(/chosen as "Proxy" is missing or disabled/);
    nodes.set('proxy', { type: 'http proxy', url: '${PROXY}', noproxy: 'not a list' });
    should(refusal('proxy')).match(/not the address of a proxy/);
    nodes.set('proxy', { type: 'http proxy' });
    should(refusal('proxy')).match(/http proxy node that is chosen as "Proxy" is not the address/);
    should(refusal('', { https_proxy: 'socks5://user:secret@a.example' }))
      .match(/environment variable https_proxy is of the kind "socks5:"/)
      .and.not.match(/secret|a\.example/);
  });
});
