import { textOf } from './validators';

/** Validator of `apiUrl`. */
export const apiAddress: EditorValidator = function (value, _options) {
  const text = textOf(value);
  const isAddress = text === '' || /^(https?:\/\/\S+|\$\{[^}]+\})$/.test(text);
  return isAddress ? true : this._(`${this.type}.error.api-url`);
};
