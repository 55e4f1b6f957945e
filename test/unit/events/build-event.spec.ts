import { createHash } from 'node:crypto';
import should from 'should';
import { decodeClientState, deliveryIdentity, webhookMessage } from '../../../src/events/build-event';
import type { ParsedEvent } from '../../../src/events/event';

describe('deliveryIdentity', () => {
  const content = (rawBody: string, query: string | null = null) => ({
    rawBody: Buffer.from(rawBody),
    contentType: undefined,
    query
  });
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  it("is the body's own id", () => {
    deliveryIdentity({ own_id: 'own' }, content('{}')).should.equal('own');
  });

  it('is the hash of the content when the body has none or a blank one', () => {
    for (const own_id of [null, '', '  ', '\n'])
      deliveryIdentity({ own_id }, content('{"a":1}')).should.equal(sha256('{"a":1}'));
  });

  it('is the query string of a GET, whose body is empty', () => {
    const one = deliveryIdentity({ own_id: null }, content('', 'CallSid=1'));
    const two = deliveryIdentity({ own_id: null }, content('', 'CallSid=2'));
    one.should.not.equal(two);
    one.should.not.equal(deliveryIdentity({ own_id: null }, content('CallSid=1')));
    deliveryIdentity({ own_id: null }, content('', '')).should.not.equal(sha256(''));
  });
});

describe('webhookMessage', () => {
  const parsed: ParsedEvent = {
    provider: 'telnyx',
    event_type: 'call.hold',
    canonical_type: 'call.hold',
    family: 'call',
    known: true,
    shape: 'envelope',
    own_id: 'own',
    record_type: 'event',
    occurred_at: null,
    attempt: 2,
    delivered_to: 'https://example.com/telnyx',
    client_state: null,
    discriminator: null,
    body: { data: { payload: { event: 'not ours', topic: 'not ours' } } },
    payload: { event: 'not ours', topic: 'not ours' }
  };
  const facts = {
    id: 'id',
    receivedAt: Date.UTC(2026, 4, 6, 7, 8, 9, 10),
    verified: 'hmac' as const,
    keyIndex: 3,
    duplicate: true,
    recovered: false
  };

  it('has topic, payload and event, which the payload never overrides', () => {
    const message = webhookMessage(parsed, facts);
    Object.keys(message).sort().should.deepEqual(['event', 'payload', 'topic']);
    message.topic.should.equal('call.hold');
    should(message.payload).equal(parsed.payload);
    const rest: Partial<ParsedEvent> = { ...parsed };
    delete rest.own_id;
    delete rest.payload;
    should(message.event).deepEqual({
      ...rest,
      id: 'id',
      received_at: '2026-05-06T07:08:09.010Z',
      duplicate: true,
      verified: 'hmac',
      key_index: 3
    });
  });

  it('marks an event as recovered only if it was', () => {
    should(webhookMessage(parsed, facts).event).not.have.property('recovered');
    should(webhookMessage(parsed, { ...facts, recovered: true }).event.recovered).be.true();
  });
});

describe('events: client_state', () => {
  for (const text of ['ticket=9', 'a', 'ab', 'abc', 'Zoë 🎥', '{"order":4711}', 'two\nlines']) {
    it(`decodes base64 of ${JSON.stringify(text)}`, () => {
      should(decodeClientState(Buffer.from(text).toString('base64'))).equal(text);
    });
  }

  const raw: readonly (readonly [string, string])[] = [
    ['text that was never encoded', 'not base64!'],
    ['base64 without its padding', 'dGlja2V0PTk5'.slice(0, -1)],
    ['base64 in the URL alphabet', Buffer.from('ÿþ??').toString('base64url')],
    ['base64 with white space', 'dGlj a2V0'],
    ['base64 with spare bits set', 'YR=='],
    ['base64 of a binary term', Buffer.from([0x83, 0x74, 0, 0, 0, 1]).toString('base64')],
    ['base64 of invalid UTF-8', Buffer.from([0x61, 0xff, 0x61]).toString('base64')],
    ['four letters that happen to be base64', 'test']
  ];
  for (const [what, value] of raw) {
    it(`passes on ${what} unchanged`, () => should(decodeClientState(value)).equal(value));
  }

  it('is empty for an empty value, null for none', () => {
    should(decodeClientState('')).equal('');
    for (const value of [undefined, null, 7, {}, ['YQ==']]) should(decodeClientState(value)).be.null();
  });
});
