import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { CATALOGUE, FAMILIES } from '../../src/events/catalogue';
import { PROVIDERS } from '../../src/events/provider';
import { REPOSITORY } from '../support/packed-package';
import { languages, NODES, type NodeFiles, PLUGINS, textsOf } from './node-files';

const LANGUAGES = ['de', 'en-US', 'es', 'fr', 'ja', 'ko', 'pt-BR', 'zh-CN'];
const TRANSLATIONS = LANGUAGES.filter((language) => language !== 'en-US');

/** Texts that are the same in English and in a language (`all`: in all): names, and words that it shares with English. */
function sameTexts(language: string): string[] {
  return ['all', language].flatMap((name) => {
    const file = path.join(__dirname, 'same-texts', `${name}.json`);
    return JSON.parse(readFileSync(file, 'utf8')) as string[];
  });
}

function helpIn(language: string, type: string): string {
  const file = path.join(REPOSITORY, 'dist', 'nodes', 'locales', language, `${type}.html`);
  should([file, existsSync(file)]).deepEqual([file, true]);
  return /<script type="text\/markdown" data-help-name="[\w-]+">\n([^]*)<\/script>/
    .exec(readFileSync(file, 'utf8'))![1]!
    .trim();
}

/** The English help of a node, as built. */
function englishHelp(node: NodeFiles): string {
  return (node.helps.get(node.type) ?? '').trim();
}

/** The texts of the catalogue of event types in a language, as shipped: family or event type → text. */
function eventTexts(language: string): Record<string, Record<string, string>> {
  const file = path.join(REPOSITORY, 'dist', 'nodes', 'locales', language, 'events.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;
}

/** Which texts of a group lack a translation: missing, empty or left in English. */
function untranslated(texts: Record<string, string>, english: Map<string, string>, same: string[]): string[] {
  return [...english.keys()].filter((key) => {
    const [text = '', original = ''] = [texts[key], english.get(key)];
    return (
      text.trim() === '' || (text === original && needsTranslation(original) && !same.includes(original))
    );
  });
}

/** Event types and fields that a text names, such as `call.hangup` or `failure_cause`: they are never translated. */
function writtenNames(text: string): string[] {
  return (text.match(/\b[a-z]+(?:[._][a-z]+)+\b/g) ?? []).sort();
}

function headings(help: string): string[] {
  return help.split('\n').flatMap((line) => /^#+(?= \S)/.exec(line)?.[0] ?? []);
}

/** What is code is the same in all languages. */
function code(help: string): string[] {
  return [...help.matchAll(/`[^`]+`/g)].map(([span]) => span).sort();
}

/** Names of the properties in the lists of the help. */
function properties(help: string): string[] {
  return [...help.matchAll(/^(?: {3})?: [*_]?([\w.]+)[*_]? \([^():]+\) : +[^:\n]+$/gm)].map(
    ([, name = '']) => name
  );
}

/** The settings that a help names by their labels, as keys of their texts; several where a label is not unique. */
function namedSettings(node: NodeFiles): string[][] {
  const byText = new Map<string, string[]>();
  for (const { texts } of [...NODES, ...PLUGINS])
    for (const [key, text] of texts) byText.set(text, [...(byText.get(text) ?? []), key]);
  const quoted = [
    ...englishHelp(node)
      .replace(/`[^`]*`/g, '')
      .matchAll(/"([^"]+)"/g)
  ];
  return quoted.flatMap(([, label = '']) => {
    const keys = byText.get(label.replaceAll('\n', ' '));
    return keys ? [keys] : [];
  });
}

describe('languages', () => {
  it('are eight', () => {
    should(languages().sort()).deepEqual(LANGUAGES);
  });

  for (const language of TRANSLATIONS) {
    describe(language, () => {
      for (const node of [...NODES, ...PLUGINS]) {
        it(`${node.type}: no text is missing, empty or left in English`, () => {
          const texts = textsOf(language, node.type);
          should([...texts.keys()].sort()).deepEqual([...node.texts.keys()].sort());
          should(untranslated(Object.fromEntries(texts), node.texts, sameTexts(language))).deepEqual([]);
        });
      }

      it('events: the name of each family is translated, and of no other', () => {
        const { families = {}, ...described } = eventTexts(language);
        should(Object.keys(described)).deepEqual([...PROVIDERS]);
        const english = new Map<string, string>(FAMILIES.map(({ family, label }) => [family, label]));
        should(Object.keys(families).sort()).deepEqual([...english.keys()].sort());
        should(untranslated(families, english, sameTexts(language))).deepEqual([]);
      });

      for (const provider of PROVIDERS) {
        it(`events: each type of ${provider} is described, in the order of the catalogue, and no other`, () => {
          const { [provider]: texts = {} } = eventTexts(language);
          const english = new Map<string, string>(
            CATALOGUE.filter((entry) => entry.provider === provider).map((entry) => [
              entry.event_type,
              entry.description
            ])
          );
          should(Object.keys(texts)).deepEqual([...english.keys()]);
          should(untranslated(texts, english, sameTexts(language))).deepEqual([]);
          for (const [type, text] of Object.entries(texts))
            should([type, writtenNames(text)]).deepEqual([type, writtenNames(english.get(type) ?? '')]);
        });
      }

      for (const node of NODES) {
        it(`${node.type}: the help has the structure, the code and the properties of the English one`, () => {
          const help = helpIn(language, node.type);
          should(headings(help)).deepEqual(headings(englishHelp(node)));
          should(code(help)).deepEqual(code(englishHelp(node)));
          should(properties(help)).deepEqual(properties(englishHelp(node)));
          // The first paragraph is shown beside the palette.
          should(help.split('\n').indexOf('')).be.within(1, 3);
          should(help).not.match(/<!-- part|NODE_TYPE|PART_[A-Z]/);
        });

        it(`${node.type}: the help names settings as the dialog does`, () => {
          const help = helpIn(language, node.type).replaceAll('\n', ' ');
          const translated = new Map(
            [...NODES, ...PLUGINS].flatMap(({ type }) => [...textsOf(language, type)])
          );
          const missing = namedSettings(node).filter(
            (keys) => !keys.some((key) => help.includes(translated.get(key) ?? '\n'))
          );
          should(missing).deepEqual([]);
        });
      }
    });
  }
});

/** Whether a text holds a word, apart from placeholders and what is written the same everywhere. */
function needsTranslation(text: string): boolean {
  return /\p{L}{2,}/u.test(text.replace(/__\w+__|https?:\S+|[A-Z][A-Z_0-9]+(?![a-z])/g, ''));
}
