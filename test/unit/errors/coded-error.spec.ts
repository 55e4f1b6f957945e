import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import {
  DOWNLOAD_ERROR_CODES,
  LIST_ERROR_CODES,
  SETTINGS_ERROR_CODES,
  STATE_ERROR_CODES,
  WEBHOOK_ERROR_CODES
} from '../../../src/errors/codes';
import { rootCause } from '../../../src/errors/root-cause';

describe('CodedError', () => {
  it('is an error with a code, which the log shows first', () => {
    const error = new CodedError('PATH_IN_USE', 'The path is taken.');
    error.should.be.an.Error();
    should(error).have.properties({ code: 'PATH_IN_USE', message: 'The path is taken.', retryable: false });
    String(error).should.equal('PATH_IN_USE: The path is taken.');
    should(error.retryAfterMs).be.undefined();
    Object.keys(error).should.containEql('code');
    ('cause' in error).should.be.false();
  });

  it('keeps the cause and the time of the next attempt', () => {
    const cause = new Error('underneath');
    const error = new CodedError('RATE_LIMITED', 'Wait.', { cause, retryable: true, retryAfterMs: 1500 });
    should(error).have.properties({ cause, retryable: true, retryAfterMs: 1500 });
  });
});

describe('the codes', () => {
  it('are all different, so that a Catch node can tell them apart', () => {
    const all = [
      ...WEBHOOK_ERROR_CODES,
      ...DOWNLOAD_ERROR_CODES,
      ...LIST_ERROR_CODES,
      ...SETTINGS_ERROR_CODES,
      ...STATE_ERROR_CODES
    ];
    new Set(all).size.should.equal(all.length);
    for (const code of all) code.should.match(/^[A-Z]+(_[A-Z]+)*$/);
  });
});

describe('rootCause', () => {
  it('finds the underlying reason', () => {
    const reset = new Error('read ECONNRESET');
    const fetchFailed = new TypeError('fetch failed', { cause: reset });
    rootCause(fetchFailed).should.equal('read ECONNRESET');
    rootCause(new CodedError('STORE_FAILED', 'outer', { cause: fetchFailed })).should.equal(
      'read ECONNRESET'
    );
    rootCause(new AggregateError([new Error('first'), new Error('second')], 'all')).should.equal('first');
  });

  it('describes any thrown value', () => {
    rootCause('text').should.equal('text');
    rootCause(undefined).should.equal('undefined');
    rootCause(new RangeError('')).should.equal('RangeError');
    rootCause(new Error('outer', { cause: 'text below' })).should.equal('text below');
    rootCause(new AggregateError([], 'none')).should.equal('none');
  });

  it('stops when causes form a cycle', () => {
    const one = new Error('one');
    const two = new Error('two', { cause: one });
    one.cause = two;
    rootCause(one).should.be.oneOf('one', 'two');
  });
});
