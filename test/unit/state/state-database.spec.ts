import { spawnSync } from 'node:child_process';
import fs, { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { StateDatabase } from '../../../src/state/state-database';
import { type Mount, requireMount } from '../../support/real-parts';

const MODULE = require.resolve('../../../src/state/state-database');

/** @returns the exit code of a process that writes into an environment; null when it times out */
function writeFromOutside(environment: string): number | null {
  const script = `
    const root = require('lmdb').open({ path: process.argv[1], maxDbs: 16, overlappingSync: false });
    root.openDB({ name: 'probe' }).putSync('a', 1);
    process.exit(0);
  `;
  return spawnSync(process.execPath, ['--eval', script, environment], { timeout: 5000 }).status;
}

describe('StateDatabase', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-state-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('keeps collections apart, and in the order of their keys', async () => {
    const database = new StateDatabase(directory);
    const one = database.collection<number>('one');
    const two = database.collection<number>('two');
    await Promise.all([one.put(['b', 2], 3), one.put(['a', 10], 2), one.put(['a', 9], 1), two.put('a', 7)]);
    should([...one.range({})].map(({ value }) => value)).deepEqual([1, 2, 3]);
    should([...one.range({ start: ['a', 10], limit: 1 })].map(({ key }) => key)).deepEqual([['a', 10]]);
    should([...one.range({ start: ['a'], end: ['b'] })].map(({ value }) => value)).deepEqual([1, 2]);
    await one.remove(['a', 9]);
    should(one.count()).equal(2);
    should(two.get('a')).equal(7);
    await database.close();
  });

  it('applies several changes as one, even of different collections', async () => {
    const database = new StateDatabase(directory);
    const one = database.collection<number>('one');
    const two = database.collection<string>('two');
    await database.commit([]);
    await database.commit([one.putting(['a', 1], 1), one.putting(['a', 2], 2), two.putting('b', 'x')]);
    await database.commit([one.removing(['a', 1]), one.putting(['a', 3], 3), two.putting('b', 'y')]);
    should([...one.keys({ start: ['a'] })]).deepEqual([
      ['a', 2],
      ['a', 3]
    ]);
    should(one.count({ start: ['a', 3], end: ['a', 4] })).equal(1);
    should(two.get('b')).equal('y');
    await database.close();
  });

  it('waits for deferred changes before a read', async () => {
    const database = new StateDatabase(directory);
    const numbers = database.collection<number>('numbers');
    await database.written();
    for (let value = 0; value < 5; value += 1) {
      const later = database.commitSoon([numbers.putting('later', value)]);
      const now = database.commit([numbers.putting('now', value)]);
      const behind = database.commitSoon([numbers.putting('behind', value)]);
      await database.written();
      should([numbers.get('later'), numbers.get('now'), numbers.get('behind')]).eql([value, value, value]);
      await Promise.all([later, now, behind]);
    }
    await database.close();
  });

  it('persists deferred changes by itself when there are no other writes', async () => {
    const database = new StateDatabase(directory);
    const values = database.collection<number>('values');
    await database.commitSoon([values.putting('a', 1)]);
    should(values.get('a')).equal(1);
    await database.close();
  });

  it('writes a very large commit as one, and resolves only once it is complete', async () => {
    const database = new StateDatabase(directory);
    const numbers = database.collection<{ text: string }>('numbers');
    const values = database.collection<Buffer>('values');
    const count = 50_000;
    const all = Array.from({ length: count }, (_, key) =>
      numbers.putting(key, { text: 'x'.repeat(key % 300) })
    );
    // Until the library's thread starts, another process can write.
    let probe: number | null | undefined;
    const look = { apply: () => void (probe = writeFromOutside(path.join(directory, 'state'))) };
    await Promise.all([
      database.commit([...all, values.putting('large', Buffer.alloc(8_000_000, 1)), look]),
      ...Array.from({ length: 3000 }, (_, key) => values.put(key, Buffer.alloc(5000, key)))
    ]);
    should(probe).equal(0);
    should(numbers.count()).equal(count);
    should(numbers.get(49_999)?.text.length).equal(49_999 % 300);
    should(values.count()).equal(3001);
    should(values.get(2999)?.[4999]).equal(2999 % 256);
    await database.close();
  });

  describe('whose files are removed while it is open', () => {
    it('rewrites everything before it reports anything as durable', async () => {
      const moved: string[] = [];
      const database = new StateDatabase(directory, { onMoved: (what) => moved.push(what) });
      const values = database.collection<number>('values');
      for (let round = 1; round <= 3; round += 1) {
        await values.put(`before-${round}`, round);
        rmSync(path.join(directory, 'state'), { recursive: true });
        should(database.isInPlace()).be.false();
        await values.put(`after-${round}`, round);
        should(database.isInPlace()).be.true();
      }
      should(moved).deepEqual(['restored', 'restored', 'restored']);
      await database.close();
      const again = new StateDatabase(directory);
      should([...again.collection<number>('values').keys({})]).deepEqual([
        'after-1',
        'after-2',
        'after-3',
        'before-1',
        'before-2',
        'before-3'
      ]);
      await again.close();
    });

    it('rewrites it even when they disappear during a commit', async () => {
      const database = new StateDatabase(directory);
      const values = database.collection<number>('values');
      const removal = { apply: () => rmSync(path.join(directory, 'state'), { recursive: true }) };
      await database.commit([values.putting('a', 1), removal]);
      await database.close();
      const again = new StateDatabase(directory);
      should(again.collection<number>('values').get('a')).equal(1);
      await again.close();
    });

    it('does not take the empty one that it creates for a backup when they disappear while it rewrites them', async () => {
      const moved: string[] = [];
      const database = new StateDatabase(directory, { onMoved: (what) => moved.push(what) });
      const values = database.collection<number>('values');
      await values.put('a', 1);
      const renameSync = fs.renameSync;
      rmSync(path.join(directory, 'state'), { recursive: true });
      fs.renameSync = (from, to) => {
        renameSync(from, to);
        rmSync(to, { recursive: true });
      };
      try {
        await should(values.put('b', 2)).be.rejectedWith(/keeps being removed/);
      } finally {
        fs.renameSync = renameSync;
      }
      await values.put('c', 3);
      should([...values.keys({})]).deepEqual(['a', 'c']);
      should(moved).deepEqual(['restored']);
      await database.close();
    });

    it('uses the files that replaced them, and reports it', async () => {
      const other = new StateDatabase(path.join(directory, 'backup'));
      await other.collection<number>('values').put('of the backup', 1);
      await other.close();
      const moved: string[] = [];
      const database = new StateDatabase(path.join(directory, 'telnyx'), {
        onMoved: (what) => moved.push(what)
      });
      const values = database.collection<number>('values');
      await values.put('before', 1);
      rmSync(path.join(directory, 'telnyx'), { recursive: true });
      cpSync(path.join(directory, 'backup'), path.join(directory, 'telnyx'), { recursive: true });
      await values.put('after', 2);
      should([...values.keys({})]).deepEqual(['after', 'of the backup']);
      should(moved).deepEqual(['replaced']);
      await database.close();
    });

    it('rejects writes while it cannot, and does not recreate a directory whose parents are gone', async () => {
      const above = path.join(directory, 'above');
      const database = new StateDatabase(path.join(above, 'telnyx'));
      const values = database.collection<number>('values');
      await values.put('before', 1);
      rmSync(above, { recursive: true });
      await should(values.put('after', 2)).be.rejectedWith(/ENOENT/);
      should(existsSync(above)).be.false();
      mkdirSync(above);
      await values.put('after', 2);
      should([...values.keys({})]).deepEqual(['after', 'before']);
      await database.close();
    });
  });

  it('keeps other users out of its directory', async () => {
    const state = path.join(directory, 'telnyx');
    mkdirSync(state, { mode: 0o755 });
    await new StateDatabase(state).close();
    should(statSync(state).mode & 0o777).equal(0o700);
  });

  it('keeps what it reported as durable when the process is killed right after', () => {
    const script = `
      const { StateDatabase } = require(${JSON.stringify(MODULE)});
      const values = new StateDatabase(process.argv[1]).collection('values');
      Promise.all([1, 2, 3].map((key) => values.put(key, key))).then(() => process.kill(process.pid, 'SIGKILL'));
    `;
    const run = spawnSync(process.execPath, ['--import', 'tsx', '--eval', script, directory], {
      encoding: 'utf8'
    });
    should(run.signal).equal('SIGKILL', run.stderr);
    const values = new StateDatabase(directory).collection('values');
    should([...values.range({})].map(({ value }) => value)).deepEqual([1, 2, 3]);
  });

  it('cannot be opened where a file is in the way', () => {
    writeFileSync(path.join(directory, 'telnyx'), '');
    should(() => new StateDatabase(path.join(directory, 'telnyx'))).throw(/EEXIST|ENOTDIR/);
  });

  describe('on a full disk', () => {
    let mount: Mount;
    beforeEach(function () {
      mount = requireMount(this, '2m');
    });
    afterEach(() => mount.unmount());

    it('rejects each write that does not fit, keeps what it has, and leaves no rejection unhandled', async () => {
      const unhandled: unknown[] = [];
      const note = (reason: unknown): void => void unhandled.push(reason);
      process.on('unhandledRejection', note);
      const database = new StateDatabase(mount.directory);
      const values = database.collection<Buffer>('values');
      let kept = 0;
      const failures: string[] = [];
      while (failures.length < 5) {
        await values.put(kept, Buffer.alloc(20_000, kept)).then(
          () => (kept += 1),
          (error: unknown) => failures.push(String(error))
        );
      }
      await new Promise((resolve) => setImmediate(resolve));
      process.off('unhandledRejection', note);
      should(kept).be.above(10);
      should(unhandled).deepEqual([]);
      should(values.count()).equal(kept);
      should(values.get(kept - 1)?.[0]).equal((kept - 1) % 256);
      await values.remove(0);
      await database.close();
    });

    it('applies all changes of a commit or none', async () => {
      const unhandled: unknown[] = [];
      const note = (reason: unknown): void => void unhandled.push(reason);
      process.on('unhandledRejection', note);
      const database = new StateDatabase(mount.directory);
      const one = database.collection<Buffer>('one');
      const two = database.collection<number>('two');
      let failures = 0;
      for (let key = 0; failures < 3; key += 1) {
        await database
          .commit([two.putting(key, key), one.putting(key, Buffer.alloc(20_000))])
          .catch(() => (failures += 1));
      }
      await new Promise((resolve) => setImmediate(resolve));
      process.off('unhandledRejection', note);
      should(unhandled).deepEqual([]);
      should(two.count()).be.above(10);
      should([...two.keys({})]).deepEqual([...one.keys({})]);
      await database.close();
    });
  });
});
