/**
 * All values of one header, in order of arrival. Node joins repeated headers with a comma; a
 * signature that came twice must be seen as two.
 *
 * @param rawHeaders name, value, name, value, …
 * @param name lower-case header name
 */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index];
    const value = rawHeaders[index + 1];
    if (candidate === undefined || value === undefined) continue;
    if (candidate.length === name.length && candidate.toLowerCase() === name) values.push(value);
  }
  return values;
}
