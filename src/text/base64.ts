import { trailingRun } from './edges';

const OTHERS = /[^A-Za-z0-9+/]/;

/** Whether a text is standard base64 with padding. The dialogs ask as well, so nothing of Node.js is used here. */
export function isPaddedBase64(text: string): boolean {
  const padding = trailingRun(text, '=');
  // Not as one pattern: the groups of four of a long text would fill the stack of the pattern.
  return text.length % 4 === 0 && padding <= 2 && !OTHERS.test(text.slice(0, text.length - padding));
}
