import { decodeStrictBase64 } from '../../../values/fields';

/** JSON and nothing else. */
export type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain };

/** Deeper than any message that is kept. */
const DEEPEST = 80;
/** Names that begin with it say what JSON cannot. */
const MARK = '$';

/**
 * Spells the values of a job in JSON: a Date, bytes and numbers without a spelling become an object with one marked name.
 *
 * @param value as `keptMessage` leaves it: no functions, no objects of classes, no cycles
 */
export function toPlain(value: unknown): Plain {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : { $number: String(value) };
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? null : value.getTime() };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map((item) => toPlain(item));
  if (typeof value !== 'object') return null;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  if (fields.some(([name]) => name.startsWith(MARK)))
    return { $fields: fields.map(([name, field]): Plain => [name, toPlain(field)]) };
  return Object.fromEntries(fields.map(([name, field]) => [name, toPlain(field)]));
}

/**
 * The values that `toPlain` spelled.
 *
 * @param value what was read, from a writer that is not trusted
 * @returns undefined when it is none of its spellings, or nested too deeply; no object has another prototype than usual
 */
export function fromPlain(value: unknown): unknown {
  try {
    return decoded(value, 0);
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

class NotPlain extends Error {}

function decoded(value: unknown, depth: number): unknown {
  if (depth > DEEPEST) throw new NotPlain();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => decoded(item, depth + 1));
  const [first, ...others] = Object.entries(value);
  if (first?.[0].startsWith(MARK) !== true || others.length > 0)
    return fieldsOf(Object.entries(value), depth);
  const [mark, content] = first as [string, unknown];
  if (mark === '$date' && content === null) return new Date(NaN);
  if (mark === '$date' && typeof content === 'number') return new Date(content);
  if (mark === '$bytes' && typeof content === 'string') return decodeStrictBase64(content) ?? fail();
  if (mark === '$number') return NUMBERS.get(content) ?? fail();
  if (mark !== '$fields' || !Array.isArray(content)) return fail();
  return fieldsOf(content, depth);
}

function fieldsOf(pairs: readonly unknown[], depth: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const pair of pairs) {
    const [name, content] = Array.isArray(pair) ? (pair as unknown[]) : [];
    if (typeof name !== 'string') return fail();
    // It would become the object's prototype.
    if (name !== '__proto__') fields[name] = decoded(content, depth + 1);
  }
  return fields;
}

const NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity]
]);

function fail(): never {
  throw new NotPlain();
}
