import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { ALLOWED, INSIDE, notAllowed, withLicences } from '../../../scripts/supply-chain/licences';
import { keyOf, readLock, runtimePackages } from '../../../scripts/supply-chain/runtime-packages';
import { REPOSITORY } from '../../support/packed-package';
import { MANIFEST } from '../node-files';
import { installedPackages } from './installed';

const packages = runtimePackages(readLock(REPOSITORY));

describe('docs/licences.md', () => {
  it('is current (otherwise run: npm run licences)', () => {
    const document = readFileSync(path.join(REPOSITORY, 'docs/licences.md'), 'utf8');
    should(withLicences(document, packages) === document).be.true();
  });

  it('names every package that is reached without the tools of development, with the licence that it states', () => {
    const licences = new Map(packages.map((one) => [keyOf(one), one.licence]));
    const installed = installedPackages();
    for (const one of installed) should(licences.get(keyOf(one))).equal(one.license, keyOf(one));
    should(installed.length).be.above(30);
    should(installed.map(({ name }) => name)).containDeep(Object.keys(MANIFEST.dependencies));
  });

  it('names what is copied into the package', () => {
    should(packages.find(({ way }) => way === 'a copy of a file')?.name).equal('wavesurfer.js');
  });

  it('names the sources inside packages, whose licences are there to read', () => {
    for (const { file, licence } of INSIDE) {
      should(existsSync(path.join(REPOSITORY, 'node_modules', file))).equal(true, file);
      should(ALLOWED).containEql(licence);
    }
  });
});

describe('the licences', () => {
  it('of the whole tree of dependencies are on the list', () => {
    should(notAllowed(packages)).deepEqual([]);
  });

  it('that are not on the list are reported, also those that are missing', () => {
    const lock = {
      packages: {
        '': { version: '1.0.0', license: 'GPL-3.0-only' },
        'node_modules/free': { version: '1.0.0', license: 'MIT' },
        'node_modules/free/node_modules/@scope/shared': { version: '2.0.0', license: 'AGPL-3.0-only' },
        'node_modules/silent': { version: '3.0.0', optional: true },
        'node_modules/tool': { version: '4.0.0', license: 'GPL-3.0-only', dev: true }
      }
    };
    should(notAllowed(runtimePackages(lock))).deepEqual([
      '@scope/shared@2.0.0: AGPL-3.0-only',
      'silent@3.0.0: no licence'
    ]);
  });
});
