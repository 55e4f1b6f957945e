import { addressFault } from '../../webhook/public-address';
import { isVariable, textOf } from '../lib/validators';

/** Validator of `publicUrl`. */
export const publicUrl: EditorValidator = function (value, _options) {
  const text = textOf(value).trim();
  const fits = text === '' || isVariable(text) || addressFault(text) !== 'not-an-address';
  return fits ? true : this._(`${this.type}.error.public-url`);
};
