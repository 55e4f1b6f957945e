import { readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { REPOSITORY } from '../support/packed-package';
import { NODES } from './node-files';

const MOST_LINES = 150;

describe('the sources of the dialogs', () => {
  for (const { type } of NODES) {
    const form = readFileSync(path.join(REPOSITORY, 'nodes', `${type}.html`), 'utf8');

    it(`${type}: the form is short, and has neither script nor help`, () => {
      should(form.split('\n').length).be.below(MOST_LINES);
      should([...form.matchAll(/<script type="([^"]+)"/g)].map(([, kind]) => kind)).deepEqual(['text/html']);
    });
  }
});
