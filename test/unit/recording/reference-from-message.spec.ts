import should from 'should';
import { identityOfUrl } from '../../../src/recording/identity';
import { readTime } from '../../../src/recording/read-time';
import { referenceFromMessage } from '../../../src/recording/reference-from-message';

describe('reference-from-message', () => {
  it('takes a recording id, by default of Telnyx', () => {
    const reference = referenceFromMessage({ recording_id: 'rec-1' });
    reference!.identity.should.equal('telnyx:rec-1');
    reference!.links.should.eql([]);
    referenceFromMessage({ recording_id: 'rec-1', provider: 'daily' })!.identity.should.equal('daily:rec-1');
    referenceFromMessage({ recording_id: 'rec-1', provider: 'elsewhere' })!.identity.should.equal(
      'telnyx:rec-1'
    );
  });

  it('takes an address and guesses only its format', () => {
    const reference = referenceFromMessage({ url: 'https://example.com/a/b.WAV?token=x' });
    reference!.details.format!.should.equal('wav');
    reference!.identity.should.not.containEql('token');
    referenceFromMessage({ url: 'https://example.com/a.pdf' })!.kind.should.equal('fax');
  });

  it('takes nothing else', () => {
    for (const message of [{}, { url: '' }, { url: Infinity }, { recording_id: {} }, { recording_id: ' ' }]) {
      should(referenceFromMessage(message)).be.null();
    }
  });

  it('tells two addresses apart that differ in more than their signature', () => {
    const one = identityOfUrl('telnyx', 'https://example.com/get?id=1&Expires=5');
    const again = identityOfUrl('telnyx', 'https://example.com/get?Expires=6&id=1');
    const two = identityOfUrl('telnyx', 'https://example.com/get?id=2&Expires=5');
    one.should.equal(again);
    one.should.not.equal(two);
    one.should.not.containEql('id=');
    identityOfUrl('telnyx', 'not an address').should.not.containEql('not an address');
  });
});

describe('read-time', () => {
  it('reads every spelling as the same moment', () => {
    for (const value of [
      '2026-03-04T09:15:02Z',
      '2026-03-04T09:15:02+00:00',
      '2026-03-04T10:15:02+01:00',
      '2026-03-04 09:15:02Z',
      '2026-03-04 09:15:02.000000',
      '2026-03-04T09:15:02',
      'Wed, 04 Mar 2026 09:15:02 +0000',
      1772615702,
      '1772615702',
      1772615702000
    ]) {
      should(readTime(value)).equal('2026-03-04T09:15:02.000Z', String(value));
    }
  });

  it('reads nothing into what is no time', () => {
    for (const value of [null, undefined, '', 'soon', {}, 0, -5, NaN, 1e300, '99999-01-01T00:00:00Z']) {
      should(readTime(value)).be.null();
    }
  });
});
