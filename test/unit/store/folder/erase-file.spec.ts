import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import type { CopyToErase } from '../../../../src/store/destination';
import { type FileSystem, realFileSystem } from '../../../../src/store/folder/file-system';
import type { FolderStore } from '../../../../src/store/folder/folder-store';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import { sha256 } from '../../../support/media';
import { publishBytes, TestFolder } from './store-fixture';

const BYTES = Buffer.from('the recording');
const permitted = (): Promise<void> => Promise.resolve();

describe('a recording in a folder is deleted for good', () => {
  let folder: TestFolder;
  let store: FolderStore;
  let copy: CopyToErase;

  beforeEach(async () => {
    folder = await TestFolder.create();
    store = folder.store();
    copy = await stored('a');
  });
  afterEach(() => folder.remove());

  async function stored(name: string): Promise<CopyToErase> {
    const { location } = await publishBytes(store, name, `2026/${name}.mp3`, BYTES);
    const text = store.locationOf(`2026/${name}.txt`)!;
    const hash = sha256(BYTES);
    await store.sidecars.write(location!, { sha256: hash, recording_id: name } as StoredRecording);
    await store.transcripts.create(text, 'Hello.');
    return { location: location!, sha256: hash, size: BYTES.length, versionId: null, text };
  }
  const visible = async (): Promise<string[]> =>
    (await folder.files()).filter((name) => !name.startsWith('.'));

  it('with text and sidecar, and nothing else', async () => {
    await stored('b');
    should(await store.erase(copy, permitted)).equal(3);
    should(await visible()).eql(['2026/b.mp3', '2026/b.mp3.json', '2026/b.txt']);
    should(await store.erase(copy, permitted)).equal(0);
  });

  it('with damaged copies of it that were set aside, and no others', async () => {
    await writeFile(copy.location, 'damaged');
    await store.setAside(copy.location, { expected: copy.sha256, fresh: copy.sha256 });
    const other = `${copy.location}.damaged-20260101T000000Z`;
    await writeFile(other, 'of another recording');
    await writeFile(`${other}.json`, JSON.stringify({ sha256: 'b'.repeat(64) }));
    should((await visible()).filter((name) => name.includes('.damaged-'))).have.length(4);
    should(await store.erase(copy, permitted)).equal(3);
    should(await visible()).eql([
      '2026/a.mp3.damaged-20260101T000000Z',
      '2026/a.mp3.damaged-20260101T000000Z.json'
    ]);
  });

  it('even when it is damaged, for its sidecar names it', async () => {
    await writeFile(copy.location, 'damaged');
    should(await store.erase(copy, permitted)).equal(3);
    should(await visible()).eql([]);
  });

  it('without a sidecar, when its bytes are there', async () => {
    const { location } = await publishBytes(store, 'c', '2026/c.mp3', BYTES);
    should(await store.erase({ ...copy, location: location!, text: null }, permitted)).equal(1);
    should(await visible()).eql(['2026/a.mp3', '2026/a.mp3.json', '2026/a.txt']);
  });

  it('never in place of another one that has its name by now', async () => {
    await writeFile(copy.location, 'another');
    await writeFile(`${copy.location}.json`, JSON.stringify({ sha256: 'b'.repeat(64) }));
    await should(store.erase(copy, permitted)).be.rejectedWith({
      code: 'STORE_FAILED',
      message: /is another file than the recording/
    });
    should(await visible()).have.length(3);
  });

  it('only while that is permitted', async () => {
    let asked = 0;
    const refusing = (): Promise<void> =>
      ++asked < 2 ? Promise.resolve() : Promise.reject(new CodedError('DELETION_REFUSED', 'A hold came.'));
    await should(store.erase(copy, refusing)).be.rejectedWith({ code: 'DELETION_REFUSED' });
    should(await visible()).eql(['2026/a.mp3', '2026/a.mp3.json']);
    should(await store.erase(copy, permitted)).equal(2);
  });

  it('in several goes, the sidecar last', async () => {
    const order: string[] = [];
    let left = 0;
    const dying: FileSystem = {
      ...realFileSystem,
      unlink: async (path) => {
        if (left-- <= 0) throw Object.assign(new Error('gone'), { code: 'EIO' });
        order.push(String(path).slice(copy.location.length - 5));
        await realFileSystem.unlink(path);
      }
    };
    for (left = 0; left < 1; left = 0) {
      left = 1;
      const more = await folder
        .store(dying)
        .erase(copy, permitted)
        .catch((error: unknown) => (error as CodedError).code);
      if (more === 'STORE_FAILED') continue;
      break;
    }
    should(order).eql(['a.txt', 'a.mp3', 'a.mp3.json']);
    should(await visible()).eql([]);
  });

  it('never outside of the folder', async () => {
    const outside = folder.at('outside.mp3');
    await writeFile(outside, BYTES);
    const refused = { code: 'STORE_FAILED', message: /is not in the folder/ };
    await should(store.erase({ ...copy, location: outside, text: null }, permitted)).be.rejectedWith(refused);
    await should(store.erase({ ...copy, text: outside }, permitted)).be.rejectedWith(refused);
    await mkdir(folder.at('elsewhere'));
    await writeFile(folder.at('elsewhere', 'a.mp3'), BYTES);
    await symlink(folder.at('elsewhere'), folder.at('archive', 'way-out'));
    const through = folder.at('archive', 'way-out', 'a.mp3');
    await should(store.erase({ ...copy, location: through, text: null }, permitted)).be.rejectedWith(refused);
    should(await readFile(through)).eql(BYTES);
    should(await visible()).containDeep(['2026/a.mp3', '2026/a.mp3.json', '2026/a.txt']);
  });

  it('never when its name is a folder or a link', async () => {
    await mkdir(folder.at('archive', 'd.mp3'));
    await symlink(copy.location, folder.at('archive', 'e.mp3'));
    for (const name of ['d.mp3', 'e.mp3'])
      await should(
        store.erase({ ...copy, location: folder.at('archive', name), text: null }, permitted)
      ).be.rejectedWith({ code: 'STORE_FAILED', message: /is not a file/ });
    should(await readFile(copy.location)).eql(BYTES);
  });
});
