import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { REPOSITORY } from '../support/packed-package';
import { NODES } from './node-files';

const FOLDER = path.join(REPOSITORY, 'nodes', 'parts');

describe('the parts that several dialogs share', () => {
  const sources = NODES.map(({ type }) =>
    readFileSync(path.join(REPOSITORY, 'nodes', `${type}.html`), 'utf8')
  );
  const parts = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.html'))
    .flatMap((name) => [
      ...readFileSync(path.join(FOLDER, name), 'utf8').matchAll(/data-part="([\w-]+)">\n([^]*?)<\/script>/g)
    ])
    .map(([, name = '', text = '']) => ({ name, text }));

  it('are each shared by two nodes at least, and have one name each', () => {
    const names = parts.map(({ name }) => name);
    should(new Set(names).size).equal(names.length);
    for (const name of names) {
      const users = sources.filter((source) => new RegExp(`part: ${name}( -->)?$`, 'm').test(source));
      should([name, users.length >= 2]).deepEqual([name, true]);
    }
  });

  it('are filled in wherever they are named, for the node they are in', () => {
    for (const [index, { text, type }] of NODES.entries()) {
      should(text).not.match(/NODE_TYPE|\bpart: [\w-]+( -->)?$/m);
      for (const part of parts.filter(({ name }) => sources[index]?.includes(`part: ${name}`))) {
        const [line = ''] = part.text.replaceAll('NODE_TYPE', type).trim().split('\n');
        should([type, part.name, text.includes(line)]).deepEqual([type, part.name, true]);
      }
    }
  });

  it('leave no mark in the texts', () => {
    for (const { texts } of NODES) {
      should([...texts.keys()].filter((key) => key.includes('$'))).deepEqual([]);
      should([...texts.values()].join()).not.match(/NODE_TYPE/);
    }
  });
});
