import should from 'should';
import type { ArchiveFacts } from '../../../../src/archive/archive-facts';
import { NO_EFFECTS, type Effects } from '../../../../src/archive/effects';
import type { Job, JobRun } from '../../../../src/archive/queue/job';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import type { Jobs } from '../../../../src/archive/queue/jobs';
import { until } from '../../../support/until';
import { jobFor } from '../state-fixture';

/** What a node does with its jobs. */
export interface Worker {
  work: (job: Job, run: JobRun) => Promise<JobOutcome>;
  concurrency: number;
  onFault: () => void;
}

/** A process that has jobs of the node `node`. */
export interface JobsProcess {
  jobs: Jobs;
  facts: ArchiveFacts;
  /** Ends without any notice, as after SIGKILL: nothing that it still does counts. */
  crash: () => Promise<void>;
}

export interface JobsUnderTest {
  /** The next process, in the place of one that has ended; or, where jobs are shared, one more. */
  begin: (worker: Worker) => Promise<JobsProcess>;
  remove: () => Promise<void>;
}

const done = (effects: Effects = NO_EFFECTS): JobOutcome => ({ kind: 'done', effects });
const stopped: JobOutcome = { kind: 'stopped', effects: NO_EFFECTS };

/** The promises of `Jobs`, for every implementation. */
export function itRunsJobs(open: () => Promise<JobsUnderTest>): void {
  let tested: JobsUnderTest;
  let processes: JobsProcess[];
  let ran: string[];
  let faults: number;

  beforeEach(async () => {
    tested = await open();
    [processes, ran, faults] = [[], [], 0];
  });
  afterEach(async () => {
    await Promise.all(processes.map(({ jobs }) => jobs.close()));
    await tested.remove();
  });

  const nameOf = ({ message }: Job): string => String(message['name']);

  async function begin(work: Worker['work'], concurrency = 2): Promise<JobsProcess> {
    const begun = await tested.begin({
      concurrency,
      onFault: () => (faults += 1),
      work: (job, run) => {
        ran.push(nameOf(job));
        return work(job, run);
      }
    });
    processes.push(begun);
    return begun;
  }

  const add = (jobs: Jobs, name: string, known: (id: string) => void = () => undefined): Promise<void> =>
    jobs.add({ name, when: new Date(0), bytes: Buffer.from('a') }, [jobFor(name)], known);

  const seen = (count: number): Promise<unknown> =>
    until(`${count} runs`, () => (ran.length >= count ? true : undefined));

  const empty = (jobs: Jobs): Promise<unknown> =>
    until('no jobs', async () => ((await jobs.load(10)).all === 0 ? true : undefined));

  it('run what was accepted before and after the start, each once, and know it before it runs', async () => {
    const known: string[] = [];
    const { jobs } = await begin((job) => {
      should(known).containEql(job.id);
      return Promise.resolve(done());
    });
    await add(jobs, 'a', (id) => known.push(id));
    jobs.start();
    await add(jobs, 'b', (id) => known.push(id));
    await seen(2);
    await empty(jobs);
    ran.sort().should.eql(['a', 'b']);
    should(faults).equal(0);
  });

  it('give the message and the items back as they were', async () => {
    let given: Job | undefined;
    const { jobs } = await begin((job) => {
      given = job;
      return Promise.resolve(done());
    });
    await add(jobs, 'a');
    jobs.start();
    await seen(1);
    should(given!.message).eql({ name: 'a', when: new Date(0), bytes: Buffer.from('a') });
    should(given!.items).eql([jobFor('a')]);
  });

  it('keep two jobs for the same recording apart', async () => {
    const { jobs } = await begin(() => Promise.resolve(done()));
    await Promise.all([add(jobs, 'a'), add(jobs, 'a')]);
    jobs.start();
    await seen(2);
    ran.should.eql(['a', 'a']);
  });

  it('run no more at once than allowed', async () => {
    let [running, most] = [0, 0];
    const { jobs } = await begin(async () => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return done();
    }, 3);
    jobs.start();
    await Promise.all(Array.from({ length: 20 }, (_value, index) => add(jobs, String(index))));
    await seen(20);
    should(most).be.within(1, 3);
  });

  it('make effects durable before a job is gone', async () => {
    const file = { identity: 'telnyx:a', wantedFormat: null, recording: { path: '/a' } as never, order: 'o' };
    const { jobs, facts } = await begin(() =>
      Promise.resolve(done({ ...NO_EFFECTS, stored: [{ place: '/', file }] }))
    );
    await add(jobs, 'a');
    jobs.start();
    await empty(jobs);
    should(await facts.find('telnyx:a')).have.length(1);
  });

  it('run a job again after its pause, with its notes', async () => {
    const attempts: (number | undefined)[] = [];
    const { jobs } = await begin((job) => {
      attempts.push(job.files['a']?.attempts);
      job.files['a'] = { attempts: attempts.length, failures: 0 };
      job.retry = { trouble: 'source-silent', attempt: attempts.length, of: 8 };
      if (attempts.length === 3) return Promise.resolve(done());
      return Promise.resolve({ kind: 'again', pauseMs: attempts.length === 1 ? 1 : 50, effects: NO_EFFECTS });
    });
    await add(jobs, 'a');
    jobs.start();
    await seen(3);
    attempts.should.eql([undefined, 1, 2]);
    await empty(jobs);
  });

  it('tell what waits for its time, and how much there is', async () => {
    const { jobs } = await begin((job) => {
      job.retry = { trouble: 'source-silent', attempt: 1, of: 8 };
      return Promise.resolve({
        kind: 'again',
        pauseMs: nameOf(job) === 'a' ? 60_000 : 30_000,
        effects: NO_EFFECTS
      });
    });
    await add(jobs, 'a');
    await add(jobs, 'b');
    jobs.start();
    const pausing = await until('both', () => {
      const all = jobs.pausing(10);
      return all.length === 2 ? all : undefined;
    });
    pausing.map(({ job }) => nameOf(job)).should.eql(['b', 'a']);
    jobs.pausing(1).should.have.length(1);
    should(jobs.retrying()).have.property('count', 2);
    should(jobs.retrying().next?.dueInMs).be.within(1, 30_000);
    should(await jobs.load(10)).eql({ due: 0, all: 2 });
    should((await jobs.load(1)).all).equal(1);
  });

  it('count follow-ups as no load, and run them until they are done', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { jobs } = await begin(async () => {
      if (ran.length === 1) return { kind: 'again', pauseMs: 0, isFollowUp: true, effects: NO_EFFECTS };
      await held;
      return done();
    });
    await add(jobs, 'a');
    jobs.start();
    await seen(2);
    should(await jobs.load(10)).eql({ due: 0, all: 0 });
    release();
    ran.should.eql(['a', 'a']);
  });

  it('leave a job that was stopped to the next process, with its notes and effects', async () => {
    const first = await begin((job) => {
      job.files['a'] = { attempts: 1, failures: 0 };
      return Promise.resolve(stopped);
    });
    await add(first.jobs, 'a');
    first.jobs.start();
    await seen(1);
    await first.jobs.close();
    await first.crash();
    let notes: unknown;
    const second = await begin((job) => {
      notes = job.files;
      return Promise.resolve(done());
    });
    second.jobs.start();
    await seen(2);
    should(notes).eql({ a: { attempts: 1, failures: 0 } });
    await empty(second.jobs);
  });

  it('run what a crash interrupts again, and say so', async () => {
    const runs: JobRun[] = [];
    const first = await begin((_job, run) => {
      runs.push(run);
      return new Promise(() => undefined);
    });
    await add(first.jobs, 'a');
    first.jobs.start();
    await seen(1);
    await first.crash();
    processes = [];
    const second = await begin((_job, run) => {
      runs.push(run);
      return Promise.resolve(done());
    });
    second.jobs.start();
    await seen(2);
    runs.map(({ isResumed }) => isResumed).should.eql([false, true]);
    await empty(second.jobs);
  });

  it('lose no job when the work fails in an unforeseen way', async () => {
    const { jobs } = await begin(() => Promise.reject(new Error('made up')));
    await add(jobs, 'a');
    jobs.start();
    await seen(1);
    await until('the fault', () => (faults > 0 ? true : undefined));
    should((await jobs.load(10)).all).equal(1);
  });

  it('start nothing once they are closed, and wait for what runs', async () => {
    let end: () => void = () => undefined;
    const { jobs } = await begin(async () => {
      await new Promise<void>((resolve) => (end = resolve));
      return done();
    }, 1);
    await add(jobs, 'a');
    await add(jobs, 'b');
    jobs.start();
    await seen(1);
    const closed = jobs.close();
    end();
    await closed;
    ran.should.have.length(1);
    should(jobs.pausing(10)).be.empty();
    should(jobs.retrying()).eql({ count: 0, next: null });
  });
}
