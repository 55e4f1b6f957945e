import should from 'should';
import { keyOf, readLock, runtimePackages } from '../../../scripts/supply-chain/runtime-packages';
import { type Sbom, sbom } from '../../../scripts/supply-chain/sbom';
import { REPOSITORY } from '../../support/packed-package';
import { MANIFEST } from '../node-files';
import { installedPackages } from './installed';

describe('the bill of materials', () => {
  let bill: Sbom;

  before(function () {
    this.timeout(60_000);
    bill = sbom(REPOSITORY);
  });

  it('is CycloneDX, and calls this package by its name', () => {
    should(bill.bomFormat).equal('CycloneDX');
    should(bill.specVersion).match(/^1\.\d$/);
    should(bill.metadata.component.name).equal(MANIFEST.name);
    should(bill.metadata.component.purl).startWith('pkg:npm/%40red-telephony/node-red-telnyx@');
  });

  it('names every package that is reached without the tools of development, and no tool', () => {
    const named = bill.components.map(keyOf);
    should(
      installedPackages()
        .map(keyOf)
        .filter((key) => !named.includes(key))
    ).deepEqual([]);
    should([...named].sort()).deepEqual(runtimePackages(readLock(REPOSITORY)).map(keyOf).sort());
    should(named.filter((key) => key.startsWith('typescript@'))).deepEqual([]);
  });

  it('has the hash and the licence of each', () => {
    for (const { name, hashes, licenses } of bill.components) {
      should(hashes?.[0]?.content).match(/^[0-9a-f]{128}$/, name);
      should(licenses?.[0]?.license.id).be.a.String();
    }
  });

  it('says what this package itself needs', () => {
    const own = bill.dependencies.find(({ ref }) => ref === bill.metadata.component['bom-ref']);
    const names = own?.dependsOn.map((ref) => ref.slice(0, ref.lastIndexOf('@')));
    should(names?.sort()).deepEqual([...Object.keys(MANIFEST.dependencies), 'wavesurfer.js'].sort());
  });
});
