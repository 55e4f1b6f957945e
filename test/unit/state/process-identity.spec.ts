import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import {
  type ProcessTable,
  identityText,
  instanceId,
  isOfAnotherBoot,
  isProvablyDead,
  processIdentity,
  readIdentity
} from '../../../src/state/process-identity';

const INSTANCE = '0123456789abcdef0123456789abcdef';
const MODULE = require.resolve('../../../src/state/process-identity');

interface Machine extends Partial<Omit<ProcessTable, 'read' | 'link' | 'exists'>> {
  bootId?: string | null;
  namespace?: string | null;
  /** The processes by number: state, count of threads, start. */
  processes?: Record<number, [state: string, threads: number, start: number]>;
  /** Processes that /proc does not show. */
  hidden?: number[];
}

/** A made-up machine as seen by one of its processes. */
function machine(given: Machine = {}): ProcessTable {
  const { bootId = 'boot-1', namespace = 'pid:[4026531836]', hidden = [], ...rest } = given;
  const pid = rest.pid ?? 100;
  const processes = { [pid]: ['S', 11, 5000] as const, ...given.processes };
  const stat = (of: number): string | null => {
    const [state, threads, start] = processes[of] ?? [];
    if (state === undefined || hidden.includes(of)) return null;
    return `${of} (no) de (x) ${state} 1 1 1 0 -1 4194560 5 0 0 0 1 1 0 0 20 0 ${threads} 0 ${start} 99 88\n`;
  };
  return {
    platform: 'linux',
    pid,
    host: 'pi',
    bootedAt: 1_700_000_000_000,
    startedAt: 1_700_000_500_000,
    read: (file) => {
      if (file === '/proc/sys/kernel/random/boot_id') return bootId;
      const of = /^\/proc\/(self|\d+)\/stat$/.exec(file)?.[1];
      return of === undefined ? null : stat(of === 'self' ? pid : Number(of));
    },
    link: (file) => (file === '/proc/self/ns/pid' ? namespace : null),
    exists: (of) => of in processes,
    ...rest
  };
}

/** Without /proc, like macOS and Windows. */
const mac = (given: Machine = {}): ProcessTable =>
  machine({ platform: 'darwin', bootId: null, namespace: null, hidden: [100, 200], ...given });

describe('the identity of a process', () => {
  it('is a text that suits a file name, and can be read back', () => {
    for (const table of [machine(), mac(), machine({ namespace: null })]) {
      const identity = processIdentity(INSTANCE, table);
      const text = identityText(identity);
      should(text).match(/^[0-9a-z.]{60,140}$/);
      should(readIdentity(text)).deepEqual(identity);
    }
  });

  it('is read from no other text', () => {
    const text = identityText(processIdentity(INSTANCE, machine()));
    for (const other of [
      '',
      'x',
      text.slice(1),
      `${text}0`,
      `${text}\n`,
      text.toUpperCase(),
      '.'.repeat(9e5)
    ])
      should(readIdentity(other)).equal(null);
  });

  it('of this process is the same each time, and its process is alive', () => {
    const identity = processIdentity(INSTANCE);
    should(processIdentity(INSTANCE)).deepEqual(identity);
    should(identity.pid).equal(process.pid);
    should(isProvablyDead(identity)).be.false();
    should(isOfAnotherBoot(identity)).be.false();
  });

  describe('reports a process as dead', () => {
    const other = processIdentity(INSTANCE, machine({ pid: 200, processes: { 200: ['S', 11, 6000] } }));
    const cases: [what: string, table: ProcessTable, dead: boolean][] = [
      ['that runs', machine({ processes: { 200: ['R', 11, 6000] } }), false],
      ['that is stopped', machine({ processes: { 200: ['T', 11, 6000] } }), false],
      ['that no longer exists', machine(), true],
      ['whose number has been reused', machine({ processes: { 200: ['S', 11, 6001] } }), true],
      ['that was killed and not reaped', machine({ processes: { 200: ['Z', 1, 6000] } }), true],
      ['that was killed and still writes', machine({ processes: { 200: ['Z', 2, 6000] } }), false],
      ['that is hidden', machine({ processes: { 200: ['S', 1, 6000] }, hidden: [200] }), false],
      ['of another container', machine({ namespace: 'pid:[4026539999]' }), false],
      ['while no namespace is known', machine({ namespace: null }), false],
      ['while /proc is that of others', machine({ hidden: [100] }), false],
      ['of another boot', machine({ bootId: 'boot-2' }), false],
      ['while the boot is unknown', machine({ bootId: null }), false]
    ];
    for (const [what, table, dead] of cases)
      it(`${dead ? '' : 'never '}one ${what}`, () => should(isProvablyDead(other, table)).equal(dead));

    it('never where both have no known namespace', () => {
      const blind = machine({ namespace: null });
      should(isProvablyDead({ ...processIdentity(INSTANCE, blind), pid: 200 }, blind)).be.false();
    });

    it('even without /proc, when its number is free in the same boot of the same machine', () => {
      const here = { ...processIdentity(INSTANCE, mac()), pid: 200 };
      should(isProvablyDead(here, mac())).be.true();
      should(isProvablyDead(here, mac({ bootedAt: 1_700_000_009_000 }))).be.true();
      should(isProvablyDead(here, mac({ processes: { 200: ['S', 1, 1] } }))).be.false();
      should(isProvablyDead(here, mac({ bootedAt: 1_700_000_900_000 }))).be.false();
      should(isProvablyDead(here, mac({ host: 'another' }))).be.false();
    });
  });

  describe('of real processes', function () {
    this.timeout(60_000);
    const script = `
      const { identityText, processIdentity } = require(${JSON.stringify(MODULE)});
      console.log(identityText(processIdentity('${INSTANCE}')));
      setInterval(() => undefined, 1000);
    `;
    const args = ['--import', 'tsx', '--eval', script];
    let child: ChildProcess;
    const identityOf = async () => {
      const [line] = (await once(child.stdout!, 'data')) as [Buffer];
      return readIdentity(String(line).trim())!;
    };
    afterEach(() => child.kill('SIGKILL'));

    it('reports when one has ended, and not before', async () => {
      child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const identity = await identityOf();
      should(isProvablyDead(identity)).be.false();
      child.kill('SIGSTOP');
      should(isProvablyDead(identity)).be.false();
      child.kill('SIGKILL');
      await once(child, 'exit');
      should(isProvablyDead(identity)).be.true();
      should(isProvablyDead({ ...identity, pid: process.pid })).be.true();
    });

    it('does not report one in another container', async function () {
      const unshare = ['--pid', '--fork', '--mount-proc', '--kill-child'];
      if (spawnSync('unshare', [...unshare, 'true']).status !== 0) this.skip();
      child = spawn('unshare', [...unshare, process.execPath, ...args], {
        stdio: ['ignore', 'pipe', 'inherit']
      });
      const identity = await identityOf();
      should(identity.pid).equal(1);
      child.kill('SIGKILL');
      await once(child, 'exit');
      should(isProvablyDead(identity)).be.false();
      should(isOfAnotherBoot(identity)).be.false();
    });
  });
});

describe('instanceId', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-instance-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is created once and kept', () => {
    const state = path.join(directory, 'telnyx');
    const id = instanceId(state);
    should(id).match(/^[0-9a-f]{32}$/);
    should(instanceId(state)).equal(id);
    should(readdirSync(state)).deepEqual(['instance']);
    should(instanceId(path.join(directory, 'other'))).not.equal(id);
  });

  it('is created again when a power cut left it empty', () => {
    for (const rest of ['', '\0\0\0', 'x'.repeat(99)]) {
      writeFileSync(path.join(directory, 'instance'), rest);
      const id = instanceId(directory);
      should(id).match(/^[0-9a-f]{32}$/);
      should(readFileSync(path.join(directory, 'instance'), 'latin1')).equal(`${id}\n`);
    }
  });

  it('cannot be kept where a file is in the way', () => {
    writeFileSync(path.join(directory, 'telnyx'), '');
    should(() => instanceId(path.join(directory, 'telnyx'))).throw(/EEXIST|ENOTDIR/);
  });
});
