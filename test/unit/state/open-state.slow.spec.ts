import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { isDamaged, openState } from '../../../src/state/open-state';

const MODULE = require.resolve('../../../src/state/open-state');

describe('openState', function () {
  this.timeout(60_000);
  let directory: string;
  const marker = () => path.join(directory, 'in-use');
  const data = () => path.join(directory, 'state', 'data.mdb');

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-open-state-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Opens it in a separate process, writes 500 values and ends as told. */
  function run(end: 'exit' | 'SIGKILL', count = 500, more: { boot?: string | null } = {}) {
    const script = `
      const { openState } = require(${JSON.stringify(MODULE)});
      const more = ${JSON.stringify(more)};
      const database = openState(process.argv[1], { ...more, onDamaged: (at) => console.log('aside ' + at) });
      const values = database.collection('values');
      console.log('found ' + values.count());
      const all = Array.from({ length: ${count} }, (_, key) => values.put(key, 'x'.repeat(200)));
      Promise.all(all).then(() => ${end === 'exit' ? 'process.exit()' : "process.kill(process.pid, 'SIGKILL')"});
    `;
    return spawnSync(process.execPath, ['--import', 'tsx', '--eval', script, directory], {
      encoding: 'utf8'
    });
  }
  const asides = () => readdirSync(directory).filter((name) => name.startsWith('state-damaged-'));

  it('leaves a mark while it is open and after a crash, but none after a clean end', () => {
    should(run('SIGKILL').signal).equal('SIGKILL');
    should(existsSync(marker())).be.true();
    should(run('exit').status).equal(0);
    should(existsSync(marker())).be.false();
  });

  it('keeps an intact environment after a crash', () => {
    run('SIGKILL');
    should(run('exit').stdout).equal('found 500\n');
    should(asides()).be.empty();
  });

  const damages: [what: string, damage: (file: string) => void][] = [
    ['one that was cut short', (file) => truncateSync(file, 8192)],
    ['one whose end was never written', (file) => truncateSync(file, readFileSync(file).length / 2)],
    ['another file', (file) => writeFileSync(file, Buffer.alloc(65_536, 'no database'))],
    ['one of zeros', (file) => writeFileSync(file, Buffer.alloc(65_536))],
    ['one with zeros for pages', (file) => writeFileSync(file, readFileSync(file).fill(0, 8192))]
  ];
  for (const [what, damage] of damages) {
    it(`sets aside ${what}, keeps it, and starts over`, async () => {
      run('SIGKILL');
      damage(data());
      const damaged = readFileSync(data());
      const told: string[] = [];
      const database = openState(directory, {
        onDamaged: (at) => told.push(at),
        now: () => Date.UTC(2026, 4, 6, 7, 8, 9)
      });
      should(told).deepEqual([path.join(directory, 'state-damaged-20260506070809')]);
      should(readFileSync(path.join(told[0]!, 'data.mdb')).equals(damaged)).be.true();
      const values = database.collection('values');
      should(values.count()).equal(0);
      await values.put('a', 1);
      should(values.get('a')).equal(1);
      await database.close();
    });
  }

  it('recovers on the second start when the first one crashes', () => {
    run('exit');
    truncateSync(data(), 8192);
    should(run('exit', 1).signal).match(/SIGBUS|SIGSEGV/);
    const second = run('exit', 1);
    should(second.stdout).match(/^aside .*state-damaged-\d{14}\nfound 0\n$/);
    should(second.status).equal(0);
  });

  describe('when only the process has ended', () => {
    const boot = 'b0123456789abcdef';

    /** Leaves a state that a process has used for long enough. */
    async function proven(own: string | null = boot): Promise<void> {
      const database = openState(directory, { onDamaged: () => undefined, boot: own, provenMs: 0 });
      await database.collection('values').put('a', 'x'.repeat(5000));
      // Timers end in the order in which they began.
      await new Promise((resolve) => setTimeout(resolve, 0));
      await database.close();
      truncateSync(data(), 8192);
    }

    it('opens the state without a check, but never twice in a row', async () => {
      await proven();
      const first = run('exit', 1, { boot });
      should(first.signal).match(/SIGBUS|SIGSEGV/);
      should(first.stdout).not.match(/aside/);
      should(run('exit', 1, { boot }).stdout).match(/^aside .*\nfound 0\n$/);
    });

    it('checks it nevertheless after a restart of the machine', async () => {
      await proven();
      should(run('exit', 1, { boot: 'bfedcba9876543210' }).stdout).match(/^aside .*\nfound 0\n$/);
    });

    it('checks it nevertheless where the machine does not name its runs', async () => {
      await proven(null);
      should(run('exit', 1, { boot: null }).stdout).match(/^aside .*\nfound 0\n$/);
    });

    it('checks it nevertheless after a process that ended soon', async () => {
      const database = openState(directory, { onDamaged: () => undefined, boot });
      await database.collection('values').put('a', 'x'.repeat(5000));
      await database.close();
      truncateSync(data(), 8192);
      should(run('exit', 1, { boot }).stdout).match(/^aside .*\nfound 0\n$/);
    });

    it('does not call a state proven whose files somebody replaced', async () => {
      const database = openState(directory, { onDamaged: () => undefined, boot, provenMs: 50 });
      rmSync(path.join(directory, 'state'), { recursive: true });
      await database.collection('values').put('a', 1);
      // Nothing signals that no mark is written: it would be by now.
      await new Promise((resolve) => setTimeout(resolve, 50));
      should(readFileSync(marker(), 'utf8')).equal(`${process.pid}\n`);
      await database.close();
    });
  });

  it('cannot be opened where a file is in the way', () => {
    writeFileSync(path.join(directory, 'telnyx'), '');
    should(() => openState(path.join(directory, 'telnyx'), { onDamaged: () => undefined })).throw(
      /EEXIST|ENOTDIR/
    );
  });

  it('treats an environment as intact that is missing, open elsewhere, or unreadable', async () => {
    should(isDamaged(path.join(directory, 'nowhere'), 16)).be.false();
    const database = openState(directory, { onDamaged: () => undefined });
    await database.collection('values').put('a', 1);
    should(isDamaged(path.join(directory, 'state'), 16)).be.false();
    await database.close();
  });
});
