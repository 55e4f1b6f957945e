import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import should from 'should';
import type { FileSystem } from '../../../src/store/file-system';
import { createFolderStore } from '../../../src/store/folder-store';
import type { PublishedFile } from '../../../src/store/store';
import { writeSidecar } from '../../../src/store/sidecar';
import { fileSystemWith, publishBytes, storeFailure, systemError, TestFolder } from './store-fixture';

const BYTES = Buffer.from('the recording');
const FILE = {
  name: '2026/x.wav',
  size: BYTES.length,
  sha256: createHash('sha256').update(BYTES).digest('hex'),
  contentType: 'audio/wav'
};

describe('store/partial-file: publication', () => {
  let folder: TestFolder;
  let synced: string[];

  /** The real file system, which writes down what is made durable; `fault` makes such a call fail. */
  function watched(fault: (path: string) => boolean = () => false): FileSystem {
    return fileSystemWith({
      open: async (...args: Parameters<typeof open>) => {
        const handle = await open(...args);
        const sync = handle.sync.bind(handle);
        const path = args[0].toString();
        handle.sync = async () => {
          synced.push(path);
          if (fault(path)) throw systemError('EIO');
          await sync();
        };
        return handle;
      }
    });
  }

  beforeEach(async () => {
    folder = await TestFolder.create();
    synced = [];
  });
  afterEach(() => folder.remove());

  it('makes what is written beside a file durable along with its name, by one sync', async () => {
    const fs = watched();
    const store = folder.store(fs);
    // The directories are there before anything is counted.
    await publishBytes(store, 'before', '2026/before.wav', BYTES);
    synced = [];
    const part = await store.openPart('a');
    await part.write(BYTES);
    const told: PublishedFile[] = [];
    const published = await part.publish(FILE, async (placed) => {
      told.push(placed);
      should((await readFile(placed.location!)).equals(BYTES)).be.true();
      // Only the content so far: no name is durable yet.
      await writeSidecar(placed.location!, { sha256: FILE.sha256 }, fs, 'left-to-caller');
      should(synced.includes(folder.at('archive/2026'))).be.false();
    });
    should(told).deepEqual([published]);
    should(synced[0]).equal(folder.at('archive/.telnyx-partial/a.part'));
    should(synced.at(-1)).equal(folder.at('archive/2026'));
    should(synced).have.length(3);
    should(await folder.files()).eql(['2026/before.wav', '2026/x.wav', '2026/x.wav.json']);
  });

  it('counts as failed when the names did not become durable, and keeps the bytes', async () => {
    let failing = true;
    const store = folder.store(watched((path) => failing && path === folder.at('archive/2026')));
    const part = await store.openPart('a');
    await part.write(BYTES);
    const error = await storeFailure(part.publish(FILE, () => Promise.resolve()));
    should(error.message).match(/EIO/);
    await part.suspend();
    failing = false;
    const again = await publishBytes(store, 'a', FILE.name, BYTES);
    should(again).eql({ location: folder.at('archive/2026/x.wav'), alreadyStored: true });
    should(await folder.files()).eql(['2026/x.wav']);
  });

  it('goes on when somebody removed the directory that was just used', async () => {
    const store = folder.store();
    await publishBytes(store, 'a', '2026/x.wav', BYTES);
    await rm(folder.at('archive/2026'), { recursive: true });
    const again = await publishBytes(store, 'b', '2026/x.wav', BYTES);
    should(again).eql({ location: folder.at('archive/2026/x.wav'), alreadyStored: false });
    await rm(folder.at('archive'), { recursive: true });
    await publishBytes(store, 'c', '2026/x.wav', BYTES);
    should(await folder.files()).eql(['2026/x.wav']);
  });

  it('still follows no link out of the folder once its directories are known', async () => {
    let now = 0;
    const store = createFolderStore({ folder: folder.at('archive'), now: () => now });
    await publishBytes(store, 'a', '2026/x.wav', BYTES);
    await mkdir(folder.at('outside'));
    await rename(folder.at('archive/2026'), folder.at('archive/2025'));
    await symlink(folder.at('outside'), folder.at('archive/2026'));
    // A second is how long a directory is taken to be what it was.
    now = 1000;
    await storeFailure(publishBytes(store, 'b', '2026/y.wav', BYTES));
    await rm(folder.at('archive/2026'));
    await writeFile(folder.at('archive/2026'), '');
    should((await storeFailure(publishBytes(store, 'c', '2026/y.wav', BYTES))).message).match(/in the way/);
    should((await stat(folder.at('outside'))).isDirectory()).be.true();
    should(await folder.files()).eql(['2025/x.wav', '2026']);
  });
});
