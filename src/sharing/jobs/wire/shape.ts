import { asFields } from '../../../values/fields';

/** Whether a value that was read has the expected type. */
export type Check = (value: unknown) => boolean;

export const isText: Check = (value) => typeof value === 'string';
export const isFlag: Check = (value) => typeof value === 'boolean';
export const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
export const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
export const isObject: Check = (value) => asFields(value) !== null;

export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

export const oneOf = (values: readonly unknown[]): Check => {
  const known = new Set(values);
  return (value) => known.has(value);
};

export const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every((item) => check(item));

/** An object with any names and values of one shape. */
export const mapOf =
  (check: Check): Check =>
  (value) => {
    const fields = asFields(value);
    return fields !== null && Object.values(fields).every((field) => check(field));
  };

/**
 * An object with these fields. Others are left alone: a later version may have added them.
 *
 * @param optional may be missing
 */
export const shape =
  (required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value) => {
    const fields = asFields(value);
    if (fields === null) return false;
    const has = (name: string): boolean => Object.hasOwn(fields, name) && fields[name] !== undefined;
    return (
      Object.entries(required).every(([name, check]) => has(name) && check(fields[name])) &&
      Object.entries(optional).every(([name, check]) => !has(name) || check(fields[name]))
    );
  };
