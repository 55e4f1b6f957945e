import should from 'should';
import type { WebhookErrorCode } from '../../../../src/errors/codes';
import { DeliveryTally } from '../../../../src/webhook/endpoint/webhook-endpoint';

function tallied(...what: (WebhookErrorCode | 'ok' | 'recovered')[]): DeliveryTally {
  const tally = new DeliveryTally();
  for (const each of what) {
    if (each === 'ok' || each === 'recovered') tally.received(each === 'recovered');
    else tally.refused(each);
  }
  return tally;
}

const times = <T>(count: number, what: T): T[] => Array<T>(count).fill(what);

describe('the tally of deliveries', () => {
  it('sees no trouble before anything came, nor while all is accepted', () => {
    should(tallied().trouble).be.null();
    should(tallied('ok', 'ok').trouble).be.null();
    should(tallied('ok', 'ok').counts).deepEqual({ received: 2, refused: 0 });
  });

  it('sees trouble at the first refusal while nothing was accepted', () => {
    should(tallied('METHOD_NOT_ALLOWED').trouble).deepEqual({ refused: 1, code: 'METHOD_NOT_ALLOWED' });
    should(tallied(...times(12, 'SIGNATURE_MISMATCH' as const)).trouble).deepEqual({
      refused: 12,
      code: 'SIGNATURE_MISMATCH'
    });
  });

  it('names the latest reason, but never a stranger’s instead of the provider’s', () => {
    should(tallied('SIGNATURE_MISMATCH', 'TIMESTAMP_OUT_OF_RANGE').trouble?.code).equal(
      'TIMESTAMP_OUT_OF_RANGE'
    );
    should(tallied('MISSING_SIGNATURE', 'METHOD_NOT_ALLOWED').trouble?.code).equal('METHOD_NOT_ALLOWED');
    should(tallied('SIGNATURE_MISMATCH', 'METHOD_NOT_ALLOWED', 'MISSING_SIGNATURE').trouble).deepEqual({
      refused: 3,
      code: 'SIGNATURE_MISMATCH'
    });
    should(tallied('METHOD_NOT_ALLOWED', 'SIGNATURE_MISMATCH').trouble?.code).equal('SIGNATURE_MISMATCH');
  });

  it('sees no trouble once a delivery is accepted, and keeps the counts', () => {
    const tally = tallied('SIGNATURE_MISMATCH', 'SIGNATURE_MISMATCH', 'ok');
    should(tally.trouble).be.null();
    should(tally.counts).deepEqual({ received: 1, refused: 2 });
  });

  it('still sees trouble when a delivery is handed over again after a crash', () => {
    const tally = tallied('recovered', 'SIGNATURE_MISMATCH', 'recovered');
    should(tally.trouble).deepEqual({ refused: 1, code: 'SIGNATURE_MISMATCH' });
    should(tally.counts).deepEqual({ received: 2, refused: 1 });
  });

  it('sees trouble again after ten signed refusals in a row: the key was replaced', () => {
    const nine = times(9, 'SIGNATURE_MISMATCH' as const);
    should(tallied('ok', ...nine).trouble).be.null();
    should(tallied('ok', ...nine, 'ok', ...nine).trouble).be.null();
    should(tallied('ok', ...nine, 'SIGNATURE_MISMATCH').trouble).deepEqual({
      refused: 10,
      code: 'SIGNATURE_MISMATCH'
    });
  });

  it('sees no trouble in strangers once a delivery is accepted, however many there are', () => {
    const strangers = times(1000, 'MISSING_SIGNATURE' as const);
    should(tallied('ok', ...strangers).trouble).be.null();
  });
});
