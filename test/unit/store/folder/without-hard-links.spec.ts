import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import should from 'should';
import { type FileSystem, realFileSystem } from '../../../../src/store/folder/file-system';
import { sha256 } from '../../../support/media';
import {
  fileSystemWith,
  publishBytes,
  publish,
  storeFailure,
  systemError,
  TestFolder,
  testOwner
} from './store-fixture';

/** A file system such as exFAT, SMB or some FUSE ones. */
function withoutLinks(code: string, replacements: Partial<FileSystem> = {}): FileSystem {
  return fileSystemWith({ link: () => Promise.reject(systemError(code)), ...replacements });
}

describe('store/publish-file: file systems without hard links', () => {
  const bytes = Buffer.from('the recording');
  const other = Buffer.from('another recording');
  let folder: TestFolder;

  beforeEach(async () => {
    folder = await TestFolder.create();
  });
  afterEach(() => folder.remove());

  for (const code of ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR', 'EMLINK', 'EXDEV'])
    it(`publishes, finds again and never overwrites where link says ${code}`, async () => {
      const store = folder.store(withoutLinks(code));
      const first = await publishBytes(store, 'a', '2026/x.mp3', bytes);
      should(first).eql({ location: folder.at('archive/2026/x.mp3'), alreadyStored: false });
      should(await publishBytes(store, 'b', '2026/x.mp3', bytes)).eql({ ...first, alreadyStored: true });
      const second = await publishBytes(store, 'c', '2026/x.mp3', other);
      should(second.location).equal(folder.at('archive/2026/x_2.mp3'));
      should((await readFile(first.location!)).equals(bytes)).be.true();
      should((await readFile(second.location!)).equals(other)).be.true();
      should(await folder.files()).eql(['2026/x.mp3', '2026/x_2.mp3']);
    });

  it('tries only once to stage a sidecar, which needs a link', async () => {
    const opened: string[] = [];
    const fs = withoutLinks('EPERM', {
      open: (path, ...how) => {
        opened.push(path);
        return realFileSystem.open(path, ...how);
      }
    });
    const store = folder.store(fs);
    for (const name of ['one.mp3', 'two.mp3']) {
      const part = await store.openPart('job');
      await part.write(bytes);
      const file = { name, sha256: sha256(bytes), size: bytes.length, contentType: 'audio/mpeg' };
      const published = await part.publish({ ...file, sidecar: () => ({ sha256: file.sha256 }) });
      should(published.sidecarWritten ?? false).be.false();
    }
    should(opened.filter((path) => path.endsWith('.sidecar'))).have.length(1);
    should(await folder.files()).eql(['one.mp3', 'two.mp3']);
  });

  it('keeps both when they arrive at the same time', async () => {
    const store = folder.store(withoutLinks('EPERM'));
    const contents = Array.from({ length: 8 }, (_, number) => Buffer.from(`recording ${number % 4}`));
    const published = await Promise.all(
      contents.map((content, number) => publishBytes(store, `j${number}`, 'call.mp3', content))
    );
    for (const [number, { location }] of published.entries())
      should((await readFile(location!)).equals(contents[number]!)).be.true();
    should(new Set(published.map(({ location }) => location)).size).equal(4);
  });

  it('resumes its own reservation when the process died between the two steps', async () => {
    const dies = withoutLinks('EPERM', {
      rename: async (from, to) => {
        if (to === folder.at('archive/x.mp3')) throw systemError('EIO');
        await rename(from, to);
      }
    });
    const part = await folder.store(dies, testOwner('killed')).openPart('job');
    await part.write(bytes);
    await storeFailure(publish(part, 'x.mp3', bytes)); // closed, as after a kill
    should(await folder.files()).eql([
      '.telnyx-partial/job.claim',
      '.telnyx-partial/job.part',
      'x.mp3' // empty: the reservation
    ]);
    const again = await folder.store(withoutLinks('EPERM')).openPart('job');
    should(again.size).equal(bytes.length);
    should(await publish(again, 'x.mp3', bytes)).eql({
      location: folder.at('archive/x.mp3'),
      alreadyStored: false
    });
    should((await readFile(folder.at('archive/x.mp3'))).equals(bytes)).be.true();
    should(await folder.files()).eql(['x.mp3']);
  });

  it('does not use the reservation of another job', async () => {
    await mkdir(folder.at('archive'));
    await writeFile(folder.at('archive/x.mp3'), '');
    const { location } = await publishBytes(folder.store(withoutLinks('EPERM')), 'a', 'x.mp3', bytes);
    should(location).equal(folder.at('archive/x_2.mp3'));
    should((await readFile(folder.at('archive/x.mp3'))).length).equal(0);
  });

  it('checks the copy on another disk', async () => {
    const fs = withoutLinks('EXDEV', {
      copyFile: async (_from, to) => {
        await writeFile(to, Buffer.alloc(bytes.length));
      }
    });
    const error = await storeFailure(publishBytes(folder.store(fs), 'a', 'x.mp3', bytes));
    should(error.message).match(/does not match/);
    should(error.retryable).be.true();
    should(await folder.files()).be.empty();
  });

  it('waits for a scanner that briefly locks a file', async () => {
    let refusals = 2;
    const fs = withoutLinks('EPERM', {
      rename: async (from, to) => {
        if (to === folder.at('archive/x.mp3') && refusals-- > 0) throw systemError('EBUSY');
        await rename(from, to);
      }
    });
    const store = folder.store(fs);
    const { location } = await publishBytes(store, 'a', 'x.mp3', bytes);
    should(refusals).equal(-1);
    should(await store.readBack(location!)).have.property('sha256', sha256(bytes));
  });
});
