import should from 'should';
import { hasExpired, linkExpiry } from '../../../../src/transfer/address/link-expiry';

describe('transfer/link-expiry', () => {
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

  it('says nothing about links that say nothing', () => {
    for (const query of [
      '',
      '?Expires=1769860800', // without a signature it may mean anything
      '?X-Amz-Date=20260131T120000Z',
      '?X-Amz-Expires=600',
      '?X-Amz-Date=yesterday&X-Amz-Expires=600',
      '?X-Amz-Date=20261331T120000Z&X-Amz-Expires=600',
      '?X-Amz-Date=20260131T120000Z&X-Amz-Expires=-1',
      '?sig=x&se=soon'
    ])
      should(at(query)).equal(null, query);
  });

  it('calls a link dead only when no clock that is a little off could save it', () => {
    const url = new URL('https://media.example.com/a.mp3?X-Amz-Date=20260131T120000Z&X-Amz-Expires=600');
    const end = noon + 600_000;
    should(hasExpired(url, end + 300_000)).be.false();
    should(hasExpired(url, end + 300_001)).be.true();
    should(hasExpired(new URL('https://media.example.com/a.mp3'), end + 1e12)).be.false();
  });
});
