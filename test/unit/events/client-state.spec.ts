import should from 'should';
import { decodeClientState } from '../../../src/events/build-event';

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
    it(`hands on ${what} as it is`, () => should(decodeClientState(value)).equal(value));
  }

  it('is empty for an empty one, null for none', () => {
    should(decodeClientState('')).equal('');
    for (const value of [undefined, null, 7, {}, ['YQ==']]) should(decodeClientState(value)).be.null();
  });
});
