import should from 'should';
import { PROVIDERS } from '../../../../src/events/provider';
import { announcementsOf } from '../../../../src/recording/extract/announcement';

describe('recording/announcement', () => {
  const senderOf = (provider: unknown): string | undefined =>
    announcementsOf({ event: { provider }, payload: {} })[0]?.provider;

  for (const provider of PROVIDERS)
    it(`keeps ${provider} as the sender`, () => {
      should(senderOf(provider)).equal(provider);
    });

  it('takes the usual provider where the event names none, or an unknown one', () => {
    for (const unknown of [undefined, null, 7, 'nobody', '__proto__'])
      should(senderOf(unknown)).equal(PROVIDERS[0]);
  });
});
