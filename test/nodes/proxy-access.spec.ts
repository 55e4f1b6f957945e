import should from 'should';
import { proxyOf } from '../../nodes/config/proxy-access';
import type { NodeRedApi } from '../../nodes/lib/node-red';

const LOGIN = { username: 'archive', password: 'proxy-secret' };
const TARGET = new URL('https://api.example.com');

describe('the proxy that a node has chosen', () => {
  function chosen(type: string): ReturnType<typeof proxyOf> {
    const node = { type, url: 'http://proxy.example.com:3128', noproxy: ['192.0.2.1'], credentials: LOGIN };
    const nodes = { getNode: (id: string) => (id === 'chosen' ? node : null) };
    return proxyOf({ nodes } as unknown as NodeRedApi, 'chosen');
  }

  it('is that of a core http proxy node', () => {
    const proxy = chosen('http proxy');
    should(proxy?.serverFor(TARGET)).have.property('host', 'proxy.example.com:3128');
    should(proxy?.serverFor(TARGET)?.authorization()).match(/^Basic /);
    should(proxy?.serverFor(new URL('https://192.0.2.1'))).be.null();
  });

  it('is never a node of another type, whose login goes nowhere', () => {
    should(() => chosen('another-node')?.serverFor(TARGET)).throw({ code: 'BAD_SETTING' });
  });

  it('fails each request when it is missing, rather than go without the proxy', () => {
    const nodes = { getNode: () => null };
    const proxy = proxyOf({ nodes } as unknown as NodeRedApi, 'gone', {});
    should(() => proxy?.serverFor(TARGET)).throw({ code: 'BAD_SETTING' });
  });
});
