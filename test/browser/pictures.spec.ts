import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { chunksOf, pixelsOf } from '../pictures/png/pixels';
import { ARCHIVE } from '../pictures/scenes/archive';
import { REPOSITORY } from '../support/packed-package';
import { requireProgram } from '../support/real-parts';

/** Git ignores it. */
const FOLDER = path.join(REPOSITORY, '.tmp', 'pictures');

/** `npm run docs:pictures` also runs the other scenes, which take minutes. */
describe('the pictures of the documents', function () {
  this.timeout(240_000);

  it('can be made again: a file that lands, and the sidebar', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    mkdirSync(FOLDER, { recursive: true });
    const made = new Map<string, Buffer>();
    await ARCHIVE.take(browser, (name, png) => {
      made.set(name, png);
      writeFileSync(path.join(FOLDER, name), png);
    });
    should([...made.keys()].sort()).deepEqual([...ARCHIVE.pictures].sort());
    for (const png of made.values()) should(pixelsOf(png).width).be.above(700);
    const chunks = chunksOf(made.get('file-landing.png')!).map(({ type }) => type);
    should(chunks.filter((type) => type === 'fcTL').length).be.above(8);
  });
});
