import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import type { AddressRule, Resolver } from '../../../../src/http/http-agents';
import { TargetGuard } from '../../../../src/http/proxy/target-guard';

const rule: AddressRule = {
  allows: (address) => address.startsWith('8.8.'),
  refusal: (host, how) => new CodedError('UNSAFE_URL', `${host}: ${how}`)
};

/** Names and their addresses; none: the name service does not know it. */
const service = (names: Record<string, string[]>): { resolve: Resolver; asked: string[] } => {
  const asked: string[] = [];
  const known = new Map(Object.entries(names));
  return {
    asked,
    resolve: (name, callback) => {
      asked.push(name);
      const found = known.get(name);
      if (found === undefined)
        callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []);
      else
        callback(
          null,
          found.map((address) => ({ address, family: 4 }))
        );
    }
  };
};

describe('http/proxy/target-guard', () => {
  const names = service({
    'public.example.com': ['8.8.1.1', '8.8.1.2'],
    'inner.example.com': ['10.0.0.1'],
    'both.example.com': ['8.8.1.1', '10.0.0.1']
  });
  const verdict = async (host: string): Promise<string> => {
    try {
      await new TargetGuard({ rule, resolve: names.resolve }).check(host);
      return 'allowed';
    } catch (error) {
      should(error).be.instanceof(CodedError);
      return (error as Error).message;
    }
  };

  for (const [host, expected] of [
    ['8.8.4.4', 'allowed'],
    ['10.0.0.1', '10.0.0.1: literal'],
    ['::1', '::1: literal'],
    ['public.example.com', 'allowed'],
    ['Public.Example.com.', 'allowed'],
    ['inner.example.com', 'inner.example.com: name'],
    ['both.example.com', 'both.example.com: name'],
    ['unknown.example.com', 'allowed'],
    ['intranet', 'intranet: private-name'],
    ['metadata.google.internal', 'metadata.google.internal: private-name'],
    ['printer.local.', 'printer.local.: private-name'],
    ['nas.home.arpa', 'nas.home.arpa: private-name'],
    ['local.example.com', 'allowed']
  ] as const)
    it(`${host}: ${expected}`, async () => should(await verdict(host)).equal(expected));

  it('does not ask for a name again and again', async () => {
    const { resolve, asked } = service({ 'public.example.com': ['8.8.1.1'] });
    const guard = new TargetGuard({ rule, resolve });
    await Promise.all(Array.from({ length: 50 }, () => guard.check('public.example.com')));
    should(asked).have.length(1);
  });

  it('leaves a name to the proxy when the name service is silent, with two waiting look-ups at most', async () => {
    const asked: string[] = [];
    const guard = new TargetGuard({ rule, resolve: (name) => void asked.push(name), lookUpMs: 50 });
    await Promise.all(Array.from({ length: 20 }, (_, index) => guard.check(`${index}.example.com`)));
    should(asked).have.length(2);
  });
});
