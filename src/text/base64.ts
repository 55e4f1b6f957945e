import { trailingRun } from './edges';

const OTHERS = /[^A-Za-z0-9+/]/;

/** Whether a text is standard base64 with padding. The dialogs use this too, so it needs nothing of Node.js. */
export function isPaddedBase64(text: string): boolean {
  const padding = trailingRun(text, '=');
  // Not a single pattern: its groups of four would overflow the stack on a long text.
  return text.length % 4 === 0 && padding <= 2 && !OTHERS.test(text.slice(0, text.length - padding));
}
