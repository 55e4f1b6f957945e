import should from 'should';
import { parseBody, readFormFields } from '../../../src/events/reading/parse-body';

const FORM = 'application/x-www-form-urlencoded';

function parse(body: string | Buffer, contentType?: string) {
  return parseBody(Buffer.from(body as string), contentType);
}

function nested(depth: number, open = '[', close = ']'): string {
  return open.repeat(depth) + close.repeat(depth);
}

describe('events: body as JSON or form', () => {
  const json: readonly (readonly [string, string, unknown])[] = [
    ['an object', '{"a":1}', { a: 1 }],
    ['an array', '[1,2]', [1, 2]],
    ['white space before and after', ' \r\n{"a":1}\n', { a: 1 }],
    ['a byte order mark', '\uFEFF{"a":1}', { a: 1 }],
    ['a string that looks like a form', '"a=b"', 'a=b'],
    ['a number', '17', 17],
    ['null', 'null', null]
  ];
  for (const [what, text, value] of json) {
    it(`reads ${what} as JSON`, () => {
      should(parse(text, 'application/json')).deepEqual({ ok: true, form: false, body: value });
      should(parse(text)).deepEqual({ ok: true, form: false, body: value });
    });
  }

  it('recognises JSON by its content when the Content-Type says form, the default of curl', () => {
    should(parse('{"a":"x=y"}', FORM)).deepEqual({ ok: true, form: false, body: { a: 'x=y' } });
  });

  it('recognises a form by its content when the Content-Type says JSON or nothing', () => {
    const form = { ok: true, form: true, body: { CallSid: 'v3:x', From: '+12025550111' } };
    for (const type of [undefined, 'application/json', 'text/plain']) {
      should(parse('CallSid=v3%3Ax&From=%2B12025550111', type)).deepEqual(form);
    }
  });

  it('trusts the Content-Type where the content is ambiguous', () => {
    const type = `${FORM.toUpperCase()} ; charset=UTF-8`;
    should(parse('hello world', type)).deepEqual({ ok: true, form: true, body: { 'hello world': '' } });
    should(parse('', type)).deepEqual({ ok: true, form: true, body: {} });
    should(parse('17', type)).deepEqual({ ok: true, form: true, body: { 17: '' } });
  });

  const refused: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['plain text', 'hello world', /neither complete JSON nor a form/],
    ['text with an equals sign', 'price = 5', /neither/],
    ['XML', '<Response><Say voice="alice">Hi</Say></Response>', /neither/],
    ['a multipart body', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--', /neither/],
    ['an empty body', '', /empty/],
    ['white space', ' \n', /empty/],
    ['truncated JSON', '{"data":{"event_type":"call.init', /neither/],
    ['truncated JSON with an equals sign', '{"url":"https://example.com/?a=b&c=', /neither/],
    ['a truncated array with an equals sign', '["a=b', /neither/],
    ['a truncated string with an equals sign', '"a=b', /neither/],
    ['JSON with something after it', '{"a":1}{"b":2}', /neither/],
    ['invalid UTF-8 in JSON', Buffer.from('{"a":"\xff"}', 'latin1'), /UTF-8/],
    ['an overlong encoding', Buffer.from([0x7b, 0xc0, 0xaf, 0x7d]), /UTF-8/],
    ['half a surrogate pair', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /UTF-8/],
    ['UTF-16', Buffer.from('\uFEFF{"a":1}', 'utf16le'), /UTF-8/],
    ['binary', Buffer.from([0, 1, 2, 3]), /neither/]
  ];
  for (const [what, bytes, reason] of refused) {
    it(`rejects ${what} and says why`, () => {
      const result = parse(bytes);
      should(result.ok).be.false();
      should(result).have.property('reason').match(reason);
    });
  }

  it('rejects truncated JSON and invalid UTF-8 even if the Content-Type says form', () => {
    should(parse('{"a":"b=c', FORM).ok).be.false();
    should(parse(Buffer.from('a=\xff', 'latin1'), FORM).ok).be.false();
  });

  it('never quotes the body in the reason', () => {
    should(JSON.stringify(parse('{"link":"https://example.com/?sig=hidden'))).not.containEql('hidden');
  });

  it('accepts JSON nested 100 levels deep, and no deeper', () => {
    should(parse(nested(100)).ok).be.true();
    should(parse(nested(101)))
      .have.property('reason')
      .match(/deeper than 100/);
    should(parse(nested(50, '{"a":[', ']}')).ok).be.true();
    should(parse(`{"b":1,"a":${nested(100)}}`).ok).be.false();
  });

  it('survives a megabyte of brackets, closed or not', () => {
    should(parse(nested(500_000)).ok).be.false();
    should(parse('['.repeat(1_000_000)).ok).be.false();
    should(parse('{"a":'.repeat(200_000)).ok).be.false();
  });

  it('accepts JSON of 250,000 values, and no more', () => {
    const lists = (count: number): string => `[${'[],'.repeat(count)}"[,,,"]`;
    should(parse(lists(124_999)).ok).be.true();
    should(parse(lists(125_000)))
      .have.property('reason')
      .match(/more than 250000 values/);
    should(parse(JSON.stringify(',[{'.repeat(300_000))).ok).be.true();
  });

  it('removes own keys __proto__ at every level, however they are spelled', () => {
    const text =
      '{"a":1,"__proto__":{"polluted":1},"b":[{"__pro\\u0074o__":{"polluted":2},"c":{"__proto__":null,"d":2}}]}';
    const result = parse(text);
    should(result).deepEqual({ ok: true, form: false, body: { a: 1, b: [{ c: { d: 2 } }] } });
    should(JSON.stringify(result)).not.containEql('__proto__');
    const copy = Object.assign({}, (result as { body: object }).body);
    should(Object.getPrototypeOf(copy)).equal(Object.prototype);
    should(copy).not.have.property('polluted');
  });

  it('measures the depth without removed keys', () => {
    should(parse(`{"__proto__":${nested(200)},"a":1}`)).deepEqual({ ok: true, form: false, body: { a: 1 } });
  });

  it('measures the depth by brackets, not by the contents of strings', () => {
    should(parse(JSON.stringify({ a: '['.repeat(200), b: '\\"{['.repeat(200) })).ok).be.true();
    should(parse(`[${'[],{},'.repeat(500)}0]`).ok).be.true();
    should(parse(`{"a":"\\u0041","b":${nested(200)}}`).ok).be.false();
  });

  it('rejects a form with more fields than any real one', () => {
    const form = (fields: number): Buffer =>
      Buffer.from(Array.from({ length: fields }, () => 'a=1').join('&'));
    const type = 'application/x-www-form-urlencoded';
    should(parseBody(form(2000), type).ok).be.true();
    should(parseBody(form(2001), type))
      .have.property('reason')
      .match(/more than 2000 fields/);
  });

  it('keeps __proto__ as a value and other odd keys', () => {
    const text = '{"a":"__proto__","constructor":{"prototype":1},"toString":2}';
    should(parse(text)).have.property('body').deepEqual(JSON.parse(text));
  });
});

describe('events: form fields', () => {
  const rows: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
    ['nothing', '', {}],
    ['plus as space, %2B as plus', 'a=b+c&n=%2B12025550111', { a: 'b c', n: '+12025550111' }],
    ['UTF-8', 'n=Zo%C3%AB+%F0%9F%8E%A5', { n: 'Zoë 🎥' }],
    ['both spellings of an escape', 'a=%3a&b=%3A', { a: ':', b: ':' }],
    [
      'a literal name with brackets',
      'CallCost%5Bv3%3Ax%5D=0.0042&a[b][]=1',
      { 'CallCost[v3:x]': '0.0042', 'a[b][]': '1' }
    ],
    ['the last of a repeated name', 'a=1&b=2&a=3', { a: '3', b: '2' }],
    ['a name without a value', 'a&b=', { a: '', b: '' }],
    ['only the first equals sign as a separator', 'a=b=c', { a: 'b=c' }],
    ['empty parts', '&&a=1&', { a: '1' }],
    ['invalid escapes', 'a=100%&b=%zz&c=%', { a: '100%', b: '%zz', c: '%' }],
    ['bytes that are not UTF-8', 'a=%ff', { a: '\uFFFD' }],
    ['a first question mark', '?a=1', { '?a': '1' }],
    ['numbers as text', 'RecordingChannels=2', { RecordingChannels: '2' }]
  ];
  for (const [what, text, fields] of rows) {
    it(`reads ${what}`, () => should(readFormFields(text)).deepEqual(fields));
  }

  it('leaves out __proto__ and keeps the prototype', () => {
    const fields = readFormFields('__proto__=x&%5F%5Fproto%5F%5F=y&a=1');
    should(Object.keys(fields)).deepEqual(['a']);
    should(Object.getPrototypeOf(fields)).equal(Object.prototype);
  });

  it('keeps names of Object.prototype as plain fields', () => {
    should(readFormFields('constructor=a&toString=b&hasOwnProperty=c')).deepEqual({
      constructor: 'a',
      toString: 'b',
      hasOwnProperty: 'c'
    });
  });
});
