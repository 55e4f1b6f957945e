import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import should from 'should';
import type { Job } from '../../../../src/archive/queue/job';
import { type DueJob, JobRepository, ORPHANS_KEPT_MS } from '../../../../src/archive/queue/job-repository';
import { StateDatabase } from '../../../../src/state/state-database';
import { processorMsSince } from '../../../support/processor-time';
import { requireMount } from '../../../support/real-parts';
import { jobFor, StateFixture } from '../state-fixture';

const NONE: ReadonlySet<string> = new Set();

describe('JobRepository', () => {
  let state: StateFixture;
  let jobs: JobRepository;

  beforeEach(() => {
    state = new StateFixture();
    jobs = new JobRepository(state.database, state.now, state.now);
  });
  afterEach(() => state.remove());

  async function accept(node: string, name: string): Promise<Job> {
    const job = jobs.job({ _msgid: name, topic: 'call.recording.saved' }, [jobFor(name)]);
    await jobs.add(node, job);
    return job;
  }

  function names(node: string): string[] {
    const busy = new Set<string>();
    const found: string[] = [];
    for (;;) {
      const next = jobs.next(node, busy);
      if (next === undefined) return found;
      busy.add(next.job.id);
      found.push(String(next.job.message['_msgid']));
    }
  }

  function next(node: string): DueJob {
    const due = jobs.next(node, NONE);
    if (due === undefined) throw new Error(`There is nothing to do for ${node}`);
    return due;
  }

  it('returns jobs by age, even within one millisecond, and keeps nodes apart', async () => {
    for (const name of ['b', 'a', 'c']) await accept('node', name);
    state.time -= 1;
    await accept('node', 'oldest');
    await accept('nod', 'of another');
    await accept('node2', 'of a third');
    names('node').should.eql(['oldest', 'b', 'a', 'c']);
    names('nod').should.eql(['of another']);
    should(jobs.next('nobody', NONE)).be.undefined();
    [jobs.count('node'), jobs.count('nod'), jobs.count('nobody')].should.eql([4, 1, 0]);
  });

  describe('follow-ups', () => {
    const followUps = { followUpsOf: 'node' };
    const onDisk = () => state.database.collection<object>('archive-jobs');

    it('are a list of their own, which goes with its node', async () => {
      await accept('node', 'file');
      await jobs.handOver('node', next('node'), { list: followUps, dueAt: 5 }, []);
      await accept('node', 'other');
      names('node').should.eql(['other']);
      jobs.next(followUps, NONE)!.should.containDeep({ dueAt: 5, job: { message: { _msgid: 'file' } } });
      [jobs.count('node'), jobs.count(followUps), jobs.count({ followUpsOf: 'nod' })].should.eql([1, 1, 0]);
      jobs.dueBetween(followUps, { from: 1, to: 9, limit: 9 }).count.should.equal(1);
      jobs.load(['node'], 100).all.should.equal(1);
      const lost: string[] = [];
      const sweep = (): Promise<void> =>
        jobs.sweep(
          () => false,
          (_node, { message }) => {
            lost.push(String(message['_msgid']));
            return [];
          }
        );
      await sweep();
      state.time += ORPHANS_KEPT_MS;
      await sweep();
      lost.sort().should.eql(['file', 'other']);
      [...onDisk().range({})].should.be.empty();
    });

    it('of versions up to 0.1 are found, and where the others are once the node is there', async () => {
      const job = await accept('node', 'file');
      const { items, ...rest } = job;
      await jobs.finish('node', next('node'), []);
      await onDisk().put(['node\nfollow-ups', 5, job.id], { ...rest, jobs: items });
      // As the crash guard looks for it, before any node is there.
      jobs.at(followUps, 5, job.id)!.should.eql(job);
      await jobs.sweep(
        (node) => node === 'node',
        () => []
      );
      await jobs.nodeHere('node');
      jobs.next(followUps, NONE)!.should.eql({ job, dueAt: 5 });
      [...onDisk().range({})].map(({ key }) => key).should.eql([['node', 'follow-ups', 5, job.id]]);
      jobs.count('node').should.equal(0);
    });
  });

  it('keeps the format of earlier versions on disk, which called the items of a job "jobs"', async () => {
    const { items, ...job } = await accept('node', 'rec');
    const onDisk = state.database.collection<object>('archive-jobs');
    [...onDisk.range({})].map(({ value }) => value).should.deepEqual([{ ...job, jobs: items }]);
    await onDisk.put(['node', 1, 'earlier'], { ...job, id: 'earlier', jobs: items });
    next('node').job.should.deepEqual({ ...job, id: 'earlier', items });
  });

  it('has everything it needs to resume after a restart', async () => {
    const job = await accept('node', 'rec');
    await state.reopen();
    jobs = new JobRepository(state.database, state.now, state.now);
    next('node').should.eql({ job: job, dueAt: job.acceptedAt });
  });

  it('keeps attempts and due time of a postponed job, in one place only', async () => {
    await accept('node', 'first');
    await accept('node', 'second');
    const due = next('node');
    due.job.files['telnyx:first\nwav'] = { attempts: 3, failures: 2, failed: { code: 'X', message: 'y' } };
    await jobs.postpone('node', due, state.time + 9000, []);
    await state.reopen();
    jobs = new JobRepository(state.database, state.now, state.now);
    names('node').should.eql(['second', 'first']);
    const again = jobs.next('node', new Set([next('node').job.id]));
    again!.should.eql({ job: due.job, dueAt: state.time + 9000 });
    jobs.count('node').should.equal(2);
  });

  it('removes finished jobs together with their notes', async () => {
    await accept('node', 'rec');
    const other = state.database.collection<string>('other');
    await jobs.finish('node', next('node'), [other.putting('k', 'v')]);
    should(jobs.next('node', NONE)).be.undefined();
    should(other.get('k')).equal('v');
  });

  it('keeps the jobs of a removed node for a week, then reports each as lost', async () => {
    await accept('gone', 'rec-1');
    await accept('gone', 'rec-2');
    await accept('here', 'rec-3');
    const lost: string[] = [];
    const sweep = (): Promise<void> =>
      jobs.sweep(
        (node) => node === 'here',
        (node, job) => {
          lost.push(`${node} ${String(job.message['_msgid'])}`);
          return [];
        }
      );
    await jobs.nodeGone('gone');
    state.time += ORPHANS_KEPT_MS - 1;
    await sweep();
    names('gone').should.eql(['rec-1', 'rec-2']);
    await jobs.nodeHere('gone');
    await jobs.nodeGone('gone');
    state.time += ORPHANS_KEPT_MS - 1;
    await sweep();
    lost.should.eql([]);
    state.time += 1;
    await sweep();
    lost.should.eql(['gone rec-1', 'gone rec-2']);
    names('gone').should.eql([]);
    names('here').should.eql(['rec-3']);
  });

  it('keeps the jobs for a week from the moment the removal is noticed, if nobody saw it', async () => {
    await accept('unseen', 'rec');
    const sweep = (): Promise<void> =>
      jobs.sweep(
        () => false,
        () => []
      );
    await sweep();
    state.time += ORPHANS_KEPT_MS - 1;
    await sweep();
    names('unseen').should.eql(['rec']);
    state.time += 1;
    await sweep();
    names('unseen').should.eql([]);
  });

  it('finds the next of 100,000 jobs as fast as a single one, without reading the others', async function () {
    this.timeout(60_000);
    const time = state.time;
    const adding: Promise<void>[] = [];
    for (let index = 0; index < 100_000; index += 1) {
      state.time = time + index;
      adding.push(jobs.add('node', jobs.job({ _msgid: String(index) }, [jobFor(String(index))])));
    }
    await Promise.all(adding);
    const busy = new Set(['x']);
    const before = process.memoryUsage().heapUsed;
    const begun = process.cpuUsage();
    for (let time = 0; time < 1000; time += 1) {
      should(jobs.next('node', busy)?.job.message['_msgid']).equal('0');
    }
    processorMsSince(begun).should.be.below(1000);
    (process.memoryUsage().heapUsed - before).should.be.below(50 * 1024 * 1024);
    jobs.count('node').should.equal(100_000);
  });

  it('reports STORE_FAILED when the disk rejects a job', async function () {
    const mount = requireMount(this, '1m');
    const database = new StateDatabase(mount.directory);
    try {
      const full = new JobRepository(database, state.now);
      const fill = async (): Promise<void> => {
        for (;;) await full.add('node', full.job({ payload: 'x'.repeat(50_000) }, []));
      };
      await fill().should.be.rejectedWith({ code: 'STORE_FAILED', retryable: true });
    } finally {
      await database.close();
      mount.unmount();
    }
  });

  describe('under kill -9', function () {
    this.timeout(120_000);
    const MODULES = [
      '../../../../src/state/state-database',
      '../../../../src/archive/queue/job-repository'
    ].map((name) => JSON.stringify(require.resolve(name)));

    /** Accepts jobs, finishes every other one, postpones every fifth, and reports each step once it is durable. */
    const WORKER = `
      const { StateDatabase } = require(${MODULES[0]!});
      const { JobRepository } = require(${MODULES[1]!});
      const say = (line) => require('node:fs').writeSync(1, line + '\\n');
      const database = new StateDatabase(process.argv[1]);
      const done = database.collection('done');
      const ledger = new JobRepository(database);
      (async () => {
        const busy = new Set();
        const carryOut = async () => {
          const due = ledger.next('node', busy);
          if (due === undefined) return;
          busy.add(due.job.id);
          const name = due.job.message.name;
          if (name % 5 === 0 && due.job.files.tried === undefined) {
            due.job.files.tried = { attempts: 1, failures: 1 };
            await ledger.postpone('node', due, Date.now() + 5, []);
          } else await ledger.finish('node', due, [done.putting(name, due.job.id)]);
          busy.delete(due.job.id);
        };
        for (let name = Number(process.argv[2]); ; name += 1) {
          await ledger.add('node', ledger.job({ name }, []));
          say(String(name));
          if (name % 2 === 0) carryOut();
          if (name % 3 === 0) carryOut();
        }
      })();
    `;

    it('keeps every accepted job either pending or done, never both, never neither', async () => {
      const accepted = new Set<number>();
      // Only the dying process had the database open.
      await state.database.close();
      for (let round = 0; round < 6; round += 1) {
        const child = spawn(
          process.execPath,
          ['--import', 'tsx', '--eval', WORKER, state.directory, String(round * 100_000)],
          { stdio: ['ignore', 'pipe', 'inherit'] }
        );
        await killedAfter(child, 20 + round * 37, (name) => accepted.add(name));
      }
      state.database = new StateDatabase(state.directory);
      const done = state.database.collection<string>('done');
      const onDisk = state.database.collection<Job>('archive-jobs');
      const open = [...onDisk.range({})].map(({ value }) => Number(value.message['name']));
      should(new Set(open).size).equal(open.length);
      accepted.size.should.be.above(100);
      for (const name of accepted) should(open.includes(name) !== (done.get(name) !== undefined)).be.true();
    });

    /** Kills a child at a moment it cannot know: right after its n-th line. */
    async function killedAfter(
      child: ChildProcess,
      lines: number,
      each: (name: number) => void
    ): Promise<void> {
      let text = '';
      let count = 0;
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const complete = text.split('\n');
        text = complete.pop() ?? '';
        for (const line of complete) each(Number(line));
        count += complete.length;
        if (count >= lines) child.kill('SIGKILL');
      });
      await once(child, 'close');
    }
  });
});
