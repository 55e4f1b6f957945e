import type { Said } from '../../src/errors/notice';

/** The catalogue with the texts of all nodes, in the runtime and in the editor; their sources are in parts/<language>/errors.json. */
export const CATALOGUE = '@red-telephony/node-red-telnyx/telnyx-sidebar:telnyx-sidebar.';

interface Translator {
  _(key: string, values?: Record<string, string | number>): string;
}

/**
 * Begins an English text with a sentence in the language of Node-RED, or of the editor. In English, and in a language
 * that this package does not speak, the text stays as it is.
 *
 * @param key `error.` and a code; an unknown one changes nothing
 */
export function inLanguage(RED: Translator, key: string, english: string): string {
  const sentence = RED._(CATALOGUE + key);
  const isTranslated = sentence !== '' && sentence !== RED._(CATALOGUE + key, { lng: 'en-US' });
  return isTranslated ? `${sentence} ${english}` : english;
}

/** What is said, one after the other, in the language of Node-RED, or of the editor. */
export function told(RED: Translator, said: readonly Said[]): string {
  const texts = said.map((one) =>
    'notice' in one
      ? RED._(CATALOGUE + 'notice.' + one.notice, one.values)
      : inLanguage(RED, 'error.' + one.code, one.text)
  );
  return texts.join(' ');
}
