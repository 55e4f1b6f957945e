// Makes the pictures of README.md and docs/ from the real editor: npm run docs:pictures [-- NAME…]
// A picture that looks like the one that is there is left as it is.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { REPOSITORY } from '../support/packed-package';
import { difference, pixelsOf } from './png/pixels';
import { SCENES } from './scenes';

/** The share of pixels that times, ids and speeds change from one run to the next. */
const SAME = 0.0005;

const FOLDER = path.join(REPOSITORY, 'docs', 'images');

async function main(wanted: readonly string[]): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const { pictures, take } of SCENES) {
    if (wanted.length > 0 && !pictures.some((name) => wanted.includes(name))) continue;
    const taken = take(process.env['CHROMIUM'] ?? '/usr/bin/chromium', (name, png) => {
      const file = path.join(FOLDER, name);
      const isSame = existsSync(file) && difference(pixelsOf(readFileSync(file)), pixelsOf(png)) < SAME;
      if (!isSame) writeFileSync(file, png);
      console.log(`${name}: ${Math.round(png.length / 1000)} kB${isSame ? ', as before' : ''}`);
    });
    // The other scenes are taken nevertheless.
    await taken.catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
  }
}

// The object store of a picture keeps running until the end of the process.
void main(process.argv.slice(2)).finally(() => process.exit());
