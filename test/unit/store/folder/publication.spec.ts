import { createHash } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import should from 'should';
import type { FileSystem } from '../../../../src/store/folder/file-system';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import { type SidecarRecord, writeSidecar } from '../../../../src/store/sidecar';
import {
  fileSystemWith,
  publishBytes,
  storeFailure,
  systemError,
  TestFolder,
  testOwner,
  withoutOwner
} from './store-fixture';

const BYTES = Buffer.from('the recording');
const OTHER_BYTES = Buffer.from('another recording');
const FILE = {
  name: '2026/x.wav',
  size: BYTES.length,
  sha256: createHash('sha256').update(BYTES).digest('hex'),
  contentType: 'audio/wav'
};

const sidecar = (location: string): SidecarRecord => ({ sha256: FILE.sha256, path: location });

describe('store/partial-file: publication', () => {
  let folder: TestFolder;
  let synced: string[];

  /** The real file system, which records what is made durable; `fault` makes such a call fail. */
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

  it('makes a sidecar durable together with its file: first both contents, then both names with one sync', async () => {
    const links: string[] = [];
    const fs = watched();
    const store = folder.store({
      ...fs,
      link: async (from, to) => {
        if (synced.includes(from.toString())) links.push(to.toString());
        await fs.link(from, to);
      }
    });
    // The directories exist before the count starts.
    await publishBytes(store, 'before', '2026/before.wav', BYTES);
    [synced, links.length] = [[], 0];
    const part = await store.openPart('a');
    await part.write(BYTES);
    const published = await part.publish({ ...FILE, sidecar });
    const location = folder.at('archive/2026/x.wav');
    should(published).deepEqual({ location, alreadyStored: false, sidecarWritten: true });
    should(JSON.parse(await readFile(`${location}.json`, 'utf8'))).deepEqual(sidecar(location));
    should(links).deepEqual([location, `${location}.json`]);
    should(synced.slice(0, 2).map(withoutOwner).sort()).deepEqual(
      ['a.part', 'a.sidecar'].map((name) => folder.at('archive/.telnyx-partial', name))
    );
    should(synced.slice(2)).deepEqual([folder.at('archive/2026')]);
    should(await folder.files()).eql(['2026/before.wav', '2026/x.wav', '2026/x.wav.json']);
  });

  describe('leaves the sidecar to the caller, and nothing else behind', () => {
    const cases: Record<string, { before?: [name: string, Buffer][]; fs?: FileSystem; found: string[] }> = {
      'when the file gets another name': {
        before: [['2026/x.wav', OTHER_BYTES]],
        found: ['2026/x.wav', '2026/x_2.wav']
      },
      'when the file already exists': { before: [['2026/x.wav', BYTES]], found: ['2026/x.wav'] },
      'when another file has its name': {
        before: [['2026/x.wav.json', OTHER_BYTES]],
        found: ['2026/x.wav', '2026/x.wav.json']
      },
      'when the disk rejects it': {
        fs: watched((path) => path.endsWith('.sidecar')),
        found: ['2026/x.wav']
      }
    };
    for (const [what, { before = [], fs = watched(), found }] of Object.entries(cases))
      it(what, async () => {
        const store = folder.store(fs);
        for (const [index, [name, bytes]] of before.entries())
          await publishBytes(store, `before-${index}`, name, bytes);
        const part = await store.openPart('a');
        await part.write(BYTES);
        const published = await part.publish({ ...FILE, sidecar });
        should(published.sidecarWritten).be.false();
        should((await readFile(published.location!)).equals(BYTES)).be.true();
        should(await folder.files()).eql(found);
        for (const [name, bytes] of before)
          should((await readFile(folder.at('archive', name))).equals(bytes)).be.true();
      });
  });

  it('leaves no sidecar without its file', async () => {
    const store = folder.store(watched((path) => path.endsWith('.part')));
    const part = await store.openPart('a');
    await part.write(BYTES);
    await storeFailure(part.publish({ ...FILE, sidecar }));
    await part.discard();
    should(await folder.files()).be.empty();
  });

  it('replaces the hidden sidecar that a killed process left, even when it was published', async () => {
    const store = folder.store();
    const first = await publishBytes(store, 'first', '2026/first.wav', OTHER_BYTES);
    await writeSidecar(first.location!, { sha256: 'of the first' });
    // Killed after adding the name, before removing the hidden one.
    await link(`${first.location!}.json`, folder.partPaths('a', testOwner('earlier')).sidecar);
    const part = await folder.store().openPart('a');
    await part.write(BYTES);
    should((await part.publish({ ...FILE, sidecar })).sidecarWritten).be.true();
    should(JSON.parse(await readFile(`${first.location!}.json`, 'utf8'))).deepEqual({
      sha256: 'of the first'
    });
    should(await folder.files()).eql(
      ['first.wav', 'first.wav.json', 'x.wav', 'x.wav.json'].map((name) => `2026/${name}`)
    );
  });

  it('fails when the names do not become durable, and keeps the bytes', async () => {
    let failing = true;
    const store = folder.store(watched((path) => failing && path === folder.at('archive/2026')));
    const part = await store.openPart('a');
    await part.write(BYTES);
    const error = await storeFailure(part.publish({ ...FILE, sidecar }));
    should(error.message).match(/EIO/);
    await part.suspend();
    failing = false;
    const again = await publishBytes(store, 'a', FILE.name, BYTES);
    should(again).have.properties({ location: folder.at('archive/2026/x.wav'), alreadyStored: true });
    should(await folder.files()).eql(['2026/x.wav', '2026/x.wav.json']);
  });

  it('continues when the directory is removed after use', async () => {
    const store = folder.store();
    await publishBytes(store, 'a', '2026/x.wav', BYTES);
    await rm(folder.at('archive/2026'), { recursive: true });
    const again = await publishBytes(store, 'b', '2026/x.wav', BYTES);
    should(again).eql({ location: folder.at('archive/2026/x.wav'), alreadyStored: false });
    await rm(folder.at('archive'), { recursive: true });
    await publishBytes(store, 'c', '2026/x.wav', BYTES);
    should(await folder.files()).eql(['2026/x.wav']);
  });

  it('follows no link out of the folder even when its directories are known', async () => {
    let now = 0;
    const store = createFolderStore({ folder: folder.at('archive'), owner: testOwner(), now: () => now });
    await publishBytes(store, 'a', '2026/x.wav', BYTES);
    await mkdir(folder.at('outside'));
    await rename(folder.at('archive/2026'), folder.at('archive/2025'));
    await symlink(folder.at('outside'), folder.at('archive/2026'));
    // A directory counts as unchanged for one second.
    now = 1000;
    await storeFailure(publishBytes(store, 'b', '2026/y.wav', BYTES));
    await rm(folder.at('archive/2026'));
    await writeFile(folder.at('archive/2026'), '');
    should((await storeFailure(publishBytes(store, 'c', '2026/y.wav', BYTES))).message).match(/in the way/);
    should((await stat(folder.at('outside'))).isDirectory()).be.true();
    should(await folder.files()).eql(['2025/x.wav', '2026']);
  });
});
