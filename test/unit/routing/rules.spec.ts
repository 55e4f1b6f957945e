import 'should';
import { readRules, splitPatterns } from '../../../src/routing/rules';

const isFamily = (family: string): boolean => family === 'recording';

describe('switch rules', () => {
  it('splits pattern lists at commas, spaces and line breaks', () => {
    splitPatterns(' call.hangup,conference.*\n\tfax.*  ,, a ').should.deepEqual([
      'call.hangup',
      'conference.*',
      'fax.*',
      'a'
    ]);
    splitPatterns(' ,\n').should.deepEqual([]);
  });

  it('reads every kind of rule', () => {
    readRules(
      [
        { t: 'event', v: 'call.hangup, fax.*' },
        { t: 'family', v: 'recording' },
        { t: 'recording' },
        { t: 'unknown', v: 'a leftover of another kind' },
        { t: 'else' }
      ],
      isFamily
    ).should.deepEqual({
      ok: true,
      rules: [
        { t: 'event', patterns: ['call.hangup', 'fax.*'] },
        { t: 'family', family: 'recording' },
        { t: 'recording' },
        { t: 'unknown' },
        { t: 'else' }
      ]
    });
  });

  const refused: [why: string, rules: unknown, rule: number, text: RegExp][] = [
    ['no rules', [], 0, /at least one rule/],
    ['rules that are not a list', { t: 'else' }, 0, /at least one rule/],
    ['missing rules', undefined, 0, /at least one rule/],
    [
      'a pattern list without a pattern',
      [{ t: 'else' }, { t: 'event', v: ' , ' }],
      2,
      /^Rule 2 .*no event type/
    ],
    ['a missing pattern', [{ t: 'event' }], 1, /^Rule 1 .*no event type/],
    ['a missing family', [{ t: 'family', v: '' }], 1, /^Rule 1 .*no family/],
    [
      'a family that does not exist',
      [{ t: 'family', v: 'recordings' }],
      1,
      /"recordings", which does not exist/
    ],
    ['a kind that does not exist', [{ t: 'eq', v: '1' }], 1, /of the kind "eq"/],
    ['a rule without a kind', [{}], 1, /of the kind "undefined"/],
    ['a rule that is null', [null], 1, /^Rule 1/],
    ['a rule that is a string', ['else'], 1, /^Rule 1/]
  ];
  for (const [why, rules, rule, text] of refused) {
    it(`rejects ${why} and names the rule`, () => {
      const result = readRules(rules, isFamily);
      if (result.ok) throw new Error('should have been rejected');
      result.code.should.equal('BAD_SETTING');
      result.rule.should.equal(rule);
      result.message.should.match(text);
    });
  }
});
