import should from 'should';
import { asFields, fieldOf, recordField, textField } from '../../../src/values/fields';

describe('fields of an unknown body', () => {
  it('accepts only objects as objects', () => {
    for (const value of [null, undefined, 'x', 7, [], [{}]]) should(asFields(value)).be.null();
    should(asFields({ a: 1 })).deepEqual({ a: 1 });
  });

  it('never finds inherited properties', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      should(fieldOf({}, name)).be.undefined();
    }
    should(fieldOf({ toString: 1 }, 'toString')).equal(1);
    should(fieldOf(null, 'a')).be.undefined();
  });

  it('finds text and objects only where they exist', () => {
    should(textField({ a: 'x' }, 'a')).equal('x');
    for (const a of ['', 7, null, {}, ['x']]) should(textField({ a }, 'a')).be.null();
    should(recordField({ a: { b: 1 } }, 'a')).deepEqual({ b: 1 });
    should(recordField({ a: 'x' }, 'a')).be.null();
  });
});
