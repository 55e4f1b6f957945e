/** What an object, an array or a property takes besides its content. */
const OBJECT_BYTES = 64;
const PROPERTY_BYTES = 24;

/**
 * Estimates how many bytes a value takes in memory. A body of many small parts takes far more than its text has.
 *
 * @param value as `JSON.parse` returns it, nested however deeply
 */
export function heldBytes(value: unknown): number {
  const open: unknown[] = [value];
  let bytes = 0;
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one === 'string') bytes += OBJECT_BYTES + 2 * one.length;
    else if (typeof one === 'object' && one !== null) {
      bytes += OBJECT_BYTES;
      for (const [name, part] of Object.entries(one)) {
        bytes += PROPERTY_BYTES + (Array.isArray(one) ? 0 : 2 * name.length);
        open.push(part);
      }
    }
  }
  return bytes;
}
