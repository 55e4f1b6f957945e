import { isMoment } from '../../../src/reconcile/read-moment';
import { isVariable, textOf } from './validators';

/** Validator of one end of a span of time. */
export function momentOf(problem: string): EditorValidator {
  return function (value, _options) {
    const text = textOf(value).trim();
    return isVariable(text) || isMoment(text) ? true : this._(`${this.type}.error.${problem}`);
  };
}
