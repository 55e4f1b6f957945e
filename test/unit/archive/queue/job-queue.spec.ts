import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import { LocalFacts } from '../../../../src/archive/index/local-facts';
import type { Job } from '../../../../src/archive/queue/job';
import { JobRepository } from '../../../../src/archive/queue/job-repository';
import { JobQueue, type JobQueueOptions, type JobOutcome } from '../../../../src/archive/queue/job-queue';
import { CodedError } from '../../../../src/errors/coded-error';
import { THREE_HOURS_MS, withClockSet } from '../../../support/clock-set';
import { until } from '../../../support/until';
import { jobFor, StateFixture } from '../state-fixture';

const done: JobOutcome = { kind: 'done', effects: NO_EFFECTS };

describe('JobQueue', () => {
  let state: StateFixture;
  let jobs: JobRepository;
  let queues: JobQueue[];
  let faults: CodedError[];

  beforeEach(() => {
    state = new StateFixture();
    state.time = Date.now();
    jobs = new JobRepository(state.database, state.now);
    queues = [];
    faults = [];
  });
  afterEach(async () => {
    await Promise.all(queues.map((queue) => queue.close()));
    await state.remove();
  });

  function queueOf(work: JobQueueOptions['work'], more: Partial<JobQueueOptions> = {}): JobQueue {
    const queue = new JobQueue(jobs, {
      list: 'node',
      concurrency: 2,
      facts: new LocalFacts(state.database),
      work,
      onWaiting: () => undefined,
      onFault: (error) => void faults.push(error),
      ...more
    });
    queues.push(queue);
    return queue;
  }

  async function leave(...names: string[]): Promise<void> {
    for (const name of names) await jobs.add('node', jobs.job({ name }, [jobFor(name)]));
  }

  const nameOf = (job: Job): string => String(job.message['name']);

  /** Resolves once the work has been called that many times. */
  function seen(count: number, verdict: (job: Job) => JobOutcome | Promise<JobOutcome>) {
    const names: string[] = [];
    let resolve: (names: string[]) => void;
    const all = new Promise<string[]>((whenSeen) => (resolve = whenSeen));
    const work = async (job: Job): Promise<JobOutcome> => {
      names.push(nameOf(job));
      if (names.length === count) resolve(names);
      return await verdict(job);
    };
    return { work, all };
  }

  it('tells which jobs wait for their time, the first one at the beginning', async () => {
    await leave('a', 'b', 'c');
    const pauses: Readonly<Record<string, number>> = { a: 60_000, b: 5000, c: 30_000 };
    const queue = queueOf((job) =>
      Promise.resolve({ kind: 'again', pauseMs: pauses[nameOf(job)] ?? 0, effects: NO_EFFECTS })
    );
    should(queue.pausing(10)).be.empty();
    queue.start();
    const all = await until('all three', () =>
      queue.pausing(10).length === 3 ? queue.pausing(10) : undefined
    );
    should(all.map(({ job }) => nameOf(job))).deepEqual(['b', 'c', 'a']);
    should(all[1]!.dueInMs).be.within(10_000, 30_000);
    should(queue.pausing(2).map(({ job }) => nameOf(job))).deepEqual(['b', 'c']);
    await queue.close();
    should(queue.pausing(10)).be.empty();
  });

  it('resumes remaining jobs, oldest first, and accepts new ones', async () => {
    await leave('a', 'b', 'c');
    const { work, all } = seen(4, () => done);
    const queue = queueOf(work, { concurrency: 1 });
    queue.start();
    let id = '';
    await queue.add({ name: 'd' }, [jobFor('d')], (known) => (id = known));
    (await all).should.eql(['a', 'b', 'c', 'd']);
    id.should.not.be.empty();
    await queue.close();
    jobs.count('node').should.equal(0);
  });

  it('has a job on disk before work starts and before the caller is told', async () => {
    let onDisk = 0;
    const { work, all } = seen(1, () => {
      onDisk = jobs.count('node');
      return done;
    });
    const queue = queueOf(work);
    queue.start();
    await queue.add({ name: 'a' }, [], () => undefined);
    await all;
    onDisk.should.equal(1);
  });

  it('limits the number of running jobs, and reports how many wait', async () => {
    await leave('a', 'b', 'c', 'd', 'e');
    let running = 0;
    let most = 0;
    const waiting: number[] = [];
    const { work, all } = seen(5, async () => {
      running += 1;
      most = Math.max(most, running);
      // Slow work, so that several jobs overlap.
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return done;
    });
    queueOf(work, { onWaiting: (count) => void waiting.push(count) }).start();
    await all;
    most.should.equal(2);
    should(waiting[0]).equal(3);
    should(waiting.at(-1)).equal(0);
  });

  for (const when of ['before', 'after'] as const)
    it(`counts a job once when it is added during the start: ${when} it is on disk`, async () => {
      const plainAdd = jobs.add.bind(jobs);
      jobs.add = async (...order) => {
        if (when === 'before') queue.start();
        await plainAdd(...order);
        if (when === 'after') queue.start();
      };
      const waiting: number[] = [];
      let finish: (verdict: JobOutcome) => void = () => undefined;
      const work = () => new Promise<JobOutcome>((resolve) => (finish = resolve));
      const queue = queueOf(work, { onWaiting: (count) => void waiting.push(count), concurrency: 1 });
      await queue.add({ name: 'a' }, [], () => undefined);
      jobs.add = plainAdd;
      const counted = waiting.at(-1);
      await queue.add({ name: 'b' }, [], () => undefined);
      finish({ kind: 'stopped', effects: NO_EFFECTS });
      should([counted, waiting.at(-1)]).deepEqual([0, 1]);
    });

  it('counts jobs once when they are added around the start and persisted together', async () => {
    const waiting: number[] = [];
    const ends: ((verdict: JobOutcome) => void)[] = [];
    const work = () => new Promise<JobOutcome>((resolve) => void ends.push(resolve));
    const queue = queueOf(work, { onWaiting: (count) => void waiting.push(count), concurrency: 1 });
    const early = ['a', 'b'].map((name) => queue.add({ name }, [], () => undefined));
    queue.start();
    const late = ['c', 'd', 'e'].map((name) => queue.add({ name }, [], () => undefined));
    await Promise.all([...early, ...late]);
    should([jobs.count('node'), ends.length, waiting.at(-1)]).deepEqual([5, 1, 4]);
    for (const end of ends) end({ kind: 'stopped', effects: NO_EFFECTS });
  });

  it('does not count a job that could not be persisted', async () => {
    const plainAdd = jobs.add.bind(jobs);
    jobs.add = () => Promise.reject(new CodedError('STORE_FAILED', 'made by the test'));
    const waiting: number[] = [];
    const queue = queueOf(() => Promise.resolve(done), { onWaiting: (count) => void waiting.push(count) });
    const refused = queue.add({ name: 'a' }, [], () => undefined);
    queue.start();
    await refused.should.be.rejectedWith({ code: 'STORE_FAILED' });
    await queue.add({ name: 'b' }, [], () => undefined).should.be.rejectedWith({ code: 'STORE_FAILED' });
    jobs.add = plainAdd;
    should(waiting).matchEach(0);
  });

  it('does not start a job again while it is being removed', async () => {
    const names: string[] = [];
    const queue = queueOf((job) => {
      names.push(nameOf(job));
      return Promise.resolve(done);
    });
    queue.start();
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => queue.add({ name }, [], () => undefined)));
    await queue.close();
    names.sort().should.eql(['a', 'b', 'c', 'd', 'e', 'f'].slice(0, names.length));
    jobs.count('node').should.equal(6 - names.length);
  });

  it('resumes a job after its pause, with its progress, and runs others meanwhile', async () => {
    await leave('slow', 'other');
    const begun = performance.now();
    const { work, all } = seen(3, (job) => {
      if (nameOf(job) === 'other' || job.files['tried'] !== undefined) return done;
      job.files['tried'] = { attempts: 1, failures: 1 };
      return { kind: 'again', pauseMs: 60, effects: NO_EFFECTS };
    });
    queueOf(work, { concurrency: 1 }).start();
    (await all).should.eql(['slow', 'other', 'slow']);
    (performance.now() - begun).should.be.aboveOrEqual(59);
  });

  for (const byMs of [-THREE_HOURS_MS, -600_000, THREE_HOURS_MS]) {
    it(`keeps its pauses when the clock moves by ${byMs / 60_000} minutes meanwhile`, async () => {
      jobs = new JobRepository(state.database);
      let tries = 0;
      const { work, all } = seen(2, () =>
        (tries += 1) === 1 ? { kind: 'again', pauseMs: 300, effects: NO_EFFECTS } : done
      );
      const queue = queueOf(work);
      queue.start();
      const begun = performance.now();
      await queue.add({ name: 'a' }, [jobFor('a')], () => undefined);
      await until('the pause', () => {
        const { job: job, dueAt } = jobs.next('node', new Set()) ?? {};
        return job && dueAt! >= job.acceptedAt + 300 ? true : undefined;
      });
      await withClockSet(byMs, () => all);
      should(performance.now() - begun).be.within(290, 10_000);
    });
  }

  it('immediately runs a job whose due time no pause explains: the clock was wrong', async () => {
    state.time = Date.now() + 365 * 24 * 3_600_000;
    await leave('future');
    const { work, all } = seen(1, () => done);
    queueOf(work).start();
    (await all).should.eql(['future']);
  });

  it('persists the stored files together with the end of the job', async () => {
    await leave('a');
    const facts = new LocalFacts(state.database);
    const { identity, details } = jobFor('b').reference;
    const failed = { node: 'node', identity, at: 1, code: 'GAVE_UP', message: '', attempts: 1, details };
    const effects = { ...NO_EFFECTS, givenUp: [{ ...failed, at: Date.now() }] };
    const { work, all } = seen(1, () => ({ kind: 'done', effects }));
    const queue = queueOf(work);
    queue.start();
    await all;
    await queue.close();
    [...facts.givenUp.list()].should.eql(effects.givenUp);
    jobs.count('node').should.equal(0);
  });

  it('leaves a job with its progress to its successor when stopped', async () => {
    await leave('a');
    const { work, all } = seen(1, (job) => {
      job.files['half'] = { attempts: 1, failures: 0 };
      return { kind: 'stopped', effects: NO_EFFECTS };
    });
    const queue = queueOf(work);
    queue.start();
    await all;
    await queue.close();
    const left = jobs.next('node', new Set());
    left!.job.files.should.have.property('half');
    const next = seen(1, () => done);
    queueOf(next.work).start();
    (await next.all).should.eql(['a']);
  });

  it('yields to the event loop when very many jobs end at the same time', async function () {
    this.timeout(60_000);
    const count = 3000;
    await Promise.all(Array.from({ length: count }, (_value, index) => leave(String(index))));
    let worked = 0;
    const queue = queueOf(() => {
      worked += 1;
      return Promise.resolve(done);
    });
    queue.start();
    let most = 0;
    const deadline = Date.now() + 15_000;
    for (let before = worked; worked < count && Date.now() < deadline; before = worked) {
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, worked - before);
    }
    worked.should.equal(count);
    most.should.be.belowOrEqual(102);
    await queue.close();
    jobs.count('node').should.equal(0);
  });

  it('does not go through the remaining jobs once their processor is stopped', async () => {
    await leave(...Array.from({ length: 50 }, (_value, index) => String(index)));
    const names: string[] = [];
    const queue = queueOf((job) => {
      names.push(nameOf(job));
      return Promise.resolve({ kind: 'stopped', effects: NO_EFFECTS });
    });
    queue.start();
    await new Promise((resolve) => setImmediate(resolve));
    names.should.eql(['0', '1']);
    await queue.close();
    names.should.eql(['0', '1']);
    jobs.count('node').should.equal(50);
  });

  it('keeps a job that failed unexpectedly, and reports it', async () => {
    await leave('a');
    const queue = queueOf(() => Promise.reject(new TypeError('nobody thought of this')));
    const told = new Promise<void>((resolve) => {
      const push = faults.push.bind(faults);
      faults.push = (...errors) => {
        resolve();
        return push(...errors);
      };
    });
    queue.start();
    await told;
    await queue.close();
    faults[0]!.message.should.containEql('nobody thought of this');
    jobs.count('node').should.equal(1);
  });

  it('rejects a job that could not be persisted', async () => {
    const names: string[] = [];
    const queue = queueOf((job) => {
      names.push(nameOf(job));
      return Promise.resolve(done);
    });
    queue.start();
    jobs.add = () => Promise.reject(new CodedError('STORE_FAILED', 'disk full'));
    await queue.add({ name: 'a' }, [], () => undefined).should.be.rejectedWith({ code: 'STORE_FAILED' });
    await queue.close();
    names.should.eql([]);
  });

  it('does not repeat a finished job while the state cannot record its end', async () => {
    await leave('a', 'b');
    const finish = jobs.finish.bind(jobs);
    let failures = 0;
    jobs.finish = (...args) => {
      failures += 1;
      return failures <= 2 ? Promise.reject(new Error('disk full')) : finish(...args);
    };
    const ended = new Promise<void>((resolve) => {
      const done = jobs.finish.bind(jobs);
      jobs.finish = async (...args) => {
        await done(...args);
        if (jobs.count('node') === 0) resolve();
      };
    });
    const { work, all } = seen(2, () => done);
    const queue = queueOf(work, { concurrency: 1, statePauseMs: 5 });
    queue.start();
    await all;
    await ended;
    (await all).should.eql(['a', 'b']);
    faults.map(({ code }) => code).should.eql(['STORE_FAILED', 'STORE_FAILED']);
  });

  it('reports how many jobs wait for another attempt, and why the next one does, even after a restart', async () => {
    await leave('a', 'b', 'c');
    const pauses: Record<string, number> = { a: 50_000, b: 20_000 };
    const { work, all } = seen(3, (job) => {
      const pauseMs = pauses[nameOf(job)];
      if (pauseMs === undefined) return { kind: 'stopped', effects: NO_EFFECTS };
      job.retry = { trouble: 'disk-full', attempt: pauseMs / 10_000, of: 8 };
      return { kind: 'again', pauseMs, effects: NO_EFFECTS };
    });
    const queue = queueOf(work);
    should(queue.retrying()).eql({ count: 0, next: null });
    queue.start();
    await all;
    await queue.close();
    const next = queueOf(() => new Promise(() => undefined));
    next.start();
    const { count, next: first } = next.retrying();
    count.should.equal(2);
    should(first?.retry).eql({ trouble: 'disk-full', attempt: 2, of: 8 });
    first!.dueInMs.should.be.within(15_000, 20_000);
    queues.splice(queues.indexOf(next), 1);
  });

  it('reports a job that is being retried when no other one waits for a retry', async () => {
    await leave('a');
    let attempts = 0;
    const { work, all } = seen(2, (job) => {
      attempts += 1;
      if (attempts === 2) return new Promise<JobOutcome>((resolve) => (finish = resolve));
      job.retry = { trouble: 'disk-full', attempt: 1, of: 8 };
      return { kind: 'again', pauseMs: 1, effects: NO_EFFECTS };
    });
    let finish: (verdict: JobOutcome) => void = () => undefined;
    const queue = queueOf(work);
    queue.start();
    await all;
    should(queue.retrying()).eql({
      count: 0,
      next: { retry: { trouble: 'disk-full', attempt: 1, of: 8 }, dueInMs: 0 }
    });
    finish(done);
    await queue.close();
  });

  it('reports that the list cannot be read, and retries by itself', async () => {
    await leave('a');
    const next = jobs.next.bind(jobs);
    let reads = 0;
    jobs.next = (...args) => {
      reads += 1;
      if (reads === 1) throw new Error('disk gone');
      return next(...args);
    };
    const { work, all } = seen(1, () => done);
    queueOf(work, { statePauseMs: 5 }).start();
    (await all).should.eql(['a']);
    faults.should.have.length(1);
  });
});
