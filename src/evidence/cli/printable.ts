/** Names of files and what a log says may hold anything, also what moves the cursor of a terminal. */
export function printable(text: string): string {
  return Array.from(text, (char) => (isControl(char.codePointAt(0) ?? 0) ? '?' : char)).join('');
}

function isControl(code: number): boolean {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0x200b && code <= 0x206f);
}
