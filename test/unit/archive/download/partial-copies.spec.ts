import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import should from 'should';
import {
  NodeResumeStates,
  ResumePoint,
  clearPartialCopies,
  partialCopyId
} from '../../../../src/archive/download/partial-copies';
import { PARTIAL_DIRECTORY, partPaths } from '../../../../src/store/folder/archive-path';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import { testOwner, withoutOwner } from '../../store/folder/store-fixture';
import { StateFixture } from '../state-fixture';

const MEGABYTE = 1024 * 1024;

describe('partial copies', () => {
  let state: StateFixture;
  let folder: string;
  let notes: NodeResumeStates;

  beforeEach(() => {
    state = new StateFixture();
    folder = path.join(state.directory, 'archive');
    notes = new NodeResumeStates(state.database, 'node', folder);
  });
  afterEach(() => state.remove());

  async function put(place: string, ...names: string[]): Promise<void> {
    await mkdir(path.join(place, PARTIAL_DIRECTORY), { recursive: true });
    for (const name of names) {
      const { name: jobId, ext } = path.parse(name);
      const { part, held } = partPaths(path.join(place, PARTIAL_DIRECTORY), jobId, testOwner('earlier'));
      await writeFile(ext === '.held' ? held : part, 'x');
    }
  }

  const left = async (place: string): Promise<string[]> =>
    (await readdir(path.join(place, PARTIAL_DIRECTORY))).map(withoutOwner);
  const owner = testOwner();
  const mine = (identity: string): string => partialCopyId('node', identity, 'wav');
  const clear = (all: boolean): Promise<void> =>
    clearPartialCopies({
      node: 'node',
      destination: createFolderStore({ folder, owner }),
      owner,
      notes,
      all
    });

  it('stay when a job can resume them, and when they belong to another node', async () => {
    const other = partialCopyId('other', 'a', 'wav');
    await put(folder, `${mine('noted')}.held`, `${mine('unknown')}.part`, `${other}.part`);
    await notes.note(mine('noted'), { etag: '"one"', size: 1000 });
    await clear(false);
    (await left(folder)).sort().should.eql([`${mine('noted')}.held`, `${other}.part`].sort());
    await clear(true);
    (await left(folder)).should.eql([`${other}.part`]);
  });

  it('do not stay in a folder that the node no longer uses', async () => {
    const before = path.join(state.directory, 'before');
    await put(before, `${mine('a')}.held`, 'somebody_elses.part');
    await new NodeResumeStates(state.database, 'node', before).note(mine('a'), { etag: '"one"', size: 1000 });
    should(notes.begun(mine('a'))).be.undefined();
    await clear(false);
    (await left(before)).should.eql(['somebody_elses.part']);
    should(new NodeResumeStates(state.database, 'node', before).begun(mine('a'))).be.undefined();
  });

  it('cause no failure when the folder cannot be read', async () => {
    await writeFile(folder, 'a file');
    await clear(false);
  });

  describe('ResumePoint', () => {
    it('is on disk once there is much to lose, and after an attempt that failed early', async () => {
      const point = new ResumePoint(notes, 'copy');
      await point.begin(0);
      point.validator('"one"', 1000);
      point.received(MEGABYTE - 1);
      should(notes.begun('copy')?.etag).be.undefined();
      point.received(MEGABYTE);
      await state.database.commit([notesMark()]);
      should(notes.begun('copy')).eql({ etag: '"one"', size: 1000 });

      const small = new ResumePoint(notes, 'small');
      await small.begin(0);
      small.validator('"two"', 1000);
      await small.keep(10);
      should(notes.begun('small')?.etag).equal('"two"');
    });

    it('never describes the bytes of another file', async () => {
      await notes.note('copy', { etag: '"one"', size: 1000 });
      const lost = new ResumePoint(notes, 'copy');
      await lost.begin(0);
      should(lost.file).be.undefined();
      should(notes.begun('copy')?.etag).be.undefined();

      await notes.note('copy', { etag: '"one"', size: 1000 });
      const changed = new ResumePoint(notes, 'copy');
      await changed.begin(100);
      should(changed.file).eql({ etag: '"one"', size: 1000 });
      changed.validator('"other"', 1000);
      await state.database.commit([notesMark()]);
      should(notes.begun('copy')?.etag).be.undefined();
      await changed.keep(100);
      should(notes.begun('copy')?.etag).equal('"other"');
      changed.forget();
      await state.database.commit([notesMark()]);
      should(notes.begun('copy')?.etag).be.undefined();
    });

    it('is unused without a strong validator, and survives a failing state', async () => {
      const point = new ResumePoint(notes, 'copy');
      await point.begin(0);
      point.validator(null, 1000);
      point.received(2 * MEGABYTE);
      await point.keep(2 * MEGABYTE);
      should(notes.begun('copy')?.etag).be.undefined();

      const failing = new ResumePoint(
        {
          begun: () => undefined,
          note: () => Promise.reject(new Error('disk full')),
          forget: () => Promise.reject(new Error('disk full'))
        },
        'copy'
      );
      await failing.begin(0);
      failing.validator('"one"', 1000);
      failing.received(2 * MEGABYTE);
      await failing.keep(2 * MEGABYTE);
    });

    /** A write after the notes: once it is on disk, so are they. */
    const notesMark = () => state.database.collection('marks').putting('mark', true);
  });
});
