import { runInNewContext } from 'node:vm';
import should from 'should';
import { keptMessage } from '../../../../src/archive/queue/message-snapshot';
import { StateFixture } from '../state-fixture';

describe('kept-message', () => {
  it('keeps what a flow needs, and neither connections nor what is no data', () => {
    class Connection {
      readonly open = true;
    }
    const message = {
      _msgid: 'm',
      topic: 't',
      payload: { list: [1, null, undefined, true], date: new Date(5), small: Buffer.from('abc') },
      event: { body: { deep: { text: 'x' } } },
      req: { headers: {} },
      res: { _res: new Connection() },
      connection: new Connection(),
      callback: () => 1,
      nothing: undefined
    };
    keptMessage(message).should.eql({
      _msgid: 'm',
      topic: 't',
      payload: { list: [1, null, null, true], date: new Date(5), small: Buffer.from('abc') },
      event: { body: { deep: { text: 'x' } } }
    });
  });

  it('is the same after it lay on disk', async () => {
    const state = new StateFixture();
    const kept = keptMessage({ payload: { date: new Date(5), bytes: Buffer.from('abc'), list: [1.5, 'é'] } });
    const messages = state.database.collection('messages');
    await messages.put('m', kept);
    should(messages.get('m')).eql(kept);
    await state.remove();
  });

  it('takes messages made in a Function node', () => {
    const message = runInNewContext('({ payload: { a: [1] }, when: 3 })') as Record<string, unknown>;
    should(JSON.stringify(keptMessage(message))).equal('{"payload":{"a":[1]},"when":3}');
  });

  it('leaves out what is too large, whole properties at a time, and of an event the body first', () => {
    const text = 'x'.repeat(200 * 1024);
    const kept = keptMessage({
      payload: { text },
      rawBody: Buffer.alloc(70_000),
      event: { id: 'e', body: { text: text + text } },
      other: text,
      last: 'small'
    });
    kept.should.have.property('event').eql({ id: 'e' });
    kept.should.have.property('payload').eql({ text });
    kept.should.have.property('last', 'small');
    kept.should.not.have.properties('rawBody', 'other');
  });

  it('survives circles and endless depth', () => {
    const circle: Record<string, unknown> = { name: 'c' };
    circle['self'] = circle;
    keptMessage({ circle }).should.eql({ circle: { name: 'c' } });
    let deep: unknown = 'end';
    for (let level = 0; level < 10_000; level += 1) deep = { deep };
    should(JSON.stringify(keptMessage({ deep })).length).be.below(1000);
  });

  it('does not let a message change a prototype', () => {
    const message = JSON.parse(
      '{"__proto__": {"bad": 1}, "payload": {"__proto__": {"bad": 1}, "ok": 1}}'
    ) as {
      payload: object;
    };
    const kept = keptMessage(message);
    should((kept as { bad?: unknown }).bad).be.undefined();
    kept.should.eql({ payload: { ok: 1 } });
    should((kept['payload'] as { bad?: unknown }).bad).be.undefined();
  });

  it('counts what is empty, too', () => {
    for (const item of [[], {}, null]) {
      const payload = Array.from({ length: 300_000 }, () => item);
      keptMessage({ topic: 'a', payload }).should.eql({ topic: 'a' });
    }
  });

  it('ends with lists that share one list at every level', () => {
    let shared: unknown[] = [];
    for (let level = 0; level < 40; level += 1) shared = [shared, shared];
    keptMessage({ topic: 'a', payload: shared }).should.eql({ topic: 'a' });
  });

  it('keeps a payload that fits although the event that holds it does not', () => {
    const payload = { url: 'https://example.com/a.mp3' };
    const body = { filler: 'x'.repeat(300_000), data: { payload } };
    keptMessage({ event: { id: '1', body }, payload }).should.eql({ event: { id: '1' }, payload });
    const almost = { filler: 'x'.repeat(262_000), data: { payload } };
    keptMessage({ event: { id: '1', body: almost }, payload }).should.eql({ event: { id: '1' }, payload });
  });
});
