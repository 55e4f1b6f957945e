/** Node-RED clones messages recursively; deeper bodies would overflow its stack and end the process. */
export const MAX_DEPTH = 100;

/**
 * Makes a freshly parsed JSON value safe to hand on: removes every own key `__proto__` (harmless as
 * parsed, a changed prototype as soon as somebody copies the object with Object.assign), and checks
 * that arrays and objects are nested no deeper than {@link MAX_DEPTH}. Works in place, level by
 * level without recursion.
 *
 * @returns false when the value is nested too deeply; it is then only partly cleaned
 */
export function sanitiseJson(value: unknown): boolean {
  let level: object[] = isContainer(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return false;
    const next: object[] = [];
    for (const container of level) {
      if (Object.hasOwn(container, '__proto__')) Reflect.deleteProperty(container, '__proto__');
      for (const child of Object.values(container) as unknown[]) if (isContainer(child)) next.push(child);
    }
    level = next;
  }
  return true;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
