import type { NumberLimits } from '../../lib/number-limits';

/** Settings may name an environment variable; only the runtime knows its value. */
export function isVariable(value: unknown): boolean {
  return typeof value === 'string' && /^\$\{[^}\s]+\}$/.test(value);
}

/** The value of a field as text; anything but text or a number counts as blank. */
export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The entries of a list that is separated by white space or commas. */
export function entriesOf(value: unknown): string[] {
  return textOf(value)
    .split(/[\s,]+/)
    .filter((entry) => entry !== '');
}

/** Whether a config node is chosen; `_ADD_` is the entry that offers a new one. */
export function isChosen(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value !== '_ADD_';
}

/** @param problem key of the text that says what is wrong, below `<type>.error.` */
export function numberWithin(limits: NumberLimits, problem: string): EditorValidator {
  return function (value, _options) {
    // Flows of older versions lack the property; the runtime has a default for it.
    if (value === undefined || isVariable(value)) return true;
    const number = Number(value);
    const isWithin = value !== '' && number >= limits.min && number <= limits.max;
    const isRight = isWithin && (limits.whole === false || Number.isInteger(number));
    const { min, max } = limits;
    return isRight ? true : this._(`${this.type}.error.${problem}`, { min, max });
  };
}

/** Shows the defaults of properties that a flow of an older version lacks: a blank field would be saved as invalid. */
export function chooseDefaults(node: EditorNode, properties: readonly string[]): void {
  for (const property of properties) {
    const field = $(`#node-input-${property}`);
    const value = node._def.defaults[property]?.value;
    if (!field.val() && typeof value === 'string') field.val(value);
  }
}
