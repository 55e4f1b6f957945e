import { readdir } from 'node:fs/promises';
import should from 'should';
import { PARTIAL_DIRECTORY } from '../../../../src/store/folder/archive-path';
import type { Fate } from '../../../../src/store/folder/parts/part-owner';
import { TestFolder, testOwner } from './store-fixture';

const OTHER = 'b'.repeat(32);

describe('the file by which a folder is recognised', () => {
  let folder: TestFolder;

  beforeEach(async () => {
    folder = await TestFolder.create();
  });
  afterEach(() => folder.remove());

  const left = (): Promise<string[]> => readdir(folder.at('archive', PARTIAL_DIRECTORY));

  it('is hidden, has a name of its own for each store, and is seen by all of them', async () => {
    const [one, two] = [folder.store(), folder.store()];
    should(await one.probe.isThere(two.probe.name)).be.false();
    await one.probe.make();
    await two.probe.make();
    await two.probe.make();
    should((await left()).sort()).eql([one.probe.name, two.probe.name].sort());
    should(await one.probe.isThere(two.probe.name)).be.true();
    should(await one.probe.isThere('job.part')).be.false();
    await two.probe.remove();
    await two.probe.remove();
    should(await one.probe.isThere(two.probe.name)).be.false();
    // No partial copy, even where no job is left.
    should(await one.sweep(() => false)).equal(0);
    should(await left()).eql([one.probe.name]);
  });

  const fates: [whose: string, owner: Parameters<typeof testOwner>, fate: Fate, isKept: boolean][] = [
    ['of an earlier process', ['earlier'], 'ended', false],
    ['of another instance whose process has ended', ['theirs', 'ended', OTHER], 'ended', false],
    ['of another instance that works', ['theirs', 'alive', OTHER], 'alive', true],
    ['of another machine', ['theirs', 'unknown', OTHER], 'unknown', true]
  ];
  for (const [whose, owner, fate, isKept] of fates) {
    it(`is ${isKept ? 'left alone' : 'swept'} when it is ${whose}`, async () => {
      const { probe } = folder.store(undefined, testOwner(...owner));
      await probe.make();
      await folder.store(undefined, testOwner('this', fate)).sweep(() => true);
      should(await left()).eql(isKept ? [probe.name] : []);
    });
  }

  it('is swept when a machine that is gone has left it for more than a month', async () => {
    await folder.store(undefined, testOwner('theirs', 'unknown', OTHER)).probe.make();
    should(await folder.sweep(testOwner('this', 'unknown'), 31 * 24 * 60 * 60 * 1000)).equal(1);
    should(await left()).eql([]);
  });
});
