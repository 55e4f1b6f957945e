import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { StateDatabase } from '../../../src/state/state-database';
import { type Mount, requireMount } from '../../support/real-parts';

const MODULE = require.resolve('../../../src/state/state-database');

describe('StateDatabase', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-state-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('keeps collections apart and in the order of their keys', async () => {
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

  it('makes several changes as one, also of different collections', async () => {
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

  it('waits for what can wait when somebody wants to read it', async () => {
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

  it('takes to disk by itself what can wait, when nothing else goes there', async () => {
    const database = new StateDatabase(directory);
    const values = database.collection<number>('values');
    await database.commitSoon([values.putting('a', 1)]);
    should(values.get('a')).equal(1);
    await database.close();
  });

  it('keeps strangers out of its directory', async () => {
    const state = path.join(directory, 'telnyx');
    mkdirSync(state, { mode: 0o755 });
    await new StateDatabase(state).close();
    should(statSync(state).mode & 0o777).equal(0o700);
  });

  it('has on disk what it said it has, when the process is killed right after', () => {
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

    it('makes all changes of a commit or none', async () => {
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
