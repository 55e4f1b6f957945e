import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import should from 'should';
import { REPOSITORY } from '../support/packed-package';
import { definitionOf, MANIFEST, NODES } from './node-files';

// What the Flow Library's scorecard checks, and its guidelines for icons and colours, as far as the other specs in this folder
// do not: pack.spec.ts has the manifest and the package, definitions.spec.ts the definitions and forms, texts.spec.ts texts,
// help and colours, examples.spec.ts the examples.

const semver = createRequire(require.resolve('node-red'))('semver') as {
  satisfies(version: string, range: string): boolean;
  validRange(range: string): string | null;
};

/** The label and the shade behind the icon, in the editor's default theme (`--red-ui-node-label-color`, `…-icon-background-color`). */
const LABEL = '#333333';
const ICON = '#ffffff';
const SHADE = 0.05;
/** WCAG 2.2, 1.4.11 (graphics) and 1.4.3 (text). */
const LEAST = { graphics: 3, text: 4.5 };

/** Dependencies whose newest version is not admitted on purpose: the scorecard reports them (D03). */
const PINNED: Readonly<Record<string, string>> = {
  lmdb: 'Each version brings native code, and the state on disk depends on it.'
};

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

function luminance(rgb: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG's ratio, from 1 to 21. */
function contrast(one: readonly number[], other: readonly number[]): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

const inPalette = NODES.filter((node) => definitionOf(node).category !== 'config');

describe('the scorecard', () => {
  describe('of the package', () => {
    it('P04: has a scoped name that begins as its users expect', () => {
      should(MANIFEST.name).match(/^@[a-z0-9-]+\/node-red-[a-z0-9-]+$/);
    });

    it('P06: names a minimum version of Node-RED, and no maximum', () => {
      should(MANIFEST['node-red'].version).match(/^>=\d+\.\d+\.\d+$/);
      should(MANIFEST.engines.node).match(/^>=\d+/);
    });

    it('D03: admits new versions of what it depends on, except where a reason is given', () => {
      const lock = JSON.parse(readFileSync(path.join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
        packages: Record<string, { version: string }>;
      };
      const pinned = Object.entries(MANIFEST.dependencies).flatMap(([name, range]) => {
        should(semver.validRange(range)).not.equal(null);
        const { version = '' } = lock.packages[`node_modules/${name}`] ?? {};
        should(semver.satisfies(version, range)).equal(true, name);
        const [major, minor, patch] = version.split('.').map(Number);
        const next = `${major}.${minor}.${Number(patch) + 1}`;
        return semver.satisfies(next, range) ? [] : [name];
      });
      should(pinned).deepEqual(Object.keys(PINNED));
    });
  });

  describe('of the nodes', () => {
    it('N01: finds the html file of each, which it derives from the first ".js" of the path', () => {
      for (const file of Object.values(MANIFEST['node-red'].nodes)) {
        should(file.split('.js')).have.length(2);
        should(existsSync(path.join(REPOSITORY, file.replace('.js', '.html')))).be.true();
      }
    });

    it('N01: sees the definition, because it is in the html itself', () => {
      for (const node of NODES) {
        should(node.text).not.match(/<script[^>]*\bsrc=/);
        should(node.text.match(/<script type="text\/javascript">/g)).have.length(1);
      }
    });

    it('aligns none of them like the end of a flow, because all send messages', () => {
      for (const node of inPalette) should(definitionOf(node)).not.have.property('align');
    });
  });

  describe('of icons and colours', () => {
    const folder = path.join(REPOSITORY, 'icons');

    it('has one icon a node, and no icon without a node', () => {
      const used = inPalette.map((node) => definitionOf(node).icon ?? '');
      should(new Set(used).size).equal(used.length);
      should(readdirSync(folder).sort()).deepEqual([...used].sort());
    });

    for (const node of inPalette) {
      const { icon = '', color } = definitionOf(node);
      describe(node.type, () => {
        const text = readFileSync(path.join(folder, icon), 'utf8');

        it('has an icon of 2 to 3, white on nothing', () => {
          const [, width, height] = /^<svg [^>]*width="(\d+)" height="(\d+)"/.exec(text) ?? [];
          should([Number(width), Number(height)]).deepEqual([40, 60]);
          should(text).containEql('viewBox="0 0 40 60"');
          const paints = [...text.matchAll(/\b(?:fill|stroke)="([^"]+)"/g)].map(([, paint]) => paint);
          should(paints).containEql('#fff');
          should(paints.filter((paint) => paint !== '#fff' && paint !== 'none')).deepEqual([]);
          should(text).not.match(/<(image|script|style|foreignObject|text)\b|href=|opacity/);
        });

        it('has an icon and a label that can be seen on its colour', () => {
          const shaded = channels(color).map((value) => value * (1 - SHADE));
          should(contrast(channels(ICON), shaded)).be.aboveOrEqual(LEAST.graphics);
          should(contrast(channels(LABEL), channels(color))).be.aboveOrEqual(LEAST.text);
        });
      });
    }
  });
});
