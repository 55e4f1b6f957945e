import should from 'should';
import { checkTimestamp } from '../../../src/verification/signed-delivery';
import { TelnyxEd25519 } from '../../../src/verification/telnyx-verifier';
import { KEY, NOW, accepted, delivery, refused, signedHeaders } from './signed-deliveries';

const check = (values: string[], receivedAt = NOW * 1000, tolerance = 300) =>
  checkTimestamp('telnyx-timestamp', values, { receivedAt, toleranceSeconds: tolerance });

describe('checkTimestamp', () => {
  it('keeps the original text', () => {
    should(check([`00${NOW}`])).deepEqual({ ok: true, text: `00${NOW}` });
  });

  const malformed = ['', 'abc', '123abc', '-5', '+5', '1e9', '1.5', '0x6ab0', ' 1790000123', '1790000123\n'];
  for (const text of [...malformed, '1790000123000', '\u0661\u0667', '1790000123, 1790000123']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const result = check([text]);
      should(result).have.properties({ ok: false, code: 'BAD_TIMESTAMP' });
    });
  }

  it('accepts 12 digits, but not 13', () => {
    should(check(['999999999999'])).have.property('code', 'TIMESTAMP_OUT_OF_RANGE');
    should(check(['9999999999999'])).have.property('code', 'BAD_TIMESTAMP');
  });

  it('rejects none and several', () => {
    should(check([])).have.property('code', 'BAD_TIMESTAMP');
    should(check([String(NOW), String(NOW)])).have.property('code', 'BAD_TIMESTAMP');
  });

  describe('tolerance', () => {
    const cases: [secondsOff: number, allowed: boolean][] = [
      [0, true],
      [-299, true],
      [-300, true],
      [-301, false],
      [299, true],
      [300, true],
      [301, false]
    ];
    for (const [off, allowed] of cases) {
      it(`${allowed ? 'allows' : 'rejects'} ${off} s at 300 s`, () => {
        check([String(NOW + off)]).ok.should.equal(allowed);
      });
    }

    it('counts milliseconds of the local clock', () => {
      check([String(NOW)], NOW * 1000 + 300_000).ok.should.be.true();
      check([String(NOW)], NOW * 1000 + 300_001).ok.should.be.false();
      check([String(NOW)], NOW * 1000 - 300_001).ok.should.be.false();
    });

    it('is the setting of the node, down to 1 s', () => {
      check([String(NOW - 1)], NOW * 1000, 1).ok.should.be.true();
      check([String(NOW - 2)], NOW * 1000, 1).ok.should.be.false();
      check([String(NOW - 86_400)], NOW * 1000, 86_400).ok.should.be.true();
    });

    it('reports how far and in which direction the clock is off', () => {
      const past = check([String(NOW - 400)]);
      const future = check([String(NOW + 400)]);
      should(past)
        .have.property('message')
        .match(/400 s in the past.*300 s are allowed/);
      should(future)
        .have.property('message')
        .match(/400 s in the future/);
    });

    it('applies to deliveries with a valid signature', async () => {
      const verifier = new TelnyxEd25519([KEY], 300);
      for (const [off, allowed] of cases) {
        const headers = signedHeaders('{}', { timestamp: String(NOW + off) });
        const verdict = await verifier.verify(delivery({ body: '{}', headers }));
        if (allowed) accepted(verdict, 'ed25519');
        else refused(verdict, 'TIMESTAMP_OUT_OF_RANGE');
      }
    });
  });
});
