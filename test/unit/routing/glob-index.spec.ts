import fc from 'fast-check';
import should from 'should';
import { compileGlob, GlobIndex } from '../../../src/routing/glob-index';
import { processorMsSince } from '../../support/processor-time';

/** Slow and obviously correct: tries every length for every star, and remembers failures. */
function reference(glob: string, name: string): boolean {
  const row: boolean[] = Array.from({ length: name.length + 1 }, (_, at) => at === 0);
  for (const character of glob) {
    let left = row[0] === true;
    row[0] = character === '*' && left;
    for (let at = 1; at <= name.length; at++) {
      const above = row[at] === true;
      row[at] = character === '*' ? above || row[at - 1] === true : left && name[at - 1] === character;
      left = above;
    }
  }
  return row[name.length] === true;
}

describe('glob index', () => {
  const cases: [glob: string, name: string, expected: boolean][] = [
    ['*', 'call.hangup', true],
    ['*', '', true],
    ['call.*', 'call.hangup', true],
    ['call.*', 'call.recording.saved', true],
    ['call.*', 'call.', true],
    ['call.*', 'call', false],
    ['call.*', 'Call.hangup', false],
    ['call.*', 'recall.hangup', false],
    ['*.saved', 'call.recording.saved', true],
    ['*.saved', 'call.recording.saved.later', false],
    ['call.*.saved', 'call.recording.saved', true],
    ['call.*.saved', 'call.saved', false],
    ['ab*b', 'ab', false],
    ['ab*b', 'abb', true],
    ['a*b*c', 'a-b-c', true],
    ['a*bc*c', 'abc', false],
    ['a**c', 'abc', true],
    ['*rec*', 'call.recording.error', true],
    ['call.(hangup|*)', 'call.hangup', false],
    ['10dlc.[a-z]*', '10dlc.brand.update', false],
    ['a?c*', 'abc', false],
    ['call.hangup*', 'call-hangup', false]
  ];
  for (const [glob, name, expected] of cases) {
    it(`${glob} ${expected ? 'fits' : 'does not fit'} "${name}"`, () => {
      compileGlob(glob)(name).should.equal(expected);
      const found: number[] = [];
      const index = new GlobIndex();
      index.add(glob, 7);
      index.collect(name, (rule) => found.push(rule));
      found.should.deepEqual(expected ? [7] : []);
    });
  }

  it('agrees with an exhaustive matcher on any pattern and name, alone and among others', () => {
    const alphabet = fc.constantFrom('a', 'b', '.');
    const glob = fc.array(fc.oneof(alphabet, fc.constant('*')), { maxLength: 8 }).map((all) => all.join(''));
    const name = fc.array(alphabet, { maxLength: 12 }).map((all) => all.join(''));
    fc.assert(
      fc.property(fc.array(glob, { maxLength: 6 }), name, (bare, text) => {
        const globs = bare.map((each) => (each.includes('*') ? each : `${each}*`));
        const index = new GlobIndex();
        globs.forEach((each, rule) => index.add(each, rule));
        const found = new Set<number>();
        index.collect(text, (rule) => found.add(rule));
        const expected = globs.flatMap((each, rule) => (reference(each, text) ? [rule] : []));
        [...found].sort((a, b) => a - b).should.deepEqual(expected);
        globs.forEach((each, rule) => compileGlob(each)(text).should.equal(expected.includes(rule)));
      }),
      { numRuns: 5000 }
    );
  });

  it('stays fast for a pattern and a name that are made for backtracking', () => {
    const index = new GlobIndex();
    index.add(`${'a*'.repeat(500)}b`, 0);
    index.add(`*${'a*'.repeat(500)}b*`, 1);
    const started = process.cpuUsage();
    index.collect('a'.repeat(20_000), () => should.fail(0, 1, 'nothing of it fits'));
    processorMsSince(started).should.be.below(500);
  });
});
