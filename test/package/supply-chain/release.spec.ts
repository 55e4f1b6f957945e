import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { REPOSITORY } from '../../support/packed-package';
import { MANIFEST } from '../node-files';

const WORKFLOWS = path.join(REPOSITORY, '.github/workflows');
const release = readFileSync(path.join(WORKFLOWS, 'release.yml'), 'utf8');
const guide = readFileSync(path.join(REPOSITORY, 'docs/releases.md'), 'utf8');

describe('a release', () => {
  it('is published with provenance only, so not from a laptop', () => {
    should(MANIFEST.publishConfig).deepEqual({ access: 'public', provenance: true });
    should(release).containEql('id-token: write');
  });

  it('uses actions by their commit, which nobody can move', () => {
    const used = release.split('\n').filter((line) => line.includes('uses:'));
    should(used).not.be.empty();
    for (const line of used) should(line).match(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('runs no script of a dependency where it may publish, and uses no token', () => {
    const publish = release.slice(release.indexOf('  publish:'));
    should(publish).containEql('npm ci --ignore-scripts');
    should(publish).not.containEql('secrets.');
    should(publish).not.match(/\bnpm (install|ci)(?! --ignore-scripts)/);
  });

  it('has the names that the guide tells the maintainer to enter', () => {
    should(readdirSync(WORKFLOWS)).containEql('release.yml');
    should(release).match(/^ {4}environment: npm$/m);
    for (const name of ['`release.yml`', 'environment\n  `npm`', 'sbom.cdx.json'])
      should(guide).containEql(name);
  });

  it('has a package without install scripts', () => {
    const names = ['preinstall', 'install', 'postinstall', 'prepare'];
    should(names.filter((name) => name in MANIFEST.scripts)).deepEqual([]);
  });
});
