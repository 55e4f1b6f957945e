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

/**
 * Whether a JSON text is nested too deeply, by its brackets: a look at the text takes less time than one at all
 * values. Of a text that may have a key `__proto__` only `sanitiseJson` can tell, because what is removed does
 * not count.
 */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length && depth <= MAX_DEPTH; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPENING_BRACKET || code === OPENING_BRACE) depth += 1;
    else if (code === CLOSING_BRACKET || code === CLOSING_BRACE) depth -= 1;
  }
  return depth > MAX_DEPTH && !mayHavePrototype(text);
}

/** Whether a JSON text has more than so many values: parsing takes time for each of them, not for their characters. */
export function hasMoreValues(text: string, most: number): boolean {
  let count = 1;
  for (let at = 0; at < text.length && count <= most; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COMMA || code === OPENING_BRACKET || code === OPENING_BRACE) count += 1;
  }
  return count > most;
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPENING_BRACKET, OPENING_BRACE, CLOSING_BRACKET, CLOSING_BRACE] = [0x5b, 0x7b, 0x5d, 0x7d];

/** @returns where the closing quote is, or the end of the text */
function endOfString(text: string, begin: number): number {
  for (let at = begin + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return text.length;
}

/** Whether a JSON text can have a key `__proto__`, which may be spelled with escapes. */
export function mayHavePrototype(text: string): boolean {
  return text.includes('__proto__') || text.includes('\\u');
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
