import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmod,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile
} from 'node:fs/promises';
import { join } from 'node:path';
import should from 'should';
import { realFileSystem } from '../../../../src/store/folder/file-system';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import { sha256 } from '../../../support/media';
import { requireMount } from '../../../support/real-parts';
import {
  fileSystemWith,
  publish,
  publishBytes,
  readAll,
  storeFailure,
  systemError,
  TestFolder,
  testOwner
} from './store-fixture';

describe('store/folder-store: failing disks', () => {
  const bytes = randomBytes(3_000_000);
  let folder: TestFolder;

  beforeEach(async () => {
    folder = await TestFolder.create();
  });
  afterEach(() => folder.remove());

  it('reports that the disk is full, keeps what fits, and resumes when there is room', async function () {
    const mount = requireMount(this, '2m');
    try {
      const store = createFolderStore({ folder: join(mount.directory, 'archive'), owner: testOwner() });
      const part = await store.openPart('job');
      const error = await storeFailure(
        (async () => {
          for (let at = 0; at < bytes.length; at += 65_536) await part.write(bytes.subarray(at, at + 65_536));
          await publish(part, 'x.wav', bytes);
        })()
      );
      should(error.retryable).be.true();
      should(error.message).match(/the disk is full.*ENOSPC/);
      await part.suspend();

      execFileSync('mount', ['-o', 'remount,size=16m', mount.directory]);
      const again = await store.openPart('job');
      should(again.size).be.above(1_000_000);
      should((await readAll(again)).equals(bytes.subarray(0, again.size))).be.true();
      await again.write(bytes.subarray(again.size));
      const { location } = await publish(again, 'x.wav', bytes);
      should(await store.readBack(location!)).eql({ sha256: sha256(bytes), size: bytes.length });
    } finally {
      mount.unmount();
    }
  });

  it('reports that the disk is read-only', async function () {
    const mount = requireMount(this, '2m');
    try {
      execFileSync('mount', ['-o', 'remount,ro', mount.directory]);
      const error = await storeFailure(
        createFolderStore({ folder: join(mount.directory, 'a'), owner: testOwner() }).openPart('job')
      );
      should(error.message).match(/read-only.*EROFS/);
      should(error.retryable).be.true();
    } finally {
      mount.unmount();
    }
  });

  it('copies a file to another disk that is mounted below the folder', async function () {
    const mount = requireMount(this, '16m');
    try {
      await mkdir(folder.at('archive/other-disk'), { recursive: true });
      execFileSync('mount', ['--bind', mount.directory, folder.at('archive/other-disk')]);
      try {
        const store = folder.store();
        const { location } = await publishBytes(store, 'a', 'other-disk/2026/x.wav', bytes);
        should(await store.readBack(location!)).eql({ sha256: sha256(bytes), size: bytes.length });
        const again = await publishBytes(store, 'b', 'other-disk/2026/x.wav', bytes);
        should(again).eql({ location, alreadyStored: true });
        should(await folder.files()).eql(['other-disk/2026/x.wav']);
      } finally {
        execFileSync('umount', ['-l', folder.at('archive/other-disk')]);
      }
    } finally {
      mount.unmount();
    }
  });

  it('explains a missing permission', async function () {
    if (process.getuid?.() === 0) {
      // Permissions do not bind root: the test itself makes the denial.
      const fs = fileSystemWith({ mkdir: (() => Promise.reject(systemError('EACCES'))) as typeof mkdir });
      should((await storeFailure(folder.store(fs).openPart('a'))).message).match(/not permitted.*EACCES/);
      return;
    }
    await mkdir(folder.at('archive'));
    await chmod(folder.at('archive'), 0o555);
    should((await storeFailure(folder.store().openPart('a'))).message).match(/not permitted.*EACCES/);
    await chmod(folder.at('archive'), 0o755);
  });

  it('explains a file where a folder is needed', async () => {
    await writeFile(folder.at('archive'), '');
    await storeFailure(folder.store().openPart('a'));
    await rm(folder.at('archive'));
    await mkdir(folder.at('archive'));
    await writeFile(folder.at('archive/2026'), '');
    const error = await storeFailure(publishBytes(folder.store(), 'a', '2026/x.mp3', bytes));
    should(error.message).match(/folder is needed/);
  });

  it('survives the removal of the folder meanwhile', async () => {
    const store = folder.store();
    const part = await store.openPart('a');
    await part.write(bytes);
    await rm(folder.at('archive'), { recursive: true });
    should((await storeFailure(publish(part, 'x.wav', bytes))).retryable).be.true();
    await part.suspend();
    const again = await store.openPart('a');
    should(again.size).equal(0);
    await again.write(bytes);
    await publish(again, 'x.wav', bytes);
    should(await folder.files()).eql(['x.wav']);
  });

  it('suspends only durable bytes: a power cut may come before the next attempt', async () => {
    const steps: string[] = [];
    const fs = fileSystemWith({
      open: async (...args: Parameters<typeof open>) => {
        const handle = await open(...args);
        const sync = handle.sync.bind(handle);
        handle.sync = async () => {
          await sync();
          steps.push(`sync of ${(await handle.stat()).size} bytes`);
        };
        return handle;
      },
      rename: (from, to) => {
        steps.push(String(to).replace(/.*\./, 'becomes .'));
        return rename(from, to);
      }
    });
    const part = await folder.store(fs).openPart('a');
    await part.write(bytes);
    await part.suspend();
    should(steps.slice(-2)).eql([`sync of ${bytes.length} bytes`, 'becomes .held']);
  });

  it('does not trust a copy whose sync failed', async () => {
    let failing = true;
    const fs = fileSystemWith({
      open: async (...args: Parameters<typeof open>) => {
        const handle = await open(...args);
        const sync = handle.sync.bind(handle);
        handle.sync = () => {
          if (!failing || !args[0].toString().endsWith('.part')) return sync();
          failing = false; // like Linux: the second sync does not report the fault of the first
          return Promise.reject(systemError('EIO'));
        };
        return handle;
      }
    });
    const store = folder.store(fs);
    const part = await store.openPart('a');
    await part.write(bytes);
    const error = await storeFailure(publish(part, 'x.wav', bytes));
    should(error.message).match(/disk reports a fault.*EIO/);
    await part.suspend();
    should(await folder.files()).be.empty();
    await publishBytes(store, 'a', 'x.wav', bytes);
    should(await folder.files()).eql(['x.wav']);
  });

  it('does not sync again after a failed sync, even when the folder has moved', async () => {
    let syncs = 0;
    const fs = fileSystemWith({
      open: async (...args: Parameters<typeof open>) => {
        const handle = await open(...args);
        const sync = handle.sync.bind(handle);
        handle.sync = () => {
          if (!args[0].toString().endsWith('.part')) return sync();
          syncs += 1;
          return syncs === 1 ? Promise.reject(systemError('ENOENT')) : sync();
        };
        return handle;
      }
    });
    const part = await folder.store(fs).openPart('a');
    await part.write(bytes);
    await storeFailure(publish(part, 'x.wav', bytes));
    should(syncs).equal(1);
    await part.suspend();
    should(await folder.files()).be.empty();
  });

  it('rejects a copy that became shorter on its way', async () => {
    const store = folder.store();
    const part = await store.openPart('a');
    await part.write(bytes);
    // Reading waits until everything is in the file.
    await readAll(part);
    const [name] = await readdir(folder.at('archive/.telnyx-partial'));
    await truncate(folder.at('archive/.telnyx-partial', name!), 1000);
    const error = await storeFailure(publish(part, 'x.wav', bytes));
    should(error.message).match(/holds 1000 bytes instead of/);
    await part.suspend();
    should(await folder.files()).be.empty();
  });

  it('publishes nothing when the disk does not report its length', async () => {
    const fs = fileSystemWith({
      open: async (path, ...how) => {
        const handle = await realFileSystem.open(path, ...how);
        handle.stat = () => Promise.reject(systemError('ESTALE'));
        return handle;
      }
    });
    const part = await folder.store(fs).openPart('a');
    await part.write(bytes);
    await storeFailure(publish(part, 'x.wav', bytes));
    await part.discard();
    should(await folder.files()).be.empty();
  });

  it('closes a copy that it cannot resume', async () => {
    let opened = 0;
    const fs = fileSystemWith({
      open: async (path, ...how) => {
        const handle = await realFileSystem.open(path, ...how);
        const close = handle.close.bind(handle);
        handle.stat = () => Promise.reject(systemError('ESTALE'));
        handle.close = () => {
          opened -= 1;
          return close();
        };
        opened += 1;
        return handle;
      }
    });
    const held = await folder.store().openPart('a');
    await held.write(bytes);
    await held.suspend();
    await storeFailure(folder.store(fs).openPart('a'));
    should(opened).equal(0);
  });

  it('reports a write that fails in the background, and keeps only the written bytes', async () => {
    const fs = fileSystemWith({
      open: async (...args: Parameters<typeof open>) => {
        const handle = await open(...args);
        const writev = handle.writev.bind(handle);
        // Two short writes, like those of an almost full disk, then none.
        let calls = 0;
        handle.writev = (async (buffers: Uint8Array[], position: number) => {
          calls++;
          if (calls > 2) {
            await writev([Buffer.alloc(1000)], position);
            throw systemError('ENOSPC');
          }
          return await writev([Buffer.concat(buffers).subarray(0, 400_001)], position);
        }) as typeof handle.writev;
        return handle;
      }
    });
    const part = await folder.store(fs).openPart('a');
    await storeFailure(
      (async () => {
        for (let at = 0; at < bytes.length; at += 65_536) await part.write(bytes.subarray(at, at + 65_536));
        await publish(part, 'x.wav', bytes);
      })()
    );
    await part.suspend();
    const again = await folder.store().openPart('a');
    should(again.size).equal(800_002);
    should((await readAll(again)).equals(bytes.subarray(0, 800_002))).be.true();
    await again.discard();
  });

  it('works where directories cannot be synced', async () => {
    const fs = fileSystemWith({
      open: async (...args: Parameters<typeof open>) => {
        if ((await stat(args[0]).catch(() => null))?.isDirectory() === true) throw systemError('EISDIR');
        return await open(...args);
      }
    });
    await publishBytes(folder.store(fs), 'a', '2026/x.wav', bytes);
    should((await readFile(folder.at('archive/2026/x.wav'))).equals(bytes)).be.true();
  });

  it('reports what is missing when a stored copy cannot be read back', async () => {
    const error = await storeFailure(folder.store().readBack(folder.at('archive/gone.wav')));
    should(error.message).match(/ENOENT/);
  });
});
