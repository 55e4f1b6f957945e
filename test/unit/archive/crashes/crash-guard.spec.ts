import { rmSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import type { Job } from '../../../../src/archive/queue/job';
import { CrashGuard, type GuardTimes, type HeldJob } from '../../../../src/archive/crashes/crash-guard';
import { JobRepository } from '../../../../src/archive/queue/job-repository';
import { JobQueue, type JobOutcome } from '../../../../src/archive/queue/job-queue';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import { UnderWayFile } from '../../../../src/archive/crashes/under-way-file';
import type { CodedError } from '../../../../src/errors/coded-error';
import { until } from '../../../support/until';
import { jobFor, StateFixture } from '../state-fixture';

const done: JobOutcome = { kind: 'done', effects: NO_EFFECTS };

/** What a process does with its jobs until it dies without warning. */
class Process {
  readonly guard: CrashGuard;
  readonly queues: JobQueue[] = [];
  readonly begun: string[] = [];
  readonly running = new Set<string>();
  readonly givenUp: HeldJob[] = [];
  readonly faults: CodedError[] = [];
  #isDead = false;

  constructor(
    private readonly jobs: JobRepository,
    file: string,
    private readonly work: (name: string, process: Process) => Promise<JobOutcome>,
    { times = {}, monotonic }: { times?: Partial<GuardTimes>; monotonic?: (() => number) | undefined } = {}
  ) {
    const once = {
      settle: 0,
      patience: 60_000,
      round: 60_000,
      proof: () => 60_000,
      pause: () => 0,
      ...times
    };
    this.guard = new CrashGuard({
      file: new UnderWayFile(file),
      jobs,
      times: once,
      ...(monotonic && { monotonic })
    });
  }

  start(node = 'node', concurrency = 4): JobQueue {
    const queue = new JobQueue(this.jobs, {
      list: node,
      concurrency,
      now: Date.now,
      facts: { changes: () => [] },
      work: (job) => this.#work(job),
      giveUp: (_order, held) => {
        this.givenUp.push(held);
        return Promise.resolve(done);
      },
      guard: this.guard,
      onWaiting: () => undefined,
      onFault: (error) => void this.faults.push(error)
    });
    this.queues.push(queue);
    queue.start();
    return queue;
  }

  async #work(job: Job): Promise<JobOutcome> {
    const name = String(job.message['name']);
    this.begun.push(name);
    this.running.add(name);
    const verdict = await this.work(name, this);
    // A dead process writes nothing.
    if (this.#isDead) await new Promise(() => undefined);
    this.running.delete(name);
    return verdict;
  }

  die(): void {
    this.#isDead = true;
  }

  /** Shuts down cleanly. */
  async stop(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.close()));
    await this.guard.close();
  }
}

describe('CrashGuard', () => {
  let state: StateFixture;
  let jobs: JobRepository;
  let file: string;
  let processes: Process[];

  beforeEach(() => {
    state = new StateFixture();
    state.time = Date.now() - 1000;
    jobs = new JobRepository(state.database, state.now);
    file = path.join(state.directory, 'under-way');
    processes = [];
  });
  afterEach(async () => {
    for (const { guard } of processes) await guard.close();
    await state.remove();
  });

  async function leave(node: string, ...names: string[]): Promise<void> {
    for (const name of names) {
      await jobs.add(node, jobs.job({ name }, [jobFor(name)]));
      state.time += 1;
    }
  }

  function begin(
    work: (name: string, process: Process) => Promise<JobOutcome>,
    times: Partial<GuardTimes> = {},
    monotonic?: () => number
  ): Process {
    const process = new Process(jobs, file, work, { times, monotonic });
    processes.push(process);
    return process;
  }

  const forever = (): Promise<JobOutcome> => new Promise(() => undefined);
  const atOnce = (): Promise<JobOutcome> => Promise.resolve(done);

  /** A process that starts all remaining jobs of some nodes, and dies. */
  async function diesWith(count: number, ...nodes: string[]): Promise<void> {
    const process = begin(forever);
    for (const node of nodes) process.start(node);
    await until(`${count} jobs`, () => process.begun.length === count || undefined);
    process.die();
  }

  it('holds nothing back after one crash', async () => {
    await leave('node', 'a', 'b');
    await diesWith(2, 'node');
    const next = begin(forever);
    next.start();
    await until('both at once', () => next.running.size === 2 || undefined);
  });

  it('runs jobs that were running during two crashes alone, after the jobs of all nodes', async () => {
    await leave('node', 'a', 'b');
    await leave('other', 'c');
    await diesWith(3, 'node', 'other');
    await diesWith(3, 'node', 'other');
    await leave('node', 'd');
    await leave('other', 'e', 'f');
    const most: number[] = [];
    const last = begin(async (name, { running }) => {
      if ('abc'.includes(name)) most.push(running.size);
      // Slow work, so that jobs that are not kept apart overlap.
      await new Promise((resolve) => setTimeout(resolve, 10));
      if ('abc'.includes(name)) most.push(running.size);
      return done;
    });
    last.start('node');
    last.start('other');
    await until('the end of all', () => (jobs.count('node') + jobs.count('other') === 0 ? true : undefined));
    last.begun.slice(0, 3).sort().should.eql(['d', 'e', 'f']);
    last.begun.slice(3).should.eql(['a', 'b', 'c']);
    most.should.eql([1, 1, 1, 1, 1, 1]);
  });

  it('lets no other job start beside it, and starts all of them after it', async () => {
    await leave('node', 'a');
    await diesWith(1, 'node');
    await diesWith(1, 'node');
    let finish: (verdict: JobOutcome) => void = () => undefined;
    const process = begin((name) =>
      name === 'a' ? new Promise((resolve) => (finish = resolve)) : Promise.resolve(done)
    );
    const queue = process.start();
    await until('the job alone', () => process.running.has('a') || undefined);
    await queue.add({ name: 'b' }, [], () => undefined);
    // Nothing signals that a job does not start: this gives it a few turns to do so.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    process.begun.should.eql(['a']);
    finish(done);
    await until('the other', () => process.begun.includes('b') || undefined);
  });

  it('takes jobs with the fewest crashes first, then the oldest', async () => {
    await leave('node', 'a', 'b', 'c');
    await diesWith(3, 'node');
    await diesWith(3, 'node');
    for (const died of ['a', 'b', 'c', 'a']) {
      const process = begin(forever);
      process.start();
      await until('one', () => process.begun.length > 0 || undefined);
      process.begun.should.eql([died]);
    }
  });

  it('gives a job up after five crashes alone, with growing pauses after three', async () => {
    await leave('node', 'poison', 'fine');
    const deaths = (name: string, { begun }: Process): Promise<JobOutcome> =>
      name === 'poison' || begun.includes('poison') ? forever() : atOnce();
    const pauses: number[] = [];
    let restarts = 0;
    for (; ; restarts += 1) {
      restarts.should.be.below(10);
      const process = begin(deaths, {
        pause: (alone) => {
          pauses.push(alone);
          return alone === 3 ? 40 : 0;
        }
      });
      const begunAt = performance.now();
      process.start();
      await until('the poison', () =>
        process.running.has('poison') || process.givenUp.length > 0 ? true : undefined
      );
      if (Math.max(...pauses.splice(0)) === 3) (performance.now() - begunAt).should.be.aboveOrEqual(39);
      process.die();
      if (process.givenUp.length === 0) continue;
      should(process.givenUp).have.length(1);
      should(process.givenUp[0]).have.properties({ alone: 5, isGivenUp: true });
      break;
    }
    restarts.should.be.belowOrEqual(7);
    await until('the end', () => jobs.count('node') === 0 || undefined);
    await until('the end of its mark', () => new UnderWayFile(file).read().length === 0 || undefined);
  });

  it('knows which of its pauses ends first', async () => {
    await leave('node', 'a');
    for (let death = 0; death < 3; death += 1) await diesWith(1, 'node');
    const process = begin(forever, { pause: (alone) => (alone === 3 ? 10_000 : 0) });
    const queue = process.start();
    const { count, next } = queue.retrying();
    count.should.equal(1);
    should(next?.retry).eql({ trouble: 'crash', attempt: 3, of: 5 });
    next!.dueInMs.should.be.within(1000, 10_000);
    should(process.guard.pausing('other')).be.null();
  });

  it('forgets the crashes of a finished job', async () => {
    await leave('node', 'a');
    await diesWith(1, 'node');
    const process = begin(atOnce);
    process.start();
    await until('the end', () => jobs.count('node') === 0 || undefined);
    await process.stop();
    should(new UnderWayFile(file).read()).eql([]);
  });

  it('counts neither a deploy nor a clean stop', async () => {
    await leave('node', 'a');
    let stop: () => void = () => undefined;
    const process = begin(
      () => new Promise((resolve) => (stop = () => resolve({ kind: 'stopped', effects: NO_EFFECTS })))
    );
    for (let deploy = 0; deploy < 3; deploy += 1) {
      const queue = process.start();
      await until('the job', () => process.running.has('a') || undefined);
      const closed = queue.close();
      stop();
      await closed;
    }
    await process.stop();
    should(new UnderWayFile(file).read()).eql([]);
    jobs.count('node').should.equal(1);
  });

  it('keeps the crashes of a job that is retried later', async () => {
    await leave('node', 'a');
    await diesWith(1, 'node');
    await diesWith(1, 'node');
    const process = begin(() => Promise.resolve({ kind: 'again', pauseMs: 60_000, effects: NO_EFFECTS }));
    process.start();
    await until('the attempt', () => process.begun.length === 1 || undefined);
    await process.stop();
    const [mark] = new UnderWayFile(file).read();
    should(mark).have.properties({ deaths: 2, alone: 2, state: 'resting' });
    should(jobs.at('node', mark!.dueAt, mark!.id)).be.ok();
  });

  it('waits only briefly for a job that runs alone: then others run beside it', async () => {
    await leave('node', 'long');
    await diesWith(1, 'node');
    await diesWith(1, 'node');
    const process = begin((name) => (name === 'long' ? forever() : atOnce()), { proof: () => 30 });
    const queue = process.start();
    await until('the job alone', () => process.running.has('long') || undefined);
    await queue.add({ name: 'other' }, [], () => undefined);
    await until('the other', () => process.begun.includes('other') || undefined);
    process.die();
    const [mark] = new UnderWayFile(file).read();
    should(mark).have.properties({ deaths: 2, alone: 2, state: 'proven' });
  });

  it('does not wait forever while new jobs keep arriving', async () => {
    await leave('node', 'held');
    await diesWith(1, 'node');
    await diesWith(1, 'node');
    let names = 0;
    let time = 0;
    const process = begin(
      async (name) => {
        if (name !== 'held') await queue.add({ name: `other-${(names += 1)}` }, [], () => undefined);
        return done;
      },
      { patience: 60, round: 20 },
      () => time
    );
    await leave('node', 'first');
    const queue = process.start();
    await until('some others', () => process.begun.length > 3 || undefined);
    process.begun.should.not.containEql('held');
    time += 60;
    await until('its turn', () => process.begun.includes('held') || undefined);
    await process.stop();
  });

  it('does not wait for others that have been running for a long time', async () => {
    await leave('node', 'held');
    await diesWith(1, 'node');
    await diesWith(1, 'node');
    await leave('node', 'long');
    let time = 0;
    const proof = (deaths: number): number => (deaths === 0 ? 0 : 60_000);
    const process = begin(forever, { patience: 30, proof }, () => time);
    process.start();
    await until('the long one', () => process.running.has('long') || undefined);
    time += 30;
    await until('both', () => process.running.size === 2 || undefined);
    process.begun.should.eql(['long', 'held']);
    process.die();
    const marks = new UnderWayFile(file).read();
    should(marks.filter(({ state }) => state === 'begun')).have.length(1);
  });

  it('lets the other nodes go first', async () => {
    await leave('node', 'held');
    await diesWith(1, 'node');
    await diesWith(1, 'node');
    await leave('late', 'other');
    let time = 0;
    const process = begin(atOnce, { settle: 60 }, () => time);
    process.start('node');
    await new Promise((resolve) => setImmediate(resolve));
    process.start('late');
    await until('the other', () => process.begun.length === 1 || undefined);
    time += 60;
    await until('both', () => process.begun.length === 2 || undefined);
    process.begun.should.eql(['other', 'held']);
  });

  it('keeps what it knows about the jobs of an absent node', async () => {
    await leave('gone', 'held');
    await diesWith(1, 'gone');
    await diesWith(1, 'gone');
    await leave('node', 'a');
    const process = begin(atOnce);
    process.start('node');
    await until('the other', () => jobs.count('node') === 0 || undefined);
    await process.stop();
    should(new UnderWayFile(file).read()).matchEach({ deaths: 2, state: 'resting' });
    const back = begin(atOnce);
    back.start('gone');
    await until('its turn', () => jobs.count('gone') === 0 || undefined);
  });

  it('forgets jobs that are no longer on disk, and finds jobs whose time has changed', async () => {
    await leave('node', 'a', 'b');
    await diesWith(2, 'node');
    const due = jobs.next('node', new Set())!;
    await jobs.finish('node', due, []);
    const other = jobs.next('node', new Set())!;
    await jobs.postpone('node', other, Date.now() - 5, []);
    const process = begin(forever);
    await process.guard.close();
    const marks = new UnderWayFile(file).read();
    should(marks).have.length(1);
    should(marks[0]).have.properties({ id: other.job.id, deaths: 1 });
    should(jobs.at('node', marks[0]!.dueAt, other.job.id)).be.ok();
  });

  it('runs jobs although no marks can be written', async () => {
    const nowhere = path.join(state.directory, 'missing', 'under-way');
    await leave('node', 'a', 'b');
    const process = new Process(jobs, nowhere, atOnce);
    processes.push(process);
    process.start();
    await until('the end', () => jobs.count('node') === 0 || undefined);
  });

  it('suspects nothing when the file is missing', async () => {
    await leave('node', 'a');
    await diesWith(1, 'node');
    await diesWith(1, 'node');
    rmSync(file);
    const process = begin(atOnce);
    process.start();
    await until('the end', () => jobs.count('node') === 0 || undefined);
  });

  it('returns to a held job after the state could not be read', async () => {
    await leave('node', 'held');
    await diesWith(1, 'node');
    await diesWith(1, 'node');
    const process = begin(atOnce, { retry: 5 });
    const read = jobs.at.bind(jobs);
    let reads = 0;
    jobs.at = (...key) => {
      reads += 1;
      if (reads === 1) throw new Error('disk gone');
      return read(...key);
    };
    process.start();
    await until('its turn', () => jobs.count('node') === 0 || undefined);
    process.faults.map(({ code }) => code).should.eql(['STORE_FAILED']);
  });
});
