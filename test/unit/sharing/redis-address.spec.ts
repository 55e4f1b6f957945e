import should from 'should';
import { readRedisAddress } from '../../../src/sharing/redis-address';

describe('readRedisAddress', () => {
  const read = (url: string, password?: string, prefix = 'telnyx'): ReturnType<typeof readRedisAddress> =>
    readRedisAddress({ url, password, prefix });

  it('reads host, port, database, user and password, and shows no secret', () => {
    should(read('redis://redis.example.com')).eql({
      host: 'redis.example.com',
      port: 6379,
      db: 0,
      tls: false,
      prefix: '{telnyx}',
      shown: 'redis://redis.example.com:6379'
    });
    const whole = read(' rediss://me:p%40ss@redis.example.com:7000/3 ');
    should(whole).containEql({ port: 7000, db: 3, tls: true, username: 'me', password: 'p@ss' });
    whole.shown.should.equal('rediss://redis.example.com:7000/3');
    should(read('redis://[2001:db8::1]:6380/').host).equal('2001:db8::1');
  });

  it('prefers the password of the credentials', () => {
    should(read('redis://:old@redis.example.com', 'new').password).equal('new');
    should(read('redis://:old@redis.example.com', '').password).equal('old');
  });

  const REFUSED: [why: string, url: string, prefix?: string][] = [
    ['URL', ''],
    ['URL', 'redis.example.com:6379'],
    ['URL', 'https://redis.example.com'],
    ['URL', 'redis://'],
    ['URL', 'redis://redis.example.com:99999'],
    ['URL', 'redis://redis.example.com/geheim'],
    ['URL', 'redis://redis.example.com/1/2'],
    ['URL', 'redis://redis.example.com?tls=geheim'],
    ['URL', 'redis://redis.example.com#geheim'],
    ['URL', 'redis://:geheim%zz@redis.example.com'],
    ['URL', `redis://${'x'.repeat(20_000)}`],
    ['"Prefix"', 'redis://redis.example.com', ''],
    ['"Prefix"', 'redis://redis.example.com', 'a:b'],
    ['"Prefix"', 'redis://redis.example.com', '{a}'],
    ['"Prefix"', 'redis://redis.example.com', '*'],
    ['"Prefix"', 'redis://redis.example.com', 'a'.repeat(65)]
  ];
  for (const [field, url, prefix] of REFUSED) {
    it(`refuses ${JSON.stringify(url.slice(0, 60))} ${JSON.stringify(prefix ?? '')} and names ${field}`, () => {
      try {
        read(url, undefined, prefix);
      } catch (error) {
        should(error).have.property('code', 'BAD_SETTING');
        should((error as Error).message)
          .containEql(field)
          .and.not.containEql('geheim');
        return;
      }
      throw new Error('accepted');
    });
  }
});
