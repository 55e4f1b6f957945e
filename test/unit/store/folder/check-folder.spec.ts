import { mkdir, readdir, rmdir, symlink, writeFile } from 'node:fs/promises';
import should from 'should';
import { makePrivateDirectory } from '../../../../src/state/private-directory';
import { checkFolder } from '../../../../src/store/folder/check-folder';
import { realFileSystem } from '../../../../src/store/folder/file-system';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import { fileSystemWith, storeFailure, systemError, TestFolder, testOwner } from './store-fixture';

const isLinux = process.platform === 'linux';

describe('store/check-folder', () => {
  let folder: TestFolder;

  beforeEach(async () => {
    folder = await TestFolder.create();
    await writeFile(folder.at('file'), '');
    await symlink(folder.at('nowhere'), folder.at('broken'));
    await symlink(folder.at('two'), folder.at('one'));
    await symlink(folder.at('one'), folder.at('two'));
  });
  afterEach(() => folder.remove());

  const impossible: Record<string, () => string> = {
    'below a file': () => folder.at('file/x/y'),
    'a file': () => folder.at('file'),
    'a broken link': () => folder.at('broken'),
    'below a broken link': () => folder.at('broken/x/y'),
    'a circular link': () => folder.at('one/x'),
    'a path of 100,000 characters': () => `/${'x'.repeat(99_999)}`,
    'a path of 50,000 levels': () => '/x'.repeat(50_000),
    'a name of 300 characters': () => folder.at('x'.repeat(300)),
    ...(isLinux && {
      '/proc/nope': () => '/proc/nope',
      'deep in /proc': () => `/proc${'/nope'.repeat(500)}`,
      '/dev/null/x': () => '/dev/null/x',
      '/sys/nope': () => '/sys/nope/x'
    })
  };

  for (const [what, path] of Object.entries(impossible)) {
    it(`names the setting and the folder: ${what}`, async () => {
      const error = await storeFailure(checkFolder(realFileSystem, path()));
      should(error.message).match(/"Folder"/);
      should(error.message).startWith(`Recordings cannot be stored in "${path().slice(0, 200)}`);
      should(error.message.length).be.below(1000);
    });

    it(`fails to create the folder: ${what}`, async () => {
      const before = process.memoryUsage().rss;
      await storeFailure(createFolderStore({ folder: path(), owner: testOwner() }).openPart('a'));
      (() => makePrivateDirectory(path())).should.throw();
      should(process.memoryUsage().rss - before).be.below(200_000_000);
    });
  }

  it('reports that a disk is read-only', async () => {
    const fs = fileSystemWith({ mkdir: (() => Promise.reject(systemError('EROFS'))) as typeof mkdir });
    const { message } = await storeFailure(checkFolder(fs, folder.at('x')));
    should(message).match(/read-only/);
    should(message).match(/"Folder"/);
  });

  it('leaves nothing behind, and ignores remains of an earlier check', async () => {
    await mkdir(folder.at('.telnyx-check'));
    for (const path of ['archive', 'deep/er/archive', '.'])
      await checkFolder(realFileSystem, folder.at(path));
    should((await readdir(folder.path)).sort()).eql(['broken', 'file', 'one', 'two']);
  });

  it('works for several checks at the same time', async () => {
    await Promise.all(Array.from({ length: 20 }, () => checkFolder(realFileSystem, folder.at('archive'))));
    await mkdir(folder.at('archive'));
    await checkFolder(realFileSystem, folder.at('archive'));
    await rmdir(folder.at('archive'));
  });

  it('creates the folders of the state level by level, for one user only', async () => {
    makePrivateDirectory(folder.at('a/b/c'));
    makePrivateDirectory(folder.at('a/b/c'));
    should(await readdir(folder.at('a/b'))).eql(['c']);
  });
});
