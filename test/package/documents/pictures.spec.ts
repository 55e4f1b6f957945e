import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { pixelsOf } from '../../pictures/png/pixels';
import { SCENES } from '../../pictures/scenes';
import { REPOSITORY } from '../../support/packed-package';
import { allDocuments, linksOf } from './document';

const FOLDER = path.join(REPOSITORY, 'docs', 'images');
/** Bytes of all pictures together: everybody who clones the repository gets them. */
const MOST_BYTES = 2_500_000;

const made = SCENES.flatMap(({ pictures }) => pictures);

describe('the script that makes the pictures', () => {
  it('makes every picture that a document shows, and no other', () => {
    const shown = allDocuments()
      .flatMap(linksOf)
      // Other scripts make the plots.
      .filter(({ isImage, target }) => isImage && !target.startsWith('plots/'))
      .map(({ target }) => path.posix.basename(target));
    should([...new Set(shown)].sort()).deepEqual([...made].sort());
    should(readdirSync(FOLDER).sort()).deepEqual([...made].sort());
  });

  it('makes them small, and twice as fine as they are shown', () => {
    const files = made.map((name) => path.join(FOLDER, name)).filter((file) => existsSync(file));
    should(files.reduce((sum, file) => sum + statSync(file).size, 0)).be.below(MOST_BYTES);
    for (const file of files) should(pixelsOf(readFileSync(file)).width).be.within(700, 2_720, file);
  });
});
