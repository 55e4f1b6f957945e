import { CodedError } from '../errors/coded-error';

export type Query = Readonly<Record<string, string>>;

/** How the list of a provider is filtered. */
export interface FilterDialect {
  /** Filters that the list itself sets. */
  readonly own: readonly string[];
  /** All that the list knows; left out when it knows many, and more in time. What a list ignores lists everything. */
  readonly known?: readonly string[];
  /** @returns the parameter of the query that a filter becomes */
  parameter(name: string): string;
  /** Whether a filter can be an object of operators, as in `{"gte": …}`; each becomes `<parameter>[gte]`. */
  readonly hasOperators: boolean;
}

/**
 * Reads the filters of a list: an object, or its JSON.
 *
 * @returns the query that they make
 * @throws CodedError `BAD_SETTING`
 */
export function readFilter(value: unknown, dialect: FilterDialect): Query {
  // A filter called `__proto__` must not vanish: without it everything would be listed.
  const query = new Map<string, string>();
  for (const [name, wanted] of Object.entries(fieldsOf(value))) {
    if (!/^\w{1,64}$/.test(name)) throw bad(`"${shown(name)}" is not the name of a filter`);
    if (dialect.own.includes(name)) throw bad(`"${name}" is set by the node; use "From" and "To" instead`);
    const { known } = dialect;
    if (known?.includes(name) === false)
      throw bad(`"${name}" is no filter of this list; it knows ${known.join(' and ')}`);
    const parameter = dialect.parameter(name);
    const operators = dialect.hasOperators && isObject(wanted) ? wanted : null;
    if (operators === null) query.set(parameter, textOf(name, wanted));
    else
      for (const [operator, limit] of Object.entries(operators)) {
        if (!/^\w{1,16}$/.test(operator)) throw bad(`"${shown(operator)}" is not a filter operator`);
        query.set(`${parameter}[${operator}]`, textOf(name, limit));
      }
  }
  return Object.fromEntries(query);
}

/** Whether `readFilter` accepts a value. */
export function isReadable(value: unknown, dialect: FilterDialect): boolean {
  try {
    readFilter(value, dialect);
    return true;
  } catch {
    return false;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null || value === '') return {};
  let parsed: unknown = value;
  if (typeof value === 'string') {
    try {
      parsed = JSON.parse(value);
    } catch {
      throw bad('it is not JSON');
    }
  }
  if (!isObject(parsed)) throw bad('it is not an object');
  return parsed;
}

/** As `asFields` of `values/fields.ts`, which needs Node.js and so cannot be used in the dialogs. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  throw bad(`the value of "${name}" must be a text or a number`);
}

function shown(text: string): string {
  return text.slice(0, 40).replace(/[^\w.:-]/g, '?');
}

function bad(reason: string): CodedError {
  return new CodedError(
    'BAD_SETTING',
    `The filter cannot be used: ${reason}. Expected an object such as {"connection_id":"1234567890"}.`
  );
}
