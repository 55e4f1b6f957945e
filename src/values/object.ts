export type Fields = Readonly<Record<string, unknown>>;

/** @returns the value as an object with fields; null for arrays, primitives and null */
export function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}
