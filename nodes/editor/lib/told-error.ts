import { inLanguage } from '../../lib/in-language';

// What the runtime answers is in English; here it gets its beginning in the language of the editor.

/** @param code of the error that the text tells; anything else leaves the text as it is */
export function toldError(code: unknown, text: string): string {
  return typeof code === 'string' && text !== '' ? inLanguage(RED, 'error.' + code, text) : text;
}
