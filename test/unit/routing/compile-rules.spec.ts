import should from 'should';
import type { Provider } from '../../../src/events/provider';
import { compileRules } from '../../../src/routing/compile-rules';
import { describeEvent, type RoutedEvent, type RoutingCatalogue } from '../../../src/routing/routed-event';
import { readRules } from '../../../src/routing/rules';
import { processorMsSince } from '../../support/processor-time';

const TYPES: [provider: Provider, type: string, family: string, aliases: string[]][] = [
  ['telnyx', 'call.hangup', 'call', ['call_hangup']],
  ['telnyx', 'call.recording.saved', 'recording', ['recording_saved']],
  ['telnyx', 'conference.recording.saved', 'recording', []],
  ['telnyx', 'siprec.started', 'siprec', ['call.siprec.started']],
  ['telnyx', 'siprec.stopped', 'siprec', ['call.siprec.stopped']],
  ['telnyx', 'ready', 'call', ['old.ready']],
  ['daily', 'ready', 'room', []],
  ['daily', 'meeting.started', 'room', []]
];

const catalogue: RoutingCatalogue = {
  names: TYPES.flatMap(([provider, canonical, , aliases]) =>
    [canonical, ...aliases].map((name) => ({ provider, name, canonical }))
  ),
  isFamily: (family) => TYPES.some(([, , each]) => each === family),
  isKnown: (provider, type) => TYPES.some(([p, t, , a]) => p === provider && [t, ...a].includes(type)),
  resolveAlias: (provider, type) =>
    TYPES.find(([p, , , a]) => p === provider && a.includes(type))?.[1] ?? type,
  familyOf: (provider, type) =>
    TYPES.find(([p, t, , a]) => p === provider && [t, ...a].includes(type))?.[2] ?? 'unknown'
};

const never = (): boolean => {
  throw new Error('no rule needs to know whether there is a recording');
};

function event(type: string, provider: Provider = 'telnyx'): RoutedEvent | null {
  return describeEvent(type, undefined, provider, catalogue);
}

function matcher(rules: object[], checkAll = false): ReturnType<typeof compileRules> {
  const read = readRules(rules, (family) => catalogue.isFamily(family));
  if (!read.ok) throw new Error(read.message);
  return compileRules(read.rules, checkAll, catalogue);
}

function match(type: string, rules: object[], checkAll = false, provider: Provider = 'telnyx'): number[] {
  return matcher(rules, checkAll)(event(type, provider), () => false);
}

describe('compiled switch rules', () => {
  it('match plain types exactly', () => {
    match('call.hangup', [{ t: 'event', v: 'call.hangup' }]).should.deepEqual([0]);
    match('call.hangup.x', [{ t: 'event', v: 'call.hangup' }]).should.deepEqual([]);
    match('CALL.hangup', [{ t: 'event', v: 'call.hangup' }]).should.deepEqual([]);
    match('callxhangup', [{ t: 'event', v: 'call.hangup' }]).should.deepEqual([]);
  });

  it('match any pattern of a list, and count a rule once', () => {
    const rules = [{ t: 'event', v: 'fax.*, call.hangup call.hangup\ncall.*,*' }];
    match('call.hangup', rules, true).should.deepEqual([0]);
    match('nothing.else', [{ t: 'event', v: 'fax.*,call.*' }], true).should.deepEqual([]);
  });

  it('treat an alias and its event as the same, in both directions', () => {
    match('siprec.started', [{ t: 'event', v: 'call.siprec.started' }]).should.deepEqual([0]);
    match('call.siprec.started', [{ t: 'event', v: 'siprec.started' }]).should.deepEqual([0]);
    match('call.siprec.started', [{ t: 'event', v: 'call.siprec.started' }]).should.deepEqual([0]);
    match('recording_saved', [{ t: 'event', v: 'call.recording.saved' }]).should.deepEqual([0]);
    match('siprec.stopped', [{ t: 'event', v: 'call.siprec.started' }]).should.deepEqual([]);
  });

  it('compare patterns with the received name and the resolved one', () => {
    match('call.siprec.started', [{ t: 'event', v: 'siprec.*' }]).should.deepEqual([0]);
    match('call.siprec.started', [{ t: 'event', v: 'call.*' }]).should.deepEqual([0]);
    match('recording_saved', [{ t: 'event', v: 'call.recording.*' }]).should.deepEqual([0]);
  });

  it('let a pattern that matches only aliases match their events', () => {
    match('siprec.started', [{ t: 'event', v: 'call.siprec.*' }]).should.deepEqual([0]);
    match('siprec.started', [
      { t: 'event', v: 'call.*' },
      { t: 'event', v: 'siprec.*' }
    ]).should.deepEqual([1]);
  });

  it('resolve aliases only for the sender that has them', () => {
    const rules = [{ t: 'event', v: 'old.ready' }];
    match('ready', rules, false, 'telnyx').should.deepEqual([0]);
    match('ready', rules, false, 'daily').should.deepEqual([]);
    const patterns = [{ t: 'event', v: 'old.*' }];
    match('ready', patterns, false, 'telnyx').should.deepEqual([0]);
    match('ready', patterns, false, 'daily').should.deepEqual([]);
  });

  it('match families and types that the catalogue does not know', () => {
    const rules = [{ t: 'family', v: 'recording' }, { t: 'unknown' }];
    match('conference.recording.saved', rules).should.deepEqual([0]);
    match('call.hangup', rules).should.deepEqual([]);
    match('brand.new', rules).should.deepEqual([1]);
  });

  it('check for a recording only when the result matters', () => {
    const rules = [{ t: 'event', v: 'call.hangup' }, { t: 'recording' }, { t: 'event', v: 'call.*' }];
    matcher(rules)(event('call.hangup'), never).should.deepEqual([0]);
    matcher(rules)(event('call.recording.saved'), () => true).should.deepEqual([1]);
    matcher(rules)(event('call.recording.saved'), () => false).should.deepEqual([2]);
    matcher([{ t: 'event', v: '*' }], true)(event('call.hangup'), never).should.deepEqual([0]);
    matcher(rules, true)(event('call.hangup'), () => true).should.deepEqual([0, 1, 2]);
  });

  it('stop at the first match, or report all in order', () => {
    const rules = [
      { t: 'event', v: 'fax.*' },
      { t: 'event', v: 'call.*' },
      { t: 'family', v: 'call' },
      { t: 'event', v: 'call.hangup' }
    ];
    match('call.hangup', rules).should.deepEqual([1]);
    match('call.hangup', rules, true).should.deepEqual([1, 2, 3]);
  });

  it('let else match when no earlier rule does, whatever follows', () => {
    const rules = [{ t: 'event', v: 'fax.*' }, { t: 'else' }, { t: 'event', v: 'call.*' }, { t: 'else' }];
    match('call.hangup', rules).should.deepEqual([1]);
    match('call.hangup', rules, true).should.deepEqual([1, 2]);
    match('fax.sent', rules).should.deepEqual([0]);
    match('fax.sent', rules, true).should.deepEqual([0]);
    match('siprec.started', rules, true).should.deepEqual([1]);
    match('fax.sent', [{ t: 'else' }, { t: 'event', v: 'fax.*' }]).should.deepEqual([0]);
  });

  it('send messages without an event only to else', () => {
    const rules = [{ t: 'event', v: '*' }, { t: 'unknown' }, { t: 'recording' }, { t: 'else' }];
    matcher(rules)(null, never).should.deepEqual([3]);
    matcher(rules, true)(null, never).should.deepEqual([3]);
    matcher([{ t: 'event', v: '*' }])(null, never).should.deepEqual([]);
  });

  it('are not confused by types named like object members', () => {
    for (const type of ['__proto__', 'constructor', 'toString']) {
      match(type, [{ t: 'event', v: 'call.*' }, { t: 'else' }]).should.deepEqual([1]);
      match(type, [{ t: 'event', v: type }]).should.deepEqual([0]);
    }
  });

  it('agree with trying each rule alone', () => {
    const values = [
      'call.hangup',
      'call.*',
      '*.saved',
      'siprec.*',
      'call.siprec.started',
      'x,recording_saved'
    ];
    const rules = [
      ...values.map((v) => ({ t: 'event', v })),
      { t: 'family', v: 'recording' },
      { t: 'unknown' },
      { t: 'recording' }
    ];
    for (const [, type, , aliases] of [...TYPES, ['telnyx', 'new.one', '', []] as const]) {
      for (const name of [type, ...aliases]) {
        const carries = (): boolean => name.includes('saved');
        const alone = rules.flatMap((rule, at) =>
          matcher([rule])(event(name), carries).length > 0 ? [at] : []
        );
        matcher(rules, true)(event(name), carries).should.deepEqual(alone);
        matcher(rules)(event(name), carries).should.deepEqual(alone.slice(0, 1));
      }
    }
  });

  it('match 1,000 rules in microseconds', () => {
    const rules = Array.from({ length: 1000 }, (_, at) => ({
      t: 'event',
      v: at % 2 === 0 ? `call.kind${at}.saved` : `family${at}.*`
    }));
    const find = matcher([...rules, { t: 'else' }]);
    const last = event('family999.of.something');
    const none = event('conference.recording.saved');
    const rounds = 20_000;
    const started = process.cpuUsage();
    for (let round = 0; round < rounds; round++) {
      should(find(last, never)[0]).equal(999);
      should(find(none, never)[0]).equal(1000);
    }
    const each = (processorMsSince(started) * 1000) / (2 * rounds);
    each.should.be.below(100, `${each.toFixed(1)} µs for one message`);
  });
});

describe('description of an event', () => {
  it('prefers what the message says about the type', () => {
    const told = { canonical_type: 'a.b', family: 'made-up', known: true };
    should(describeEvent('x', told, 'daily', catalogue)).deepEqual({
      provider: 'daily',
      event_type: 'x',
      canonical_type: 'a.b',
      family: 'made-up',
      known: true
    });
  });

  it('takes the rest from the catalogue', () => {
    should(describeEvent('call.siprec.started', {}, undefined, catalogue)).deepEqual({
      provider: 'telnyx',
      event_type: 'call.siprec.started',
      canonical_type: 'siprec.started',
      family: 'siprec',
      known: true
    });
    should(describeEvent('brand.new', { family: 3, known: 'yes' }, 'somebody', catalogue)).deepEqual({
      provider: 'telnyx',
      event_type: 'brand.new',
      canonical_type: 'brand.new',
      family: 'unknown',
      known: false
    });
  });

  it('finds the sender by the type when the message does not name it, Telnyx first', () => {
    should(describeEvent('meeting.started', undefined, undefined, catalogue)?.provider).equal('daily');
    should(describeEvent('ready', undefined, undefined, catalogue)?.provider).equal('telnyx');
    should(describeEvent('ready', undefined, 'daily', catalogue)?.family).equal('room');
  });

  it('is null for anything that is not an event type', () => {
    for (const nothing of [undefined, null, '', 7, {}, ['call.hangup'], true]) {
      should(describeEvent(nothing, undefined, 'telnyx', catalogue)).be.null();
    }
  });
});
