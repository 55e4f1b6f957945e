import should from 'should';
import { readFormFields } from '../../../src/events/reading/parse-body';

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
    ['only the first equals sign as separator', 'a=b=c', { a: 'b=c' }],
    ['empty parts', '&&a=1&', { a: '1' }],
    ['escapes that are none', 'a=100%&b=%zz&c=%', { a: '100%', b: '%zz', c: '%' }],
    ['bytes that are no UTF-8', 'a=%ff', { a: '\uFFFD' }],
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
