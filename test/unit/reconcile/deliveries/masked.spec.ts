import should from 'should';
import { masked, maskedText } from '../../../../src/reconcile/deliveries/search/masked';

const KEY = ['KEY', '0123456789ABCDEF', '_made-up'].join('');

describe('masked', () => {
  const shown = (value: unknown): unknown => JSON.parse(JSON.stringify(masked(value).value));

  it('leaves an ordinary event as it is', () => {
    const event = {
      data: {
        event_type: 'call.answered',
        id: 'e-1',
        payload: { from: '+15550100199', digits: 7, list: [null, true] }
      }
    };
    should(shown(event)).deepEqual(event);
    should(masked(event).isCut).be.false();
  });

  it('takes from links what signs them, wherever they are', () => {
    const links = [
      'https://media.example.com/a.wav?X-Amz-Signature=geheim&X-Amz-Expires=600',
      'https://user:geheim@media.example.com/a.wav#geheim',
      '{"url":"https://media.example.com/a.wav?sig=geheim"}',
      '{"url":"https:\\/\\/media.example.com\\/a.wav?X-Amz-Signature=geheim"}',
      'https%3A%2F%2Fmedia.example.com%2Fa.wav%3FX-Amz-Signature%3Dgeheim',
      'see https://media.example.com/a.wav?token=geheim, please',
      'media.example.com/a.wav?access_token=geheim'
    ];
    for (const link of links) {
      should(maskedText(link)).not.match(/geheim/);
      should(JSON.stringify(shown({ a: { recording_urls: { wav: link } }, [link]: 1 }))).not.match(/geheim/);
    }
    should(maskedText(links[0]!)).equal('https://media.example.com/a.wav?…');
    should(maskedText('https://media.example.com/a.wav')).equal('https://media.example.com/a.wav');
  });

  it('hides fields that are named like a secret, and keys in texts', () => {
    const secrets = {
      client_token: 'geheim',
      'Api-Key': 'geheim',
      password: 12345,
      credentials: { user: 'geheim' },
      webhook_secret: 'geheim',
      custom_headers: [{ name: 'X-Authorization', value: 'geheim' }],
      note: `use ${KEY} or Bearer geheim`
    };
    const text = JSON.stringify(shown(secrets));
    should(text).not.match(/geheim|12345|KEY0123/);
    should(text).match(/"client_token":"\(hidden\)"/);
    should(shown({ token: null, custom_headers: [{ name: 'X-Plain', value: 'seen' }] })).deepEqual({
      token: null,
      custom_headers: [{ name: 'X-Plain', value: 'seen' }]
    });
  });

  it('changes no prototype, and survives whatever a body can hold', () => {
    const hostile = JSON.parse('{"__proto__":{"polluted":1},"constructor":"x"}') as unknown;
    should(JSON.stringify(masked(hostile).value)).equal('{"__proto__":{"polluted":1},"constructor":"x"}');
    should(({} as Record<string, unknown>)['polluted']).be.undefined();
    let deep: unknown = 'https://example.com/?geheim';
    for (let level = 0; level < 5000; level += 1) deep = [deep];
    should(masked(deep).isCut).be.true();
    should(masked(undefined).value).be.undefined();
  });

  it('cuts what is too long', () => {
    const long = masked({ a: 'x'.repeat(1_000_000), b: Array(1_000_000).fill(0) });
    should(long.isCut).be.true();
    should(JSON.stringify(long.value).length).be.below(1_000_000);
  });
});
