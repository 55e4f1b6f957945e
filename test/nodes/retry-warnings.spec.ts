import should from 'should';
import { RetryWarnings } from '../../nodes/download/retry-warnings';
import { CodedError } from '../../src/errors/coded-error';
import type { Trouble } from '../../src/errors/trouble';

describe('RetryWarnings', () => {
  let time: number;
  let said: string[];
  let warnings: RetryWarnings;

  beforeEach(() => {
    [time, said] = [0, []];
    warnings = new RetryWarnings(
      (text) => void said.push(text),
      () => time
    );
  });

  function change(before: Trouble | null, now: Trouble | null): void {
    if (now === null) return warnings.add({ before, now });
    const error = new CodedError('STORE_FAILED', `About ${now}.`, { trouble: now });
    warnings.add({ before, now: { error, pauseMs: 1200, retry: { trouble: now, attempt: 1, of: 8 } } });
  }

  it('reports each trouble once, however many recordings are retried, and however often', () => {
    for (let order = 0; order < 1000; order += 1) change(null, 'disk-full');
    for (let order = 0; order < 1000; order += 1) change('disk-full', 'disk-full');
    change(null, 'source-busy');
    said.should.eql([
      'Not done yet, retry 1/8 in 2 s: About disk-full. While this lasts it is logged once an hour.',
      'Not done yet, retry 1/8 in 2 s: About source-busy. While this lasts it is logged once an hour.'
    ]);
  });

  it('reports it again when it returns', () => {
    change(null, 'disk-full');
    change(null, 'disk-full');
    change('disk-full', null);
    change('disk-full', 'disk-full');
    said.should.have.length(1);
    change('disk-full', 'source-busy');
    change(null, 'disk-full');
    said.should.have.length(3);
  });

  it('reports it again after an hour', () => {
    change(null, 'disk-full');
    time = 3_599_999;
    change('disk-full', 'disk-full');
    said.should.have.length(1);
    time = 3_600_000;
    change('disk-full', 'disk-full');
    said.should.have.length(2);
  });

  it('reports a trouble of an earlier process when it occurs again', () => {
    change('disk-full', 'disk-full');
    change('disk-full', 'disk-full');
    should(said).have.length(1);
    change('source-busy', null);
    change(null, 'source-busy');
    should(said).have.length(2);
  });
});
