import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import { patientAsk } from '../../../../src/providers/http/patient-request';
import { dailyProvider } from '../../../../src/providers/daily/daily-provider';
import { telnyxProvider } from '../../../../src/providers/telnyx/telnyx-provider';
import { readFilter } from '../../../../src/providers/list-filter';
import { isMoment, readRange } from '../../../../src/reconcile/read-moment';

const NOW = Date.UTC(2026, 2, 4, 12);
const bad = { code: 'BAD_SETTING' };

describe('the span of a list', () => {
  for (const [text, time] of [
    ['36h', NOW - 36 * 3_600_000],
    ['7d', NOW - 7 * 86_400_000],
    ['90 m', NOW - 90 * 60_000],
    ['1.5D', NOW - 36 * 3_600_000],
    ['2w', NOW - 14 * 86_400_000],
    ['2026-03-01', Date.UTC(2026, 2, 1)],
    ['2026-03-01T08:30:00+02:00', Date.UTC(2026, 2, 1, 6, 30)],
    [' 2026-03-01T08:30 ', Date.UTC(2026, 2, 1, 8, 30)],
    [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1)],
    [new Date(Date.UTC(2026, 0, 2)), Date.UTC(2026, 0, 2)]
  ] as const) {
    it(`reads ${String(text)}`, () => should(readRange(text, '', NOW)).eql({ from: time, to: null }));
  }

  it('is open where no limit is set', () => {
    for (const blank of [undefined, null, '', '  '])
      should(readRange(blank, blank, NOW)).eql({ from: null, to: null });
  });

  for (const text of [
    'yesterday',
    '36',
    '36x',
    '-3h',
    '2026-13-01',
    '${UNSET}',
    {},
    -1,
    NaN,
    new Date(NaN),
    true
  ]) {
    it(`rejects ${JSON.stringify(text)} (${typeof text})`, () =>
      should(() => readRange(text, '', NOW)).throw(bad));
  }

  it('is judged by the editor as by a run, also where the clock begins at 1970', () => {
    for (const text of ['36h', '7d', '52w', '2026-03-01', '']) should(isMoment(text)).be.true();
    for (const text of ['36', 'yesterday', '999999999999d']) should(isMoment(text)).be.false();
    should(readRange('36h', '', 1000)).eql({ from: 1000 - 36 * 3_600_000, to: null });
  });

  it('refuses a span that reaches back beyond every calendar', () => {
    for (const text of ['999999999999d', '9'.repeat(400) + 'w'])
      should(() => readRange(text, '', NOW)).throw(bad);
  });

  it('must not end before it starts', () => {
    should(() => readRange('1h', '2h', NOW)).throw(bad);
    should(() => readRange('2027-01-01', '', NOW)).throw(bad);
  });
});

describe('the filter of a list', () => {
  it('becomes a query in the syntax of the provider', () => {
    const filter = { connection_id: 1893004417, start_time: { gte: '2026-03-01' }, to: '+12025550111' };
    should(readFilter(filter, telnyxProvider.filters)).eql({
      'filter[connection_id]': '1893004417',
      'filter[start_time][gte]': '2026-03-01',
      'filter[to]': '+12025550111'
    });
    should(readFilter('{"room_name":"standup"}', dailyProvider.filters)).eql({ room_name: 'standup' });
    const odd = readFilter('{"__proto__":"x","constructor":"y"}', dailyProvider.filters);
    should(new URLSearchParams(odd).toString()).equal('__proto__=x&constructor=y');
  });

  it('may be missing', () => {
    for (const blank of [undefined, null, '', {}]) should(readFilter(blank, telnyxProvider.filters)).eql({});
  });

  for (const filter of [
    'connection_id',
    '[]',
    7,
    ['a'],
    { 'a&b': 'c' },
    { a: ['b'] },
    { a: null },
    { created_at: { gte: 'x' } },
    { a: { 'b]': 'c' } }
  ]) {
    it(`refuses ${JSON.stringify(filter)}`, () =>
      should(() => readFilter(filter, telnyxProvider.filters)).throw(bad));
  }

  it('cannot replace the paging parameters', () => {
    should(() => readFilter({ starting_after: 'x' }, dailyProvider.filters)).throw(bad);
  });
});

describe('asking patiently', () => {
  const request = { method: 'GET', path: ['recordings'] } as const;

  function asking(faults: CodedError[], retries?: number) {
    const waits: (string | null)[] = [];
    const stop = new AbortController();
    let asked = 0;
    const api = {
      request: () => {
        asked += 1;
        const fault = faults.shift();
        return fault === undefined ? Promise.resolve('answer') : Promise.reject(fault);
      }
    };
    const onWait = (error: CodedError | null): void => void waits.push(error?.code ?? null);
    const ask = patientAsk(api, {
      onWait,
      random: () => 0,
      signal: stop.signal,
      ...(retries !== undefined && { retries })
    });
    return { ask, stop, waits, asked: () => asked };
  }

  const passing = (code: 'RATE_LIMITED' | 'STALLED', retryAfterMs?: number): CodedError =>
    new CodedError(code, 'later', { retryable: true, ...(retryAfterMs !== undefined && { retryAfterMs }) });

  it('retries after temporary failures, no sooner than requested', async () => {
    const { ask, waits } = asking([passing('STALLED'), passing('RATE_LIMITED', 80)]);
    const begun = performance.now();
    should(await ask(request)).equal('answer');
    should(performance.now() - begun).be.aboveOrEqual(75);
    waits.should.eql(['STALLED', 'RATE_LIMITED', null]);
  });

  it('stops at permanent failures, and after the last retry', async () => {
    const refused = asking([new CodedError('API_UNAUTHORIZED', 'no')]);
    await refused.ask(request).should.be.rejectedWith({ code: 'API_UNAUTHORIZED' });
    refused.asked().should.equal(1);
    const broken = asking([passing('STALLED'), passing('STALLED'), passing('STALLED')], 2);
    await broken.ask(request).should.be.rejectedWith({ code: 'STALLED' });
    broken.asked().should.equal(3);
  });

  it('ends a pause when aborted', async () => {
    const { ask, stop } = asking([passing('RATE_LIMITED', 60_000)]);
    const asked = ask(request);
    stop.abort(new Error('stopped by the test'));
    await asked.should.be.rejectedWith('stopped by the test');
  });
});
