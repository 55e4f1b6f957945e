import 'should';
import type { Provider } from '../../../src/events/provider';
import { compileRules } from '../../../src/routing/compile-rules';
import { EVENT_CATALOGUE, ruleChoices } from '../../../src/routing/event-catalogue';
import { describeEvent } from '../../../src/routing/routed-event';
import { readRules } from '../../../src/routing/rules';
import { processorMsSince } from '../../support/processor-time';

function match(patterns: string[], type: string, provider: Provider = 'telnyx'): number[] {
  const read = readRules(
    patterns.map((v) => ({ t: 'event', v })),
    (family) => EVENT_CATALOGUE.isFamily(family)
  );
  if (!read.ok) throw new Error(read.message);
  const event = describeEvent(type, undefined, provider, EVENT_CATALOGUE);
  return compileRules(read.rules, true, EVENT_CATALOGUE)(event, () => false);
}

describe('rules over the catalogue of event types', () => {
  it('treat every documented alias as its event, in both directions', () => {
    for (const [one, other] of [
      ['call.siprec.started', 'siprec.started'],
      ['call.streaming.failed', 'streaming.failed'],
      ['call.left.queue', 'call.dequeued'],
      ['recording_saved', 'call.recording.saved'],
      ['dtmf', 'call.dtmf.received'],
      ['dynamic_variables', 'assistant.initialization']
    ] as const) {
      match([one], other).should.deepEqual([0], `${one} = ${other}`);
      match([other], one).should.deepEqual([0], `${other} = ${one}`);
    }
  });

  it('leave events to the rule that uses their own names', () => {
    match(['call.*', 'siprec.*'], 'siprec.started').should.deepEqual([1]);
    match(['call.siprec.*', 'call.streaming.*'], 'siprec.stopped').should.deepEqual([0]);
    match(['call.siprec.*', 'call.streaming.*'], 'streaming.started').should.deepEqual([1]);
  });

  it('do not treat names of one sender as aliases of another', () => {
    match(['call.streaming.started'], 'streaming.started', 'daily').should.deepEqual([]);
    match(['streaming.started'], 'streaming.started', 'daily').should.deepEqual([0]);
  });

  it('accept every selectable family, and that of types without a family', () => {
    for (const { family } of ruleChoices().families) EVENT_CATALOGUE.isFamily(family).should.be.true();
    EVENT_CATALOGUE.isFamily('unknown').should.be.true();
    EVENT_CATALOGUE.isFamily('no-such-family').should.be.false();
  });

  it('compile quickly, even a thousand patterns', () => {
    const patterns = Array.from({ length: 1000 }, (_, at) => `*.kind${at}.*`);
    const started = process.cpuUsage();
    match(patterns, 'call.kind7.saved').should.deepEqual([7]);
    processorMsSince(started).should.be.below(1000);
  });
});
