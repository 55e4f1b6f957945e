import should from 'should';
import { CircuitBreaker, CircuitBreakers } from '../../../../src/providers/http/circuit-breaker';

const HOST = 'api.example.com';

describe('CircuitBreaker', () => {
  let now: number;
  let breaker: CircuitBreaker;

  beforeEach(() => {
    now = 1000;
    breaker = new CircuitBreaker({ now: () => now, random: () => 1 });
  });

  const fail = (times: number): void => {
    for (let time = 0; time < times; time += 1) breaker.begin(HOST, false).failed();
  };
  /** Milliseconds by which an optional request is postponed; null when it may be sent. */
  const putOff = (): number | null => {
    try {
      breaker.expectAnswers(HOST);
      return null;
    } catch (error) {
      should(error).have.properties({ code: 'STALLED', retryable: true });
      return (error as { retryAfterMs: number }).retryAfterMs;
    }
  };

  it('passes all requests until three in a row get no response', () => {
    fail(2);
    should(putOff()).be.null();
    breaker.begin(HOST, true).answered();
    fail(2);
    should(putOff()).be.null();
    fail(1);
    should(putOff()).equal(5000);
    should(() => breaker.begin(HOST, true)).throw({ code: 'STALLED' });
  });

  it('never holds back required requests, and any response ends the pause', () => {
    fail(10);
    breaker.begin(HOST, false).answered();
    should(putOff()).be.null();
    fail(2);
    should(putOff()).be.null();
  });

  it('sends a single request to check whether the API is back', () => {
    fail(3);
    now += 5000;
    const probe = breaker.begin(HOST, true);
    for (let count = 0; count < 50; count += 1) should(putOff()).equal(1000);
    probe.answered();
    should(putOff()).be.null();
  });

  it('waits longer each time, up to a minute', () => {
    fail(3);
    const pauses: (number | null)[] = [];
    for (let time = 0; time < 7; time += 1) {
      const pause = putOff();
      pauses.push(pause);
      now += pause ?? 0;
      breaker.begin(HOST, true).failed();
    }
    pauses.should.eql([5000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  it('is not extended by requests in flight or by required ones', () => {
    const many = Array.from({ length: 20 }, () => breaker.begin(HOST, true));
    for (const attempt of many) attempt.failed();
    should(putOff()).equal(5000);
    fail(20);
    should(putOff()).equal(5000);
  });

  it('counts an abandoned request only when it was late', () => {
    for (let time = 0; time < 5; time += 1) {
      const attempt = breaker.begin(HOST, true);
      now += 1400;
      attempt.abandoned(true);
    }
    for (let time = 0; time < 5; time += 1) {
      const attempt = breaker.begin(HOST, true);
      now += 60_000;
      attempt.abandoned(false);
    }
    should(putOff()).be.null();
    const attempts = [1, 2, 3].map(() => breaker.begin(HOST, true));
    now += 2000;
    for (const attempt of attempts) attempt.abandoned(true);
    should(putOff()).equal(5000);
  });

  it('sends another probe when the caller abandons the first one', () => {
    fail(3);
    now += 5000;
    breaker.begin(HOST, true).abandoned(false);
    should(putOff()).be.null();
    const probe = breaker.begin(HOST, true);
    now += 2000;
    probe.abandoned(true);
    should(putOff()).equal(10_000);
  });
});

describe('CircuitBreakers', () => {
  it('exist once per account, and keep no key', () => {
    const breakers = new CircuitBreakers();
    const one = breakers.of('https://api.example.com/v2', 'KEY1');
    should(breakers.of('https://api.example.com/v2', 'KEY1')).equal(one);
    should(breakers.of('https://api.example.com/v2', 'KEY2')).not.equal(one);
    should(breakers.of('https://other.example.com/v2', 'KEY1')).not.equal(one);
  });
});
