/** A parsed object whose fields nobody vouches for. */
export type UnknownRecord = Readonly<Record<string, unknown>>;

/** The value as an object with fields; undefined for everything else, arrays included. */
export function asRecord(value: unknown): UnknownRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as UnknownRecord)
    : undefined;
}

/** A field of the object itself, never one of its prototype (`constructor`, `toString`). */
export function fieldOf(record: UnknownRecord | undefined, name: string): unknown {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A field that is an object. */
export function recordField(record: UnknownRecord | undefined, name: string): UnknownRecord | undefined {
  return asRecord(fieldOf(record, name));
}

/** A field that is a string with at least one character, else null. */
export function textField(record: UnknownRecord | undefined, name: string): string | null {
  const value = fieldOf(record, name);
  return typeof value === 'string' && value !== '' ? value : null;
}
