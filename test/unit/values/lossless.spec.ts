import fc from 'fast-check';
import should from 'should';
import { partialCopyId } from '../../../src/archive/download/partial-copies';
import { identityOfId, identityOfUrl } from '../../../src/recording/recording-reference';
import { asProse, asText, isChangedText, losslessText } from '../../../src/values/fields';

/** Units of which texts that differ little are made, halves of characters among them. */
const unit = fc.constantFrom('a', '\ud800', '\udfff', '\ufffd', '\u{10fffd}', '🎥', '\0', '%', '#');

describe('values/fields: lossless text', () => {
  it('survives UTF-8, and keeps different texts different', () => {
    const text = fc.string({ unit, maxLength: 8 });
    fc.assert(
      fc.property(text, text, (one, two) => {
        const [first, second] = [losslessText(one), losslessText(two)];
        should(Buffer.from(first, 'utf8').toString('utf8')).equal(first);
        should(first === second).equal(one === two);
      }),
      { numRuns: 3000 }
    );
  });

  it('leaves texts alone that are whole', () => {
    for (const text of ['', 'rec-1', 'v3:aBc+12', '🎥 Raum', '\ufffd']) {
      should(losslessText(text)).equal(text);
      should(isChangedText(text)).be.false();
    }
    should(isChangedText('a\ud800')).be.true();
    should(isChangedText(losslessText('a\ud800'))).be.true();
  });

  it('tells recordings apart by ids of any length that differ in half a character only', () => {
    for (const length of [1, 99, 101, 200]) {
      const ids = ['\ud800', '\ud801', '\ufffd'].map((end) => asText('x'.repeat(length) + end) ?? '');
      const identities = ids.map((id) => identityOfId('telnyx', id));
      for (const made of [identities, identities.map((identity) => partialCopyId('node', identity, 'mp3'))])
        should(new Set(made.map((text) => Buffer.from(text).toString('hex'))).size).equal(3);
    }
    should(identityOfUrl('telnyx', 'no address \ud800')).not.equal(
      identityOfUrl('telnyx', 'no address \ud801')
    );
  });

  it('puts nothing odd into what people read', () => {
    should(asProse(' cut in an emoji \ud83c')).equal('cut in an emoji \ufffd');
  });
});
