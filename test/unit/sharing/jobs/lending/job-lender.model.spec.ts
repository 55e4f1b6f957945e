import fc from 'fast-check';
import should from 'should';
import { NO_EFFECTS } from '../../../../../src/archive/effects';
import { JobRepository } from '../../../../../src/archive/queue/job-repository';
import { JobLender } from '../../../../../src/sharing/jobs/lending/job-lender';
import type { JobPool, JobToLend, PooledJob } from '../../../../../src/sharing/jobs/lending/job-pool';
import { LendingBudget, LendingLedger } from '../../../../../src/sharing/jobs/lending/lending-ledger';
import { StateFixture } from '../../../archive/state-fixture';

type State = 'waiting' | 'active' | 'done' | 'follow-up';

/** What Redis and the instances on the other side of it do. */
class Pool implements JobPool {
  readonly jobs = new Map<string, { state: State; given: JobToLend }>();
  isAway = false;
  /** Whether it is away for the origin only. */
  isCut = false;
  /** How many calls until the origin crashes in the middle of one, and whether that one still counts. */
  crash: { calls: number; counts: boolean; happen: () => void } | null = null;

  add(jobs: readonly JobToLend[]): Promise<void> {
    return this.#call(() => {
      for (const given of jobs) {
        const { id } = given.lent.job;
        if (!this.jobs.has(id)) this.jobs.set(id, { state: 'waiting', given });
      }
    });
  }

  look(ids: readonly string[]): Promise<PooledJob[]> {
    return this.#call(() =>
      ids.map((id): PooledJob => {
        const job = this.jobs.get(id);
        if (job === undefined) return { kind: 'missing' };
        const { state, given } = job;
        if (state === 'waiting' || state === 'active') return { kind: 'open' };
        return { kind: 'ended', ending: { kind: state, isGivenUp: false, pauseMs: 0 }, follow: given.lent };
      })
    );
  }

  remove(ids: readonly string[]): Promise<string[]> {
    return this.#call(() => {
      for (const id of ids) if (this.jobs.get(id)?.state !== 'active') this.jobs.delete(id);
      return ids.filter((id) => !this.jobs.has(id));
    });
  }

  #call<Result>(action: () => Result): Promise<Result> {
    if (this.isAway) return Promise.reject(new Error('away'));
    const { crash } = this;
    if (crash === null || (crash.calls -= 1) >= 0) return Promise.resolve(action());
    this.crash = null;
    if (crash.counts) action();
    crash.happen();
    // The process that waits for it is dead.
    return new Promise(() => undefined);
  }

  of(state: State, at: number): string | undefined {
    const ids = [...this.jobs].filter(([, job]) => job.state === state).map(([id]) => id);
    return ids.length === 0 ? undefined : ids[at % ids.length];
  }
}

const ACTIONS = [
  'add',
  'add, and everything else at once',
  'lend',
  'lend some',
  'start',
  'start',
  'end',
  'end',
  'end for now',
  'tell',
  'tell twice',
  'review',
  'reclaim',
  'origin crashes',
  'crash soon',
  'executor crashes',
  'emptied',
  'down',
  'cut off',
  'back',
  'alone',
  'alone, but not to the end',
  'end lost'
] as const;

async function lendAll(lender: JobLender): Promise<void> {
  while (await lender.lend());
}

let runs = 0;

/** One origin with a list and its follow-ups, and the pools of both. */
class World {
  readonly pools = [new Pool(), new Pool()] as const;
  readonly accepted = new Set<string>();
  /** How often the run of a job has ended as the flow sees it. */
  readonly finished = new Map<string, number>();
  readonly told: string[] = [];
  /** Jobs of which a second run is nobody's fault. */
  readonly excused = new Set<string>();
  /** The notes that a job must have by now. */
  readonly #attempts = new Map<string, number>();
  readonly #state: StateFixture;
  readonly #node = `node-${(runs += 1)}`;
  #aloneNow = new Set<string>();
  repository!: JobRepository;
  lenders!: readonly [JobLender, JobLender];

  constructor(state: StateFixture) {
    this.#state = state;
    this.begin();
  }

  get lists(): readonly [string, { followUpsOf: string }] {
    return [this.#node, { followUpsOf: this.#node }];
  }

  /** A process begins, after one that has ended without any notice. */
  begin(): void {
    const { database } = this.#state;
    const repository = new JobRepository(database, this.#state.now);
    const budget = new LendingBudget({ jobs: 3, bytes: 1e9 });
    this.#aloneNow = new Set();
    const alone = this.#aloneNow;
    const make = (at: 0 | 1, followUps: JobLender | null): JobLender =>
      new JobLender(
        { list: this.lists[at], origin: 'a' },
        {
          ...{ repository, budget, pool: this.pools[at], followUps, now: this.#state.now },
          ledger: new LendingLedger(database, this.lists[at], budget),
          commit: (changes) => database.commit(changes),
          changes: () => [],
          runsHere: (id) => alone.has(id),
          giveUp: () => Promise.resolve({ effects: NO_EFFECTS }),
          onEnded: (id) => {
            if (at === 0) this.told.push(id);
          },
          onFault: (error) => {
            throw error;
          }
        }
      );
    const followUps = make(1, null);
    this.repository = repository;
    this.lenders = [make(0, followUps), followUps];
    for (const lender of this.lenders) lender.open();
  }

  /** Does something as the origin, which may crash in the middle of it. */
  async asOrigin(action: () => Promise<unknown>): Promise<void> {
    const crashed = new Promise<'crashed'>((resolve) => {
      for (const { crash } of this.pools) if (crash !== null) crash.happen = (): void => resolve('crashed');
    });
    const ended = action().then(
      () => 'ended',
      () => 'failed'
    );
    if ((await Promise.race([crashed, ended])) === 'crashed') this.begin();
  }

  add(): Promise<void> {
    return this.asOrigin(() => this.#add());
  }

  async #add(): Promise<void> {
    const job = this.repository.job({}, []);
    const [lender] = this.lenders;
    await lender.add(job, this.pools[0].isAway);
    this.accepted.add(job.id);
    await lender.send(job);
  }

  addAmongOthers(): Promise<void> {
    // Only one of the calls would stop.
    for (const pool of this.pools) pool.crash = null;
    return this.asOrigin(() => {
      const others = this.lenders.flatMap((lender) => [lender.lend(), lender.review(), lendAll(lender)]);
      return Promise.allSettled([this.#add(), this.#add(), ...others]);
    });
  }

  eachLender(action: (lender: JobLender) => Promise<unknown>): Promise<void> {
    return this.asOrigin(async () => {
      for (const lender of this.lenders) await action(lender);
    });
  }

  tell(times: number): Promise<void> {
    return this.asOrigin(async () => {
      for (const [at, lender] of this.lenders.entries()) {
        const ids = [...this.pools[at as 0 | 1].jobs.keys()];
        for (let time = 0; time < times; time += 1) await lender.take([...ids, ...ids, 'unknown']);
      }
    });
  }

  reclaim(): Promise<void> {
    return this.asOrigin(async () => {
      for (const [at, lender] of this.lenders.entries())
        await lender.reclaim([...this.pools[at as 0 | 1].jobs.keys(), 'unknown']);
    });
  }

  count(id: string): void {
    this.finished.set(id, (this.finished.get(id) ?? 0) + 1);
  }

  start(at: number): void {
    for (const pool of this.pools) {
      const id = pool.isAway && !pool.isCut ? undefined : pool.of('waiting', at);
      if (id === undefined) continue;
      const job = pool.jobs.get(id)!;
      job.state = 'active';
      if (this.excused.has(id)) continue;
      should(job.given.lent.job.files['a']?.attempts).equal(this.#attempts.get(id), 'old notes');
    }
  }

  /** @param kind of the jobs themselves; their follow-ups are done after one run */
  end(kind: 'done' | 'follow-up', at: number): void {
    const [jobs, followUps] = this.pools;
    if (jobs.isAway && !jobs.isCut) return;
    const following = followUps.of('active', at);
    if (following !== undefined) followUps.jobs.get(following)!.state = 'done';
    const id = jobs.of('active', at);
    if (id === undefined) return;
    const job = jobs.jobs.get(id)!;
    // First the follow-up, so that a crash in between loses none.
    if (kind === 'follow-up' && !followUps.jobs.has(id))
      followUps.jobs.set(id, { state: 'waiting', given: job.given });
    job.state = kind;
    this.count(id);
  }

  executorCrashes(): void {
    for (const pool of this.pools)
      for (const job of pool.jobs.values()) if (job.state === 'active') job.state = 'waiting';
  }

  emptied(): void {
    for (const pool of this.pools) {
      for (const id of pool.jobs.keys()) this.excused.add(id);
      pool.jobs.clear();
    }
  }

  endLost(at: number): void {
    for (const pool of this.pools) {
      const id = pool.of('done', at) ?? pool.of('follow-up', at);
      if (id === undefined) continue;
      this.excused.add(id);
      pool.jobs.delete(id);
    }
  }

  /** As the queue of this instance does while the pool is away. */
  async alone(isDone: boolean): Promise<void> {
    for (const [at, list] of this.lists.entries()) {
      const due = this.repository.next(list, { has: () => false });
      if (due === undefined) continue;
      const { id } = due.job;
      const pool = this.pools[at as 0 | 1];
      const other = pool.jobs.get(id)?.state;
      // Nobody can know of a run elsewhere, while it lasts or when it has just ended.
      if (other !== undefined && (pool.isCut || other !== 'waiting')) this.excused.add(id);
      this.#aloneNow.add(id);
      await this.lenders[at as 0 | 1].takeBack(id);
      if (!isDone) {
        const attempts = (due.job.files['a']?.attempts ?? 0) + 1;
        due.job.files['a'] = { attempts, failures: 0 };
        this.#attempts.set(id, attempts);
        await this.repository.postpone(list, due, due.dueAt + 1, []);
        continue;
      }
      await this.repository.finish(list, due, []);
      if (at === 0) this.count(id);
      if (at === 0) this.told.push(id);
    }
  }

  go(isCut: boolean): void {
    for (const pool of this.pools) if (!pool.isAway) Object.assign(pool, { isAway: true, isCut });
  }

  /** Where Redis was away for all, nobody begins before the others have said what they did. */
  async back(): Promise<void> {
    for (const pool of this.pools) Object.assign(pool, { isAway: false, crash: null });
    this.#aloneNow.clear();
    for (const lender of this.lenders) {
      lender.searchAgain();
      await lender.removeVoid();
    }
  }

  async act(action: (typeof ACTIONS)[number], at: number): Promise<void> {
    const whileAway = (run: () => Promise<void>): Promise<void> =>
      this.pools[0].isAway ? run() : Promise.resolve();
    const actions: Record<(typeof ACTIONS)[number], () => void | Promise<void>> = {
      add: () => this.add(),
      'add, and everything else at once': () => this.addAmongOthers(),
      lend: () => this.eachLender(lendAll),
      'lend some': () => this.eachLender((lender) => lender.lend()),
      start: () => this.start(at),
      end: () => this.end('done', at),
      'end for now': () => this.end('follow-up', at),
      tell: () => this.tell(1),
      'tell twice': () => this.tell(2),
      review: () => this.eachLender((lender) => lender.review()),
      reclaim: () => this.reclaim(),
      'origin crashes': () => this.begin(),
      'crash soon': () => {
        this.pools[at % 2]!.crash = { calls: at % 3, counts: at % 4 > 1, happen: () => undefined };
      },
      'executor crashes': () => this.executorCrashes(),
      emptied: () => this.emptied(),
      down: () => this.go(false),
      'cut off': () => this.go(true),
      back: () => whileAway(() => this.back()),
      alone: () => whileAway(() => this.alone(true)),
      'alone, but not to the end': () => whileAway(() => this.alone(false)),
      'end lost': () => this.endLost(at)
    };
    await actions[action]();
  }

  /** All faults end, and everything runs until nothing is left. */
  async comeToRest(): Promise<void> {
    await this.back();
    for (let round = 0; round < 100; round += 1) {
      for (const lender of this.lenders) {
        await lender.review();
        await lendAll(lender);
      }
      const left = this.lists.some((list) => this.repository.count(list) > 0);
      if (!left && this.lenders.every(({ lent }) => lent === 0)) return;
      for (let step = 0; step < 5; step += 1) {
        this.start(step);
        this.end('done', step);
      }
    }
    throw new Error('It does not come to rest.');
  }
}

describe('lent jobs, whatever happens', () => {
  let state: StateFixture;
  before(() => {
    state = new StateFixture();
  });
  after(() => state.remove());

  it('are never lost, run once unless their end was lost, and are told about once', async function () {
    this.timeout(300_000);
    const step = fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(11));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const world = new World(state);
        for (const [action, at] of steps) await world.act(action, at);
        await world.comeToRest();
        for (const id of world.accepted) {
          const times = world.finished.get(id) ?? 0;
          should(times).be.aboveOrEqual(1, 'lost');
          if (!world.excused.has(id)) should(times).equal(1, 'ran again');
        }
        should(new Set(world.told).size).equal(world.told.length, 'told twice');
        for (const pool of world.pools)
          for (const [id, { state: left }] of pool.jobs)
            if (!world.excused.has(id)) should(left).not.equal('waiting');
      }),
      { numRuns: Number(process.env['MODEL_RUNS'] ?? 150) }
    );
  });
});
