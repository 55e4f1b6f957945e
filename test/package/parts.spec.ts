import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { REPOSITORY } from '../support/packed-package';
import { NODES } from './node-files';

const NODES_FOLDER = path.join(REPOSITORY, 'nodes');

function read(...place: string[]): string {
  return readFileSync(path.join(NODES_FOLDER, ...place), 'utf8');
}

describe('shared parts of dialogs', () => {
  const forms = readdirSync(path.join(NODES_FOLDER, 'parts'))
    .filter((name) => name.endsWith('.html'))
    .flatMap((name) => [...read('parts', name).matchAll(/data-part="([\w-]+)">\n([^]*?)<\/script>/g)])
    .map(([, name = '', text = '']) => ({ name, text }));
  const helps = readdirSync(path.join(NODES_FOLDER, 'help', 'parts')).map((file) => ({
    name: path.basename(file, '.md'),
    text: read('help', 'parts', file)
  }));
  const sources = [
    ...NODES.flatMap(({ type }) => [read(`${type}.html`), read('help', `${type}.md`)]),
    ...forms.map(({ text }) => text)
  ];

  it('are each used in at least two places, and have one name each', () => {
    for (const parts of [forms, helps]) {
      const names = parts.map(({ name }) => name);
      should(new Set(names).size).equal(names.length);
      should(names).not.be.empty();
      for (const name of names) {
        const uses = sources.flatMap((source) => [
          ...source.matchAll(new RegExp(`part: ${name}(?= )(?: [\\w-]+="[^"]*")* -->$`, 'gm'))
        ]);
        should([name, uses.length >= 2]).deepEqual([name, true]);
      }
    }
  });

  it('are filled in wherever they are used, for their node', () => {
    for (const { text, type } of NODES) {
      should(text).not.match(/NODE_TYPE|NODE_INPUT|PART_[A-Z]|\bpart: [\w-]+/);
      for (const part of helps.filter(({ name }) => read('help', `${type}.md`).includes(`part: ${name} `))) {
        const [line = ''] = part.text.replaceAll('NODE_TYPE', type).trim().split('\n');
        should([type, part.name, text.includes(line)]).deepEqual([type, part.name, true]);
      }
    }
  });

  it('leave no marker in the texts', () => {
    for (const { texts } of NODES) {
      should([...texts.keys()].filter((key) => key.includes('$'))).deepEqual([]);
      should([...texts.values()].join()).not.match(/NODE_TYPE/);
    }
  });
});
