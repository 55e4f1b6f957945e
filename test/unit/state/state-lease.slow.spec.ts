import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { processIdentity, systemProcesses, type ProcessIdentity } from '../../../src/state/process-identity';
import { STALE_MS, StateLease, type LeaseOptions } from '../../../src/state/state-lease';
import { until } from '../../support/until';

const INSTANCE = '0123456789abcdef0123456789abcdef';
const MODULE = require.resolve('../../../src/state/state-lease');
const IDENTITY = require.resolve('../../../src/state/process-identity');

describe('StateLease', function () {
  this.timeout(60_000);
  let directory: string;
  let clock: number;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-lease-'));
    clock = 1_000_000;
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(directory, { recursive: true });
  });

  const token = (digit: number) => String(digit).padStart(16, '0');
  /** A process of another container, which cannot be seen from here. */
  const hidden = (digit: number): ProcessIdentity => ({
    ...processIdentity(INSTANCE, systemProcesses, token(digit)),
    pidNamespace: '77'
  });
  const lease = (identity: ProcessIdentity, options: Partial<LeaseOptions> = {}) =>
    new StateLease(directory, identity, { now: () => clock, ofOneKernel: false, ...options });
  const files = () => readdirSync(path.join(directory, 'owner')).sort();

  it('has one owner, and is free for the next immediately after its release', () => {
    const [one, two] = [lease(hidden(1)), lease(hidden(2))];
    should(one.acquire()).equal(null);
    should(one.acquire()).equal(null);
    should(two.acquire()?.identity).deepEqual(hidden(1));
    should([one.holds(), two.holds()]).deepEqual(['held', 'lost']);
    one.release();
    should(two.acquire()).equal(null);
    should([one.holds(), two.holds()]).deepEqual(['lost', 'held']);
    should(files()).deepEqual(['00000002']);
  });

  it('stays with an owner that renews it, whatever the time, and is taken from one that does not', () => {
    const [one, two] = [lease(hidden(1)), lease(hidden(2))];
    one.acquire();
    for (let round = 0; round < 20; round += 1) {
      should(two.acquire()).not.equal(null);
      clock += STALE_MS / 2;
      one.renew();
    }
    should(two.acquire()).not.equal(null);
    clock += STALE_MS - 1;
    should(two.acquire()).not.equal(null);
    should(one.holds()).equal('held');
    clock += 1;
    should(two.acquire()).equal(null);
    should([one.holds(), two.holds()]).deepEqual(['lost', 'held']);
    // It resumes, and renews a lease that has no owner.
    one.renew();
    should([one.holds(), two.holds()]).deepEqual(['lost', 'held']);
    should(one.acquire()?.identity).deepEqual(hidden(2));
  });

  it('is taken immediately from a process of an earlier boot, where no other machine can use the disk', () => {
    const earlier = { ...hidden(1), boot: 'b0123456789abcdef' };
    lease(earlier).acquire();
    should(lease(hidden(2)).acquire()).not.equal(null);
    should(lease(hidden(3), { ofOneKernel: true }).acquire()).equal(null);
  });

  it('is missed when removed, and left to its owner for a moment', () => {
    const [one, two] = [lease(hidden(1)), lease(hidden(2))];
    one.acquire();
    two.acquire();
    rmSync(path.join(directory, 'owner'), { recursive: true });
    should(one.holds()).equal('vanished');
    should(two.acquire()).deepEqual({ identity: null });
    should(one.acquire()).equal(null);
    should([one.holds(), two.acquire()?.identity]).deepEqual(['held', hidden(1)]);
    rmSync(path.join(directory, 'owner'), { recursive: true });
    should(two.acquire()).not.equal(null);
    clock += 5000;
    should(two.acquire()).equal(null);
    should(one.holds()).equal('lost');
  });

  it('is not affected by a process that decided to take over long ago', () => {
    const [one, two, three] = [lease(hidden(1)), lease(hidden(2)), lease(hidden(3))];
    one.acquire();
    one.release();
    two.acquire();
    two.release();
    should(three.acquire()).equal(null);
    should(files()).deepEqual(['00000003']);
    // What that process would do now: the number is free again, but not the highest.
    copyFileSync(path.join(directory, 'owner', '00000003'), path.join(directory, 'owner', '00000002'));
    should([one.holds(), two.holds(), three.holds()]).deepEqual(['lost', 'lost', 'held']);
    should(lease(hidden(4)).acquire()?.identity).deepEqual(hidden(3));
  });

  it('waits for an unreadable lease, which may be in the middle of a write', () => {
    lease(hidden(1)).acquire();
    writeFileSync(path.join(directory, 'owner', '00000002'), '');
    const three = lease(hidden(3));
    should(three.acquire()).deepEqual({ identity: null });
    clock += STALE_MS;
    should(three.acquire()).equal(null);
  });

  it('is unavailable where nothing can be written', () => {
    writeFileSync(path.join(directory, 'owner'), '');
    should(() => lease(hidden(1)).acquire()).throw(/EEXIST|ENOTDIR/);
  });

  /** Tries until it has the lease, reports it, and then does as told: waits, or ends itself. */
  function contender(then: 'waits' | 'dies'): ChildProcess {
    const script = `
      const { StateLease } = require(${JSON.stringify(MODULE)});
      const { processIdentity } = require(${JSON.stringify(IDENTITY)});
      const { readdirSync, writeFileSync, existsSync } = require('node:fs');
      const [directory] = process.argv.slice(1);
      const lease = new StateLease(directory, processIdentity('${INSTANCE}'), { now: () => performance.now(), ofOneKernel: false });
      writeFileSync(directory + '/ready-' + process.pid, '');
      const attempt = () => {
        if (!existsSync(directory + '/go') || lease.acquire() !== null) return setImmediate(attempt);
        // The proof: another owner at the same time finds the file there.
        writeFileSync(directory + '/owned', String(process.pid), { flag: 'wx' });
        console.log('owner');
        ${then === 'waits' ? 'setInterval(() => lease.renew(), 1000);' : "require('node:fs').rmSync(directory + '/owned'); process.kill(process.pid, 'SIGKILL');"}
      };
      attempt();
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--eval', script, directory], {
      stdio: ['ignore', 'pipe', 'pipe']
    });
    children.push(child);
    return child;
  }

  it('passes to each of many processes in turn, and never to two, while each owner is killed', async () => {
    const count = 12;
    const all = Array.from({ length: count }, () => contender('dies'));
    const trouble: string[] = [];
    for (const child of all) child.stderr?.on('data', (text: Buffer) => trouble.push(String(text)));
    await until('all of them run', () => readdirSync(directory).length >= count || undefined, {
      deadline: 50_000
    });
    writeFileSync(path.join(directory, 'go'), '');
    for (const child of all) if (child.signalCode === null) await once(child, 'exit');
    should(trouble).deepEqual([]);
    should(all.map(({ signalCode }) => signalCode)).deepEqual(all.map(() => 'SIGKILL'));
    should(files()).deepEqual([String(count).padStart(8, '0')]);
  });

  it('is taken immediately from a killed process, and never from one that is only stopped', async () => {
    writeFileSync(path.join(directory, 'go'), '');
    const owner = contender('waits');
    await once(owner.stdout!, 'data');
    const own = lease(processIdentity(INSTANCE));
    should(own.acquire()?.identity?.pid).equal(owner.pid);
    owner.kill('SIGSTOP');
    for (let round = 0; round < 5; round += 1) {
      clock += 2 * STALE_MS;
      should(own.acquire()).not.equal(null);
    }
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    should(own.acquire()).equal(null);
  });

  it('works without hard links, too', () => {
    const link = () => {
      throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
    };
    const [one, two] = [lease(hidden(1), { link }), lease(hidden(2), { link })];
    should(one.acquire()).equal(null);
    should(two.acquire()?.identity).deepEqual(hidden(1));
    one.release();
    should(two.acquire()).equal(null);
    should(files()).deepEqual(['00000002']);
  });
});
