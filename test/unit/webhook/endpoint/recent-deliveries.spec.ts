import should from 'should';
import type { WebhookMessage } from '../../../../src/events/build-event';
import { RecentDeliveries } from '../../../../src/webhook/endpoint/webhook-endpoint';

describe('the last deliveries', () => {
  let time: number;
  let recent: RecentDeliveries;

  beforeEach(() => {
    time = 1000;
    recent = new RecentDeliveries(() => (time += 1));
  });

  const message = (event_type: string, more: object = {}): WebhookMessage =>
    ({ event: { event_type, verified: 'ed25519', duplicate: false, ...more } }) as WebhookMessage;
  const shown = (seq = 0): string[] =>
    recent
      .since(seq)
      .map(({ node, outcome, type, code, count }) => [node, outcome, type ?? code, count].join(' '));
  const mismatch = { code: 'SIGNATURE_MISMATCH', message: 'No key matches.' } as const;

  it('are told since any of them', () => {
    recent.passed('a', message('call.hold'));
    const { seq } = recent;
    recent.passed('a', message('call.hold', { duplicate: true }));
    recent.dropped('b', message('call.answered'));
    should(shown(seq)).deepEqual(['a duplicate call.hold 1', 'b duplicate call.answered 1']);
    should(shown()).have.length(3);
    should(shown(recent.seq)).be.empty();
    should(recent.totals).deepEqual({ accepted: 1, duplicates: 2, refused: 0 });
  });

  it('keep little of a type that is as long as a body', () => {
    recent.passed('a', message('x'.repeat(1_000_000)));
    recent.dropped('a', message('x'.repeat(1_000_000)));
    should(shown()).deepEqual(
      ['accepted', 'duplicate'].map((outcome) => `a ${outcome} ${'x'.repeat(200)}… 1`)
    );
  });

  it('join those that are refused for the same reason, until another one comes', () => {
    recent.refused('a', mismatch);
    const [{ id: first } = { id: 0 }] = recent.since(0);
    const { seq } = recent;
    recent.refused('a', mismatch);
    should(recent.since(seq)).have.length(1);
    should(recent.since(seq)[0]).have.properties({ id: first, count: 2, reason: 'No key matches.' });
    recent.refused('a', { code: 'BAD_TIMESTAMP', message: '' });
    recent.refused('b', mismatch);
    recent.refused('a', mismatch);
    should(shown()).deepEqual([
      'a refused SIGNATURE_MISMATCH 2',
      'a refused BAD_TIMESTAMP 1',
      'b refused SIGNATURE_MISMATCH 1',
      'a refused SIGNATURE_MISMATCH 1'
    ]);
    should(recent.totals.refused).equal(5);
  });

  it('are few, and a stranger does not push out those of the provider', () => {
    recent.passed('a', message('call.hold'));
    for (let at = 0; at < 500; at += 1) recent.refused(`node ${at % 7}`, mismatch);
    should(shown()).have.length(101);
    should(shown()[0]).equal('a accepted call.hold 1');
    for (let at = 0; at < 500; at += 1) recent.passed('a', message('call.answered'));
    should(shown()).have.length(200);
    should(recent.totals).deepEqual({ accepted: 501, duplicates: 0, refused: 500 });
  });

  it('count what is handed over again neither as new nor as the last sign of the provider', () => {
    recent.passed('a', message('call.hold', { recovered: true }));
    recent.passed('a', message('call.hold', { replayed: true }));
    should(recent.totals.accepted).equal(0);
    should(recent.lastAt('a')).be.null();
    should(recent.since(0).map(({ again }) => again)).deepEqual(['recovered', 'replayed']);
    recent.passed('a', message('call.hold'));
    const passed = recent.lastAt('a')!;
    recent.dropped('a', message('call.hold'));
    should(recent.lastAt('a')).be.above(passed);
    recent.refused('a', mismatch);
    should(recent.lastAt('a')).be.below(time - 1);
  });
});
