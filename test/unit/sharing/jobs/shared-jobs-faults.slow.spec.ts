import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import type { Job, JobRun } from '../../../../src/archive/queue/job';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import { Child } from '../../../support/child-process';
import { until } from '../../../support/until';
import { jobFor } from '../../archive/state-fixture';
import { SharingFixture } from '../sharing-fixture';
import { type InstanceOptions, type SharingInstance, instanceOf } from './shared-jobs-stage';

const PROGRAM = path.join(__dirname, 'sharing-process.ts');
const DONE: JobOutcome = { kind: 'done', effects: NO_EFFECTS };
const done = (): Promise<JobOutcome> => Promise.resolve(DONE);
const nameOf = ({ message }: Job): string => String(message['name']);

describe('shared jobs, when something fails', () => {
  let fixture: SharingFixture;
  let instances: SharingInstance[];
  /** Which instance has told the flow of which job. */
  let told: { by: string; job: string }[];

  let children: Child[];
  let directory: string;
  /** Lets the runs of processes end. */
  let file: string;

  beforeEach(async function () {
    [instances, told, children] = [[], [], []];
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-shared-'));
    file = path.join(directory, 'end');
    fixture = await SharingFixture.start(this);
  });
  afterEach(async () => {
    await Promise.all(instances.map(({ jobs }) => jobs.close()));
    await Promise.all(instances.map(({ state }) => state.remove().catch(() => undefined)));
    await Promise.all(children.map((child) => child.end('SIGKILL')));
    await fixture.close();
    rmSync(directory, { recursive: true });
  });

  async function join(name: string, options: Partial<InstanceOptions> = {}): Promise<SharingInstance> {
    const work = options.work ?? done;
    const reporting = async (job: Job, run: JobRun): Promise<JobOutcome> => {
      const outcome = await work(job, run);
      const mayReport = (await run.mayReport?.()) ?? true;
      if (!mayReport) return { kind: 'stopped', effects: outcome.effects };
      if (outcome.kind !== 'stopped') told.push({ by: name, job: nameOf(job) });
      return outcome;
    };
    const instance = instanceOf(await fixture.join(name), { ...options, work: reporting });
    instances.push(instance);
    return instance;
  }

  async function add({ jobs }: SharingInstance, ...names: string[]): Promise<void> {
    await Promise.all(names.map((name) => jobs.add({ name }, [jobFor(name)], () => undefined)));
  }

  /** A process that is in the middle of a job. Whoever else may do it has been started. */
  async function beginning(name: string): Promise<Child> {
    const child = new Child(PROGRAM, [String(fixture.server.port), file], { nodeArgs: ['--import', 'tsx'] });
    children.push(child);
    await child.waitForOutput(/started/);
    const origin = await join('origin');
    await add(origin, name);
    await child.waitForOutput(/begins/);
    origin.jobs.start();
    return child;
  }

  const names = (count: number): string[] => Array.from({ length: count }, (_value, at) => `job ${at}`);
  const toldJobs = (): string[] => told.map(({ job }) => job).sort();
  const allTold = (count: number): Promise<unknown> =>
    until(`${count} messages`, () => told.length >= count, { deadline: 70_000 });
  const finished = ({ finished: all }: SharingInstance, count: number): Promise<unknown> =>
    until(`${count} ends`, () => all.length >= count);
  const isEmpty = ({ repository }: SharingInstance): boolean =>
    repository.count('node') === 0 && repository.count({ followUpsOf: 'node' }) === 0;
  const empty = (instance: SharingInstance): Promise<unknown> =>
    until('an empty list', () => isEmpty(instance));

  /** Work that lasts until it is told to end. */
  function lasting(): { work: () => Promise<JobOutcome>; begun: () => number; end: () => void } {
    const ends: (() => void)[] = [];
    return {
      work: () => new Promise((resolve) => ends.push(() => resolve(DONE))),
      begun: () => ends.length,
      end: () => ends.splice(0).forEach((end) => end())
    };
  }

  it('are done by all instances, and told to the one that accepted them, once each', async () => {
    const begun = new Set<string>();
    let go: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (go = resolve));
    const workOf = (name: string) => async (): Promise<JobOutcome> => {
      if (begun.add(name).size === 2) go();
      await both;
      return DONE;
    };
    const one = await join('one', { work: workOf('one') });
    const other = await join('other', { work: workOf('other') });
    for (const { jobs } of [one, other]) jobs.start();
    await add(one, ...names(60));
    await finished(one, 60);
    await empty(one);
    toldJobs().should.eql(names(60).sort());
    should(new Set(told.map(({ by }) => by)).size).equal(2);
    should(new Set(one.finished.map(({ id }) => id)).size).equal(60);
    should(other.finished).be.empty();
  });

  it('tell the origin that they were given up elsewhere', async () => {
    const givenUp = [{ node: 'node', identity: 'telnyx:a', code: 'GAVE_UP', at: Date.now() } as never];
    const work = (): Promise<JobOutcome> =>
      Promise.resolve({ kind: 'done', effects: { ...NO_EFFECTS, givenUp } });
    const [one, other] = [await join('one'), await join('other', { work })];
    other.jobs.start();
    await add(one, 'a');
    await until('the job in Redis', async () => (await other.jobs.load(10)).all === 0 && told.length > 0);
    one.jobs.start();
    await finished(one, 1);
    should(one.finished[0]!.isGivenUp).be.true();
    should((await other.facts.givenUp.newest({ skip: 0, most: 9 })).total).equal(1);
  });

  it('are followed up wherever there is room, after their origin was told', async () => {
    const follow: JobOutcome = { kind: 'again', pauseMs: 0, isFollowUp: true, effects: NO_EFFECTS };
    const work = (job: Job): Promise<JobOutcome> => {
      const isFollowUp = job.deletion !== undefined;
      if (!isFollowUp) job.deletion = { recordings: [], failures: 0 };
      return Promise.resolve(isFollowUp ? DONE : follow);
    };
    const one = await join('one', { work });
    const other = await join('other', { work });
    for (const { jobs } of [one, other]) jobs.start();
    await add(one, ...names(20));
    await allTold(40);
    await empty(one);
    should(one.finished).have.length(20);
    should(told.length).equal(40);
  });

  it('are lent again when Redis is emptied', async () => {
    const work = lasting();
    const one = await join('one', { work: work.work, concurrency: 1 });
    one.jobs.start();
    await add(one, ...names(5));
    await until('a run', () => work.begun() > 0);
    await fixture.server.flush();
    await join('other').then(({ jobs }) => jobs.start());
    await allTold(5);
    work.end();
    await finished(one, 5);
    await empty(one);
    toldJobs().should.eql(names(5).sort());
  });

  it('survive a Redis that is killed and starts without its data', async () => {
    const one = await join('one');
    await add(one, ...names(3));
    await fixture.server.kill();
    await add(one, 'while it was away');
    should((await one.jobs.load(10)).all).equal(4);
    await fixture.server.run();
    one.jobs.start();
    await finished(one, 4);
    await empty(one);
    should(told).have.length(4);
  });

  it('go to another instance when the network of one is cut, and are reported by that one only', async function () {
    this.timeout(90_000);
    const work = lasting();
    const origin = await join('origin', { concurrency: 1 });
    const slow = await join('slow', { work: work.work, concurrency: 1 });
    slow.jobs.start();
    await add(origin, 'a');
    await until('a run', () => work.begun() === 1);
    slow.member.relay.cut();
    const cutAt = performance.now();
    origin.jobs.start();
    await allTold(1);
    should(performance.now() - cutAt).be.below(25_000);
    slow.member.relay.mend();
    await until('the connection', () => !slow.member.connection.isAway);
    work.end();
    await finished(origin, 1);
    await slow.jobs.close();
    should(told).eql([{ by: 'origin', job: 'a' }]);
  });

  it('go to another instance when a process is killed in the middle of one', async function () {
    this.timeout(90_000);
    const child = await beginning('a');
    await child.end('SIGKILL');
    const killedAt = performance.now();
    await allTold(1);
    should(performance.now() - killedAt).be.below(25_000);
    await finished(instances[0]!, 1);
  });

  it('are reported once when a process sleeps past its lock, and goes on', async function () {
    this.timeout(90_000);
    const child = await beginning('a');
    process.kill(child.pid, 'SIGSTOP');
    await allTold(1);
    await finished(instances[0]!, 1);
    writeFileSync(file, '');
    process.kill(child.pid, 'SIGCONT');
    await child.waitForOutput(/lost a/);
    should(child.output).not.containEql('tells');
    should(told).have.length(1);
  });

  it('are handed over at once when an instance is closed', async () => {
    let stop: () => void = () => undefined;
    const work = (): Promise<JobOutcome> =>
      new Promise((resolve) => (stop = (): void => resolve({ kind: 'stopped', effects: NO_EFFECTS })));
    const one = await join('one', { work });
    one.jobs.start();
    await add(one, 'a');
    await until('a run', () => !one.member.connection.isAway && stop.name !== '');
    await join('other').then(({ jobs }) => jobs.start());
    const began = performance.now();
    const closed = one.jobs.close();
    stop();
    await allTold(1);
    should(performance.now() - began).be.below(5000);
    await closed;
    should(told).eql([{ by: 'other', job: 'a' }]);
  });

  it('let an instance close while Redis is away, with a job under way', async () => {
    const work = lasting();
    const one = await join('one', { work: work.work });
    one.jobs.start();
    await add(one, 'a');
    await until('a run', () => work.begun() === 1);
    await fixture.server.kill();
    await until('its end', () => one.member.connection.isAway);
    work.end();
    const began = performance.now();
    await one.jobs.close();
    should(performance.now() - began).be.below(5000);
    should(isEmpty(one)).be.false();
    await fixture.server.run();
  });

  it('are refused while Redis is away, where the disk does not last', async () => {
    const one = await join('one', { whenAway: 'refuse' });
    one.jobs.start();
    await fixture.server.kill();
    await add(one, 'a').should.be.rejectedWith({ code: 'QUEUE_AWAY' });
    should(isEmpty(one)).be.true();
    await fixture.server.run();
    await until('the connection', () => !one.member.connection.isAway);
    await add(one, 'b');
    await finished(one, 1);
    should(told).eql([{ by: 'one', job: 'b' }]);
  });

  it('run on their origin alone when Redis is away for long, and nowhere again when it is back', async () => {
    const follow: JobOutcome = { kind: 'again', pauseMs: 0, isFollowUp: true, effects: NO_EFFECTS };
    const work = (job: Job): Promise<JobOutcome> => {
      if (nameOf(job) !== 'followed') return done();
      const isFollowUp = job.deletion !== undefined;
      if (!isFollowUp) job.deletion = { recordings: [], failures: 0 };
      return Promise.resolve(isFollowUp ? DONE : follow);
    };
    const one = await join('one', { work, times: { alone: 300 } });
    await add(one, ...names(3));
    await fixture.server.kill();
    await until('its end', () => one.member.connection.isAway);
    await add(one, 'held', 'followed');
    one.jobs.start();
    await finished(one, 5);
    await empty(one);
    toldJobs().should.eql([...names(3), 'held', 'followed', 'followed'].sort());
    await fixture.server.run();
    await until('the connection', () => !one.member.connection.isAway);
    await add(one, 'later');
    await finished(one, 6);
    should(told).have.length(7);
  });

  it('run on their origin alone when Redis went away before it had taken how a run ended', async () => {
    let runs = 0;
    let isReporting = false;
    const work = (): Promise<JobOutcome> => {
      runs += 1;
      isReporting = true;
      return runs > 1 ? done() : Promise.resolve({ kind: 'again', pauseMs: 1, effects: NO_EFFECTS });
    };
    const one = await join('one', {
      work,
      times: { alone: 300 },
      onWrite: () => {
        if (!isReporting || runs !== 1) return;
        isReporting = false;
        one.member.relay.silence();
        // Nothing tells when a client has written to a connection from which nothing comes back.
        setTimeout(() => one.member.relay.cut(), 100);
      }
    });
    one.jobs.start();
    await add(one, 'a');
    await finished(one, 1);
    await empty(one);
    one.member.relay.mend();
    await until('the connection', () => !one.member.connection.isAway);
    await add(one, 'later');
    await finished(one, 2);
  });

  it('are taken out of Redis when they were done without it', async () => {
    const one = await join('one', { times: { alone: 300 } });
    await add(one, ...names(10));
    one.member.relay.cut();
    one.jobs.start();
    await finished(one, 10);
    await empty(one);
    one.member.relay.mend();
    const other = await join('other');
    await until('an empty Redis', async () => (await other.jobs.load(10)).all === 0);
    other.jobs.start();
    await add(one, 'later');
    await finished(one, 11);
    should(told).have.length(11);
  });

  it('are told to an origin that was gone meanwhile, after its restart', async () => {
    const one = await join('one');
    await add(one, ...names(5));
    await one.crash();
    const other = await join('other');
    other.jobs.start();
    await allTold(5);
    const again = await join('one', { state: one.state });
    again.jobs.start();
    await finished(again, 5);
    await empty(again);
    should(told).have.length(5);
  });

  it('wait for an instance that has their version, and can do those of the one before', async () => {
    const two = await join('two', { version: 2 });
    const one = await join('one', { version: 1, work: () => Promise.reject(new Error('not mine')) });
    one.jobs.start();
    await add(two, 'new');
    await until('a warning', () => one.faults.length > 0);
    should(one.faults[0]).match({ code: 'BAD_SETTING' });
    should((await one.jobs.load(10)).all).equal(1);
    await one.jobs.close();
    await add(one, 'old');
    two.jobs.start();
    await allTold(1);
    should(told).eql([{ by: 'two', job: 'old' }]);
  });

  it('are not ended by somebody who has not their key', async () => {
    let open = (): void => undefined;
    let isBusy = false;
    const busy = new Promise<void>((resolve) => (open = resolve));
    const one = await join('one', {
      key: randomBytes(32).toString('base64'),
      concurrency: 1,
      work: async () => {
        isBusy = true;
        await busy;
        return DONE;
      }
    });
    one.jobs.start();
    await add(one, 'first');
    await until('the run', () => isBusy);
    let id = '';
    await one.jobs.add({ name: 'second' }, [jobFor('second')], (known) => (id = known));
    await one.member.connection.command(async (client) => {
      const returned = JSON.stringify({ v: 1, kind: 'done', isGivenUp: false, pauseMs: 0 });
      await client.hset(`{test}:node:${id}`, 'finishedOn', '1', 'returnvalue', returned);
      await client.rpush(`{test}:node:told:${one.member.instance.id}`, id);
    });
    await until(
      'a look at it',
      async () =>
        (await one.member.connection.command((client) =>
          client.llen(`{test}:node:told:${one.member.instance.id}`)
        )) === 0
    );
    open();
    await until('both ends', () => one.finished.length === 2);
    should(told.map(({ job }) => job).sort()).eql(['first', 'second']);
  });

  it('wait for an instance that has their key', async () => {
    const [key, other] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
    const one = await join('one', { key });
    const stranger = await join('stranger', { key: other });
    stranger.jobs.start();
    let id = '';
    await one.jobs.add({ name: 'a' }, [jobFor('a')], (known) => (id = known));
    await until('a warning', () => stranger.faults.length > 0);
    should(stranger.faults[0]).match({ code: 'BAD_SETTING', message: /"Encryption"/ });
    should((await one.jobs.load(10)).all).equal(1);
    should(await fixture.server.say(`HGETALL {test}:node:${id}`))
      .containEql('sealed')
      .and.not.containEql('geheim');
    should(told).be.empty();
    one.jobs.start();
    // Later, when it is due again; the other one cannot have taken it meanwhile.
    await fixture.server.say(`ZADD {test}:node:delayed 1 ${id}`);
    await finished(one, 1);
  });
});
