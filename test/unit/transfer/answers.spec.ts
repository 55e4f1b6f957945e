import should from 'should';
import { retryAfterMs } from '../../../src/http/retry-after';
import { parseS3Error } from '../../../src/transfer/refused-response';
import { strongEtag } from '../../../src/transfer/source-request';

describe('transfer/s3-error', () => {
  const xml = (inner: string): Buffer =>
    Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner}<RequestId>R1</RequestId></Error>`);

  it('distinguishes an expired link from a forbidden one', () => {
    should(
      parseS3Error(xml('<Code>AccessDenied</Code><Message>Request has expired</Message><Expires>x</Expires>'))
    ).eql({ code: 'AccessDenied', expired: true });
    should(parseS3Error(xml('<Code>AccessDenied</Code><Message>Access Denied</Message>'))).eql({
      code: 'AccessDenied',
      expired: false
    });
    should(parseS3Error(xml('<Code>ExpiredToken</Code><Message>m</Message>'))?.expired).be.true();
    should(parseS3Error(xml('<Code>NoSuchKey</Code>'))).eql({ code: 'NoSuchKey', expired: false });
  });

  it('reads nothing else', () => {
    for (const body of ['', '<html><Code>x</Code>', '{"errors":[]}', '<Error><Code><b>x</b></Code></Error>'])
      should(parseS3Error(Buffer.from(body))).equal(null);
    should(parseS3Error(Buffer.concat([Buffer.alloc(9000, 32), xml('<Code>NoSuchKey</Code>')]))).equal(null);
  });
});

describe('http/retry-after', () => {
  const now = Date.UTC(2026, 0, 31, 12, 0, 0);
  it('reads every spelling of "later"', () => {
    should(retryAfterMs({ 'retry-after': '7' }, now)).equal(7000);
    should(retryAfterMs({ 'retry-after': 'Sat, 31 Jan 2026 12:00:30 GMT' }, now)).equal(30_000);
    should(retryAfterMs({ 'retry-after': 'Sat, 31 Jan 2026 11:00:00 GMT' }, now)).equal(0);
    // By the clock of the server when it reports its time: the local one may be wrong.
    const date = 'Sat, 31 Jan 2026 15:00:00 GMT';
    should(retryAfterMs({ 'retry-after': 'Sat, 31 Jan 2026 15:00:30 GMT', date }, now)).equal(30_000);
    should(retryAfterMs({ 'retry-after-ms': '250', 'retry-after': '7' }, now)).equal(250);
    should(retryAfterMs({ 'x-ratelimit-reset': '12' }, now)).equal(12_000);
    should(retryAfterMs({ 'x-ratelimit-reset': '0.5' }, now)).equal(500);
  });
  it('ignores nonsense and waits of days', () => {
    should(retryAfterMs({}, now)).equal(undefined);
    should(retryAfterMs({ 'retry-after': 'soon' }, now)).equal(undefined);
    should(retryAfterMs({ 'retry-after': '-5' }, now)).equal(undefined);
    should(retryAfterMs({ 'retry-after': '999999999' }, now)).equal(3_600_000);
  });
});

describe('transfer/resume: ETags', () => {
  it('resumes only with ETags that vouch for every byte', () => {
    should(strongEtag('"abc-2"')).equal('"abc-2"');
    for (const weak of [undefined, '', 'W/"abc"', 'abc', '"a"b"', '"a\r\n"'])
      should(strongEtag(weak)).equal(null);
  });
});
