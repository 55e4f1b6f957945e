import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, lstat, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import should from 'should';
import { processIdentity, systemProcesses } from '../../../../src/state/process-identity';
import { readPartName } from '../../../../src/store/folder/archive-path';
import { type FileSystem, realFileSystem } from '../../../../src/store/folder/file-system';
import { type Fate, fateOf, ownProcess, partOwner } from '../../../../src/store/folder/parts/part-owner';
import { setAside } from '../../../../src/store/folder/quarantine';
import { clearTemporaries, temporaryName } from '../../../../src/store/folder/whole-file';
import { readSidecar, writeSidecar } from '../../../../src/store/sidecar';
import { withClockSet } from '../../../support/clock-set';
import { sha256 } from '../../../support/media';
import { until } from '../../../support/until';
import {
  INSTANCE,
  TestFolder,
  aged,
  fileSystemWith,
  publish,
  publishBytes,
  readAll,
  storeFailure,
  systemError,
  testOwner
} from './store-fixture';

const OTHER_INSTANCE = 'b'.repeat(32);
const DAY = 24 * 60 * 60 * 1000;

describe('store/folder-store: two processes', () => {
  const bytes = Buffer.alloc(3_000_000, 'the recording ');
  const half = bytes.subarray(0, 1_200_000);
  let folder: TestFolder;

  beforeEach(async () => {
    folder = await TestFolder.create();
  });
  afterEach(() => folder.remove());

  const hidden = (): Promise<string[]> => readdir(folder.at('archive/.telnyx-partial'));

  for (const [whose, first, second] of [
    ['of two installations', testOwner('one', 'unknown'), testOwner('two', 'unknown', OTHER_INSTANCE)],
    [
      'of one installation, the first of which is fenced off',
      testOwner('one', 'unknown'),
      testOwner('two', 'unknown')
    ]
  ] as const)
    it(`never write into the file that the other published: ${whose}`, async () => {
      const one = await folder.store(realFileSystem, first).openPart('job');
      await one.write(half);
      await readAll(one);
      const two = await folder.store(realFileSystem, second).openPart('job');
      await two.write(bytes.subarray(two.size));
      const { location } = await publish(two, '2026/x.wav', bytes);
      // The first continues as if nothing had happened, and is then stopped.
      await one.write(Buffer.alloc(500_000, 'late'));
      await one.suspend();
      should(sha256(await readFile(location!))).equal(sha256(bytes));
      const third = await folder.store(realFileSystem, first).openPart('job');
      await third.write(half);
      await third.suspend();
      should(sha256(await readFile(location!))).equal(sha256(bytes));
    });

  it('publish one file when both have the same recording at the same time, and one reports it', async () => {
    for (const fs of [realFileSystem, fileSystemWith({ link: () => Promise.reject(systemError('EPERM')) })]) {
      const names = Array.from({ length: 20 }, (_value, number) => `${number}.wav`);
      const stores = [testOwner('one'), testOwner('two', 'unknown', OTHER_INSTANCE)].map((owner) =>
        folder.store(fs, owner)
      );
      const published = await Promise.all(
        names.map((name) =>
          Promise.all(stores.map((store) => publishBytes(store, `j${name}`.replace('.', '-'), name, half)))
        )
      );
      for (const both of published) {
        should(both.map(({ alreadyStored }) => alreadyStored).sort()).eql([false, true]);
        should(new Set(both.map(({ location }) => location)).size).equal(1);
        should((await readFile(both[0]!.location!)).equals(half)).be.true();
      }
      should(await folder.files()).eql([...names].sort());
      await rm(folder.at('archive'), { recursive: true });
    }
  });

  describe('of one installation, one after another', () => {
    const left = async (fate: 'ended' | 'another-boot' | 'unknown'): Promise<number> => {
      const part = await folder.store(realFileSystem, testOwner('first')).openPart('job');
      await part.write(half);
      await readAll(part);
      const next = await folder.store(realFileSystem, testOwner('next', fate)).openPart('job');
      const { size } = next;
      if (size > 0) should((await readAll(next)).equals(half)).be.true();
      should((await hidden()).map((name) => readPartName(name)?.process)).eql(['next']);
      await next.discard();
      return size;
    };

    it('resume what a finished process left', async () => {
      should(await left('ended')).equal(half.length);
    });

    it('copy the bytes of a process that may still be alive, such as in another container', async () => {
      should(await left('unknown')).equal(half.length);
    });

    it('start over after a power cut', async () => {
      should(await left('another-boot')).equal(0);
    });

    it('start over when it is unknown which of two copies is newer', async () => {
      for (const owner of ['first', 'second']) {
        const path = folder.partPaths('job', testOwner(owner)).part;
        await mkdir(folder.at('archive/.telnyx-partial'), { recursive: true });
        await writeFile(path, half);
      }
      const part = await folder.store(realFileSystem, testOwner('third')).openPart('job');
      should(part.size).equal(0);
      should(await hidden()).have.length(1);
      await part.discard();
    });

    it('take over nothing that gets a second name meanwhile', async () => {
      await mkdir(folder.at('archive/.telnyx-partial'), { recursive: true });
      await writeFile(folder.partPaths('job', testOwner('first')).part, half);
      const fs = fileSystemWith({
        rename: async (from, to) => {
          await link(from, folder.at('archive/x.wav'));
          await rename(from, to);
        }
      });
      const part = await folder.store(fs, testOwner('next')).openPart('job');
      should(part.size).equal(0);
      await part.write(bytes);
      await part.discard();
      should((await readFile(folder.at('archive/x.wav'))).equals(half)).be.true();
    });
  });

  it('neither write into a copy that has a second name, nor truncate it', async () => {
    for (const end of ['write', 'suspend'] as const) {
      const part = await folder.store().openPart('job');
      await part.write(half);
      await readAll(part);
      const [name] = await hidden();
      await link(folder.at('archive/.telnyx-partial', name!), folder.at(`archive/${end}.wav`));
      if (end === 'write') {
        await storeFailure(
          (async () => {
            await part.write(bytes.subarray(half.length));
            await publish(part, 'other.wav', bytes);
          })()
        );
      }
      await part.suspend();
      should((await readFile(folder.at(`archive/${end}.wav`))).equals(half)).be.true();
    }
    should(await folder.files()).eql(['suspend.wav', 'write.wav']);
  });

  it('do not publish a file that another program put in place of the copy', async () => {
    const part = await folder.store().openPart('job');
    await part.write(bytes);
    await readAll(part);
    const path = folder.at('archive/.telnyx-partial', (await hidden())[0]!);
    await writeFile(folder.at('other'), Buffer.alloc(bytes.length));
    await rename(folder.at('other'), path);
    const error = await storeFailure(publish(part, 'x.wav', bytes));
    should(error.message).match(/Another program/);
    should(error.retryable).be.true();
    await part.discard();
    should(await folder.files()).be.empty();
  });

  it('publish after reading back, where a disk gives a file a new inode number each time', async () => {
    let ino = 0;
    const fs = fileSystemWith({
      lstat: (async (path: string) => Object.assign(await lstat(path), { ino: (ino += 1) })) as typeof lstat
    });
    const { location } = await publishBytes(folder.store(fs), 'job', 'x.wav', bytes);
    should((await readFile(location!)).equals(bytes)).be.true();
  });

  describe('clear away', () => {
    const other = testOwner('other', 'unknown', OTHER_INSTANCE);

    async function put(...paths: string[]): Promise<void> {
      await mkdir(folder.at('archive/.telnyx-partial'), { recursive: true });
      for (const path of paths) await writeFile(path, 'x');
    }

    const sweep = async (fate: Fate, after: number): Promise<string[]> => {
      const owner = testOwner('this', fate);
      await folder.sweep(owner, after);
      return (await hidden()).map((name) => readPartName(name)!.kind).sort();
    };

    it('nothing that another installation may need', async () => {
      const paths = folder.partPaths('job', other);
      await put(...Object.values<string>({ ...paths }));
      should(await sweep('unknown', 29 * DAY)).eql(['claim', 'held', 'part', 'sidecar']);
      should(await sweep('unknown', 31 * DAY)).eql([]);
    });

    it('what a dead process of another installation left, a day later', async () => {
      await put(...Object.values<string>({ ...folder.partPaths('job', other) }));
      should(await sweep('ended', 0.9 * DAY)).eql(['claim', 'held', 'part', 'sidecar']);
      should(await sweep('ended', 1.1 * DAY)).eql(['held']);
    });

    it('what a version without owners in names left, a day later, and never resume it', async () => {
      const former = ['part', 'held', 'claim', 'sidecar'].map((kind) =>
        folder.at(`archive/.telnyx-partial/job.${kind}`)
      );
      await put(...former);
      const part = await folder.store().openPart('job');
      should(part.size).equal(0);
      await part.discard();
      should(await sweep('unknown', 0.9 * DAY)).have.length(4);
      should(await sweep('unknown', 1.1 * DAY)).eql([]);
    });

    it('nothing of a process that is alive, however old it looks', async () => {
      await put(...Object.values<string>({ ...folder.partPaths('job', other) }));
      should(await sweep('alive', 29 * DAY)).have.length(4);
      should(await sweep('alive', 1000 * DAY)).eql(['claim', 'part', 'sidecar']);
    });

    it('files from the future: a clock was wrong', async () => {
      await put(...Object.values<string>({ ...folder.partPaths('job', other) }));
      should(await sweep('unknown', -29 * DAY)).have.length(4);
      should(await sweep('unknown', -31 * DAY)).eql([]);
    });

    it('by the clock of the disk, not by that of this machine', async () => {
      await put(...Object.values<string>({ ...folder.partPaths('job', other) }));
      for (const days of [1000, -1000])
        await withClockSet(days * DAY, async () => should(await sweep('unknown', 0)).have.length(4));
    });

    it('the file with which a dead process asked for the time, immediately', async () => {
      const mine = folder.partPaths('time', testOwner('earlier'));
      const theirs = folder.partPaths('time', other);
      await put(mine.claim, theirs.claim);
      should(await sweep('unknown', 0)).eql(['claim']);
      should(await sweep('ended', 0)).eql([]);
    });

    it('without a temporary file as long as nothing looks old', async () => {
      await put(...Object.values<string>({ ...folder.partPaths('job', other) }));
      const fs = fileSystemWith({ open: () => Promise.reject(systemError('EROFS')) });
      should(await folder.store(fs, testOwner('this', 'unknown')).sweep(() => true)).equal(0);
    });

    it('not the copies that are being written, whatever the clock says', async () => {
      const part = await folder.store(realFileSystem, testOwner('this')).openPart('job');
      await part.write(half);
      should(await sweep('unknown', 1000 * DAY)).eql(['part']);
      await part.discard();
    });
  });

  describe('write one sidecar', () => {
    const record = { sha256: 'aa', text: 'x'.repeat(100_000) };

    it('under their own temporary names, and remove those of a dead process', async () => {
      await mkdir(folder.at('archive'));
      const child = spawn(process.execPath, ['-e', '']);
      const { pid } = child;
      const own = processIdentity(INSTANCE);
      await once(child, 'close');
      const dead = ownProcess().replace(`.${own.pid}.`, `.${pid}.`);
      should(fateOf(dead)).equal('ended');
      should(fateOf(ownProcess())).equal('alive');
      const file = folder.at('archive/x.wav');
      const mine = temporaryName(folder.at('archive'), `${file}.json`);
      const theirs = mine.replace(ownProcess(), dead);
      await writeFile(theirs, 'half of a si');
      await writeFile(folder.at('archive/.telnyx-0123456789abcdef.tmp'), 'of an earlier version');
      await writeSidecar(file, record);
      await until('the end of what was left', async () =>
        (await folder.files()).length === 2 ? true : undefined
      );
      should(await folder.files()).eql(['.telnyx-0123456789abcdef.tmp', 'x.wav.json']);
      should(await readSidecar(file)).eql({ ok: true, record });
    });

    it('and remove those of unknown owners by the clock of the disk, unless they are in use', async () => {
      await mkdir(folder.at('archive'));
      const living = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
      try {
        await once(living, 'spawn');
        const name = temporaryName(folder.at('archive'), 'x.wav.json');
        const { pid, start } = processIdentity(INSTANCE, { ...systemProcesses, pid: living.pid ?? 0 });
        const own = processIdentity(INSTANCE);
        const alive = name.replace(`.${own.pid}.${own.start}.`, `.${pid}.${start}.`);
        const former = folder.at('archive/.telnyx-0123456789abcdef.tmp');
        const elsewhere = name.replace(ownProcess(), ownProcess().replace(/^b.{16}/, `b${'0'.repeat(16)}`));
        for (const path of [alive, former, elsewhere]) await writeFile(path, 'half of a si');
        const all = [alive, former, elsewhere].map((path) => basename(path)).sort();
        const clear = async (fs: FileSystem): Promise<string[]> => {
          await clearTemporaries(fs, folder.at('archive'));
          return (await readdir(folder.at('archive'))).sort();
        };
        for (const days of [1000, -1000])
          await withClockSet(days * DAY, async () => should(await clear({ ...realFileSystem })).eql(all));
        should(await clear(aged(0.9 * DAY))).eql(all);
        should(await clear(aged(1.1 * DAY))).eql([basename(alive)]);
      } finally {
        living.kill();
        await once(living, 'close');
      }
    });
  });

  it('set a damaged copy aside without moving the fresh one of the other', async () => {
    const owner = testOwner();
    const { location } = await publishBytes(folder.store(realFileSystem, owner), 'a', 'x.wav', bytes);
    await writeSidecar(location!, { sha256: sha256(bytes), of: 'the damaged' });
    await writeFile(location!, 'rotten');
    const replacement = { expected: sha256(bytes), fresh: sha256(bytes) };
    let first = true;
    // Between the check of the damaged file and its move, another process puts a fresh copy there.
    const fs = fileSystemWith({
      open: async (path, flags, mode) => {
        if (first && path.includes('.damaged-')) {
          first = false;
          await setAside(realFileSystem, location!, replacement, Date.UTC(2026, 0, 1));
          await publishBytes(folder.store(), 'b', 'x.wav', bytes);
          await writeSidecar(location!, { sha256: sha256(bytes), of: 'the fresh' });
        }
        return await realFileSystem.open(path, flags, mode);
      }
    });
    should(await setAside(fs, location!, replacement, Date.UTC(2026, 0, 2))).be.null();
    should((await readFile(location!)).equals(bytes)).be.true();
    should(await readSidecar(location!)).eql({
      ok: true,
      record: { sha256: sha256(bytes), of: 'the fresh' }
    });
    should(await folder.files()).eql([
      'x.wav',
      'x.wav.damaged-20260101T000000Z',
      'x.wav.damaged-20260101T000000Z.json',
      'x.wav.json'
    ]);
  });

  it('are distinguished by real names', async () => {
    const owner = partOwner(INSTANCE);
    const name = folder.partPaths('job', owner).part.split('/').at(-1)!;
    should(readPartName(name)).eql({
      jobId: 'job',
      kind: 'part',
      instance: 'a'.repeat(16),
      process: ownProcess()
    });
    const long = folder.partPaths('x'.repeat(45), owner).sidecar.split('/').at(-1)!;
    // The limit of encrypted folders on network storage.
    should(long.length).be.belowOrEqual(143);
    should((await stat(folder.path)).isDirectory()).be.true();
    await (await open(folder.at(long), 'wx')).close();
  });
});
