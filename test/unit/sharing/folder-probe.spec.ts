import { mkdir, mkdtemp, readdir, rename, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { FolderProbe, notShared, type ProbedPeer } from '../../../src/sharing/folder-probe';
import { PARTIAL_DIRECTORY } from '../../../src/store/folder/archive-path';
import { realFileSystem } from '../../../src/store/folder/file-system';
import { createFolderStore } from '../../../src/store/folder/folder-store';
import { storeFailure, systemError, testOwner } from '../store/folder/store-fixture';

const GRACE_MS = 60;
const SHARED = { kind: 'shared' } as const;
const LOOKING = { kind: 'looking' } as const;
const apart = (...hosts: string[]) => ({ kind: 'apart', hosts });

describe('FolderProbe', () => {
  let root: string;
  let time: number;
  let fails: string | null;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'telnyx-probe-'));
    [time, fails] = [0, null];
  });
  afterEach(() => rm(root, { recursive: true }));

  const at = (...names: string[]): string => path.join(root, ...names);
  const hidden = (folder: string): string => at(folder, PARTIAL_DIRECTORY);

  function probeIn(folder: string): FolderProbe {
    const failing = async <T>(call: () => Promise<T>): Promise<T> => {
      if (fails !== null) throw systemError(fails);
      return await call();
    };
    const fs = {
      ...realFileSystem,
      open: ((...args) => failing(() => realFileSystem.open(...args))) as typeof realFileSystem.open
    };
    // Directories that were checked a moment ago are not checked again.
    let calls = 0;
    const now = (): number => (calls += 10_000);
    const { probe } = createFolderStore({ folder: at(folder), owner: testOwner(), fs, now });
    return new FolderProbe(probe, { graceMs: GRACE_MS, now: () => time });
  }

  async function left(folder: string): Promise<FolderProbe> {
    const probe = probeIn(folder);
    await probe.leave();
    return probe;
  }

  const peer = (id: string, { name }: Pick<FolderProbe, 'name'>): ProbedPeer => ({
    ...{ id, host: `host-${id}`, probe: name }
  });

  /** As an instance does every few seconds. */
  async function looked(probe: FolderProbe, peers: readonly ProbedPeer[] | null): Promise<unknown> {
    await probe.leave();
    return await probe.look(peers);
  }

  it('finds the others in one folder, and misses those of another one after a while', async () => {
    const [one, two, stranger] = [await left('a'), await left('a'), await left('b')];
    should(await one.look([peer('2', two)])).eql(SHARED);
    const peers = [peer('2', two), peer('3', stranger)];
    // One that is new has to be found first.
    should(await one.look(peers)).eql(LOOKING);
    time += GRACE_MS - 1;
    should(await one.look(peers)).eql(LOOKING);
    time += 1;
    should(await one.look(peers)).eql(apart('host-3'));
    should(await stranger.look([peer('1', one), peer('2', two)])).eql(LOOKING);
    time += GRACE_MS;
    should(await stranger.look([peer('1', one), peer('2', two)])).eql(apart('host-1', 'host-2'));
    const again = await left('a');
    should(await one.look([peer('2', two), peer('3', again)])).eql(SHARED);
  });

  it('takes one folder with two names for one, and two nodes of one Node-RED apart', async () => {
    const one = await left('a');
    await symlink(at('a'), at('b'));
    const [two, second] = [await left('b'), await left('a')];
    should(new Set([one.name, two.name, second.name]).size).equal(3);
    should(await one.look([peer('2', two)])).eql(SHARED);
    should(await two.look([peer('1', one)])).eql(SHARED);
    await second.remove();
    should((await readdir(hidden('a'))).sort()).eql([one.name, two.name].sort());
  });

  it('knows nothing until it has heard of the others, and misses nobody who is gone', async () => {
    const [one, stranger] = [await left('a'), await left('b')];
    should(await one.look(null)).eql({ kind: 'unheard' });
    should(await one.look([])).eql(SHARED);
    should(await one.look([peer('3', stranger)])).eql(LOOKING);
    time += GRACE_MS;
    should(await one.look([peer('3', stranger)])).eql(apart('host-3'));
    // While nothing is heard, what was known counts.
    should(await one.look(null)).eql(apart('host-3'));
    should(await one.look([{ ...peer('3', stranger), probe: '' }])).eql(SHARED);
    should(await one.look([])).eql(SHARED);
  });

  it('misses nobody who was stopped while nothing was heard, and sees who has got the right folder', async () => {
    const [one, two] = [await left('a'), await left('a')];
    should(await one.look([peer('2', two)])).eql(SHARED);
    await two.remove();
    for (let times = 0; times < 2; times++) {
      should(await looked(one, null)).eql(SHARED);
      time += GRACE_MS;
    }
    const stranger = await left('b');
    await one.look([peer('3', stranger)]);
    time += GRACE_MS;
    should(await one.look(null)).eql(apart('host-3'));
    await rename(path.join(hidden('b'), stranger.name), path.join(hidden('a'), stranger.name));
    should(await one.look(null)).eql(SHARED);
  });

  it('gives one that was found a while, for its next start or somebody who tidies up', async () => {
    const [one, two] = [await left('a'), await left('a')];
    should(await one.look([peer('2', two)])).eql(SHARED);
    const restarted = { ...peer('2', two), probe: 'probe.claim' };
    should(await one.look([restarted])).eql(SHARED);
    await unlink(path.join(hidden('a'), two.name));
    should(await one.look([peer('2', two)])).eql(SHARED);
    time += GRACE_MS;
    should(await one.look([peer('2', two)])).eql(apart('host-2'));
    await two.leave();
    should(await one.look([peer('2', two)])).eql(SHARED);
  });

  it('trusts nothing it knew when its own file has vanished: the disk may be away', async () => {
    const [one, two] = [await left('a'), await left('a')];
    const peers = [peer('2', two)];
    should(await looked(one, peers)).eql(SHARED);
    await rename(at('a'), at('unmounted'));
    await mkdir(at('a'));
    should(await looked(one, peers)).eql(LOOKING);
    time += GRACE_MS;
    should(await looked(one, null)).eql(apart('host-2'));
    await rm(at('a'), { recursive: true });
    await rename(at('unmounted'), at('a'));
    should(await looked(one, peers)).eql(SHARED);
  });

  it('looks into a folder that it cannot write to, and says so', async () => {
    const [one, stranger] = [await left('a'), await left('b')];
    fails = 'EROFS';
    const two = probeIn('a');
    (await storeFailure(two.leave())).message.should.containEql('read-only');
    should(two.name).equal('');
    should(await two.look([peer('1', one)])).eql(SHARED);
    should(await two.look([peer('1', one), peer('3', stranger)])).eql(LOOKING);
    await two.remove();
    fails = null;
    await two.leave();
    should(await one.look([peer('2', two)])).eql(SHARED);
  });

  it('changes its mind about nobody while the folder does not answer', async () => {
    const one = await left('a');
    await writeFile(at('loop'), '');
    await rm(hidden('a'), { recursive: true });
    await symlink(hidden('a'), hidden('a'));
    (await storeFailure(one.look([peer('2', one)]))).message.should.containEql('look for the files');
  });

  it('keeps its file younger than a month', async () => {
    const one = await left('a');
    const file = path.join(hidden('a'), one.name);
    await writeFile(file, 'x');
    await one.leave();
    should((await realFileSystem.lstat(file)).size).equal(1);
    time += 24 * 60 * 60 * 1000;
    await one.leave();
    should((await realFileSystem.lstat(file)).size).equal(0);
  });

  describe('against hostile neighbours', () => {
    it('leaves the folder for no name', async () => {
      const one = await left('a');
      await writeFile(at('secret'), '');
      for (const probe of ['../../secret', '/etc/passwd', '.', 'probe', '\0', 'x'.repeat(100_000)])
        should(await one.look([{ id: probe, host: 'h', probe }])).eql(LOOKING);
    });

    it('follows no link, and reads no file, in the place of its own or of another one', async () => {
      const one = await left('a');
      const own = path.join(hidden('a'), one.name);
      await writeFile(at('precious'), 'precious');
      await unlink(own);
      await symlink(at('precious'), own);
      time += 24 * 60 * 60 * 1000;
      await one.leave();
      const [found, target] = [await realFileSystem.lstat(own), await realFileSystem.lstat(at('precious'))];
      should([found.isFile(), found.size, target.size]).eql([true, 0, 8]);
      // A name is all that is looked for.
      await unlink(own);
      await symlink(at('nowhere'), own);
      should(await probeIn('a').look([peer('1', one)])).eql(SHARED);
      await one.remove();
      await one.leave();
      // A terabyte that is not on the disk.
      await truncate(own, 1e12);
      should(await probeIn('a').look([peer('1', one)])).eql(SHARED);
    });

    it('writes nothing through a link that leads out of the folder', async () => {
      await mkdir(at('a'));
      await mkdir(at('outside'));
      await symlink(at('outside'), hidden('a'));
      (await storeFailure(probeIn('a').leave())).message.should.containEql('symbolic link');
      should(await readdir(at('outside'))).eql([]);
    });
  });

  it('says what to do, naming the settings', () => {
    const error = notShared(['a', 'b', 'c', 'd', 'e', 'f']);
    should(error.code).equal('BAD_SETTING');
    for (const named of ['"Folder"', '"Store in"', '"Queue"', 'a, b, c, d, e, …'])
      should(error.message).containEql(named);
  });
});
