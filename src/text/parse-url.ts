/** Characters. No server takes longer addresses: Node.js ends at 16 kB for all headers together. */
export const LONGEST_URL = 16_384;

/**
 * As many characters may an address have that is not escaped. Host names are put into the order of Unicode, which
 * takes as long as the square of the letters and marks: a second for 45,000 of them.
 */
const LONGEST_UNESCAPED = 2048;

/** @returns null when an address from outside is none, or longer than any that works */
export function parseUrl(text: string): URL | null {
  if (text.length > LONGEST_URL) return null;
  if (text.length > LONGEST_UNESCAPED && /[^\x20-\x7e]/.test(text)) return null;
  return URL.canParse(text) ? new URL(text) : null;
}
