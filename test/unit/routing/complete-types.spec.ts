import should from 'should';
import { completeTypes, LIKELY_TYPES } from '../../../src/routing/complete-types';
import { doubtfulPatterns, editsBetween } from '../../../src/routing/doubtful-patterns';
import { ruleChoices } from '../../../src/routing/event-catalogue';
import { processorMsSince } from '../../support/processor-time';

const { types } = ruleChoices();
const first = (typed: string): string | undefined => completeTypes(typed, types)[0]?.choices[0]?.type;

describe('the completions of event types', () => {
  it('offer everything for nothing, the likely first, grouped by family and provider', () => {
    const groups = completeTypes('', types);
    should(groups.flatMap(({ choices }) => choices)).have.length(types.length);
    should(groups[0]?.choices[0]?.type).equal('call.recording.saved');
    for (const { family, providers, choices } of groups)
      for (const choice of choices) should(choice).containEql({ family, providers });
    const keys = groups.map(({ family, providers }) => `${family} ${providers.join()}`);
    should(new Set(keys).size).equal(keys.length);
    should(keys).containEql('recording telnyx').and.containEql('recording daily');
  });

  for (const [typed, expected] of [
    ['rec', 'call.recording.saved'],
    ['REC', 'call.recording.saved'],
    ['ready', 'recording.ready-to-download'],
    ['call.h', 'call.hangup'],
    ['fax.rec', 'fax.received'],
    ['message', 'message.received'],
    ['recording_s', 'recording_saved'],
    ['call.hold', 'call.hold']
  ] as const)
    it(`begin with ${expected} for "${typed}"`, () => should(first(typed)).equal(expected));

  it('are none for what nothing contains', () => should(completeTypes('no such thing', types)).eql([]));

  it('count as likely only what the catalogue has', () => {
    should(LIKELY_TYPES.filter((likely) => !types.some(({ type }) => type === likely))).eql([]);
  });
});

describe('a pattern that fits no known event type', () => {
  for (const [list, expected] of [
    ['call.recording.saved, conference.*', []],
    ['call.recordng.saved', [{ pattern: 'call.recordng.saved', nearest: 'call.recording.saved' }]],
    ['call.recording.svaed', [{ pattern: 'call.recording.svaed', nearest: 'call.recording.saved' }]],
    ['Call.Hangup', [{ pattern: 'Call.Hangup', nearest: 'call.hangup' }]],
    ['call.siprec.started', []],
    ['calls.*', [{ pattern: 'calls.*', nearest: null }]],
    ['*', []],
    ['something.else.entirely', [{ pattern: 'something.else.entirely', nearest: null }]],
    ['x', [{ pattern: 'x', nearest: null }]]
  ] as const)
    it(`is found in "${list}"`, () => should(doubtfulPatterns(list, types)).eql(expected));

  it('is found without a pause in long lists', () => {
    const begun = process.cpuUsage();
    const list = Array.from({ length: 100_000 }, (_, at) => `a${at}.${'b'.repeat(40)}`).join(' ');
    should(doubtfulPatterns(list, types)).have.length(3);
    should(doubtfulPatterns('a'.repeat(1_000_000), types)).have.length(1);
    should(processorMsSince(begun)).be.below(2000);
  });

  it('is compared by changed, missing, additional and swapped characters', () => {
    for (const [one, other, edits] of [
      ['', '', 0],
      ['abc', 'abc', 0],
      ['abc', 'abd', 1],
      ['abc', 'ab', 1],
      ['abc', 'acb', 1],
      ['kitten', 'sitting', 3],
      ['abc', 'xyz', 3]
    ] as const)
      should(editsBetween(one, other, 9)).equal(edits);
    should(editsBetween('abcdef', 'uvwxyz', 2)).equal(2);
  });
});
