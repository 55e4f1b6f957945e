import { until } from '../../test/support/until';
import type { Proof } from '../runs/proofs';
import { check, type CheckOptions, type Verdict } from './check';
import type { Cluster } from './cluster';
import { joined, Ledger } from './ledger';
import { waits } from './media-lines';
import { type Plan, type PlanOptions, planOf } from './plan';
import { Senders } from './senders';

const PROGRESS_EVERY_MS = 10_000;
/** A job that a second instance took by mistake would have been done again by then. */
const LINGER_MS = 20_000;

export interface RunOptions {
  seed: number;
  /** The longest that a plan may take after its last delivery. */
  settleMs: number;
}

/** A period in which one instance was ended. Milliseconds since 1970. */
export interface End {
  name: string;
  told: number;
  gone: number;
}

/** What all parts of a run need: the cluster, what is sent to it, and what it has shown. */
export class Run {
  readonly ledger = new Ledger();
  readonly senders: Senders;
  readonly problems: string[] = [];
  readonly #plans: Plan[] = [];
  readonly #names: string[] = [];
  readonly #listed = new Map<string, string>();
  readonly #overlooked = new Set<string>();

  constructor(
    readonly cluster: Cluster,
    readonly options: RunOptions
  ) {
    this.senders = new Senders({ ports: cluster.nginx.ports, storage: cluster.storage });
  }

  /** Makes a plan with a name of its own, which all its ids begin with. */
  plan(options: Omit<PlanOptions, 'seed'>): Plan {
    const { seed } = this.options;
    const plan = planOf({ ...options, name: `${options.name}-${seed}`, seed: seed + this.#plans.length });
    this.#plans.push(plan);
    this.#names.push(`${options.name}-${seed}-`);
    return plan;
  }

  /** Recordings that a list finds, with the hashes of their files. */
  expect(listed: ReadonlyMap<string, string>): void {
    for (const [id, hash] of listed) this.#listed.set(id, hash);
  }

  /** A delivery that belongs to no plan and has no recording. */
  overlook(id: string): void {
    this.#overlooked.add(id);
  }

  say(text: string): void {
    console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
  }

  /** Reads what instances and the storage have written. */
  read(): void {
    for (const instance of this.cluster.instances) instance.read(this.ledger);
    this.cluster.readMedia();
  }

  /**
   * Sends the deliveries of a plan while something happens, and waits until all is stored.
   *
   * @returns how long that took after both, in milliseconds
   */
  async load(plan: Plan, rate: number, meanwhile: () => Promise<void> = async () => {}): Promise<number> {
    const timer = setInterval(() => {
      this.read();
      this.say(this.#progress(plan));
    }, PROGRESS_EVERY_MS);
    try {
      await Promise.all([this.senders.send(plan.requests, rate), meanwhile()]);
      return await this.settle(plan);
    } finally {
      clearInterval(timer);
    }
  }

  /** Waits until all of a plan is answered and has an output, or too long. */
  async settle(plan: Plan): Promise<number> {
    const begun = performance.now();
    const isWhole = (): boolean => {
      this.read();
      return this.senders.open === 0 && plan.recordings.every(({ id }) => this.ledger.hasOutput(id));
    };
    await this.wait(`all of ${plan.recordings.length} recordings`, isWhole);
    return performance.now() - begun;
  }

  /** As `until`; what does not come is said, and found by the check. */
  async wait(what: string, look: () => boolean): Promise<void> {
    await until(what, look, { deadline: this.options.settleMs }).catch((error: unknown) =>
      this.say(error instanceof Error ? error.message : String(error))
    );
  }

  /** Compares a plan with what was found. @param failuresBefore as `ledger.failures` before it */
  async check(plan: Plan, isCalm: boolean, failuresBefore = 0): Promise<Verdict> {
    await this.#linger();
    const others = this.#names.filter((_name, at) => this.#plans[at] !== plan);
    const isOwn = (id: string): boolean =>
      !others.some((name) => id.startsWith(name)) && !this.#listed.has(id);
    return await this.#judge(plan, isOwn, { isCalm, failuresBefore });
  }

  /** Compares what a list had to find with what was found. */
  async checkListed(failuresBefore: number): Promise<Verdict> {
    await this.#linger();
    const options = { isCalm: true, listed: this.#listed, failuresBefore };
    return await this.#judge(joined([]), (id) => this.#listed.has(id), options);
  }

  /** Compares all plans with what was found. */
  async checkAll(): Promise<Verdict> {
    await this.#linger();
    return await this.#judge(joined(this.#plans), () => true, {
      isCalm: false,
      listed: this.#listed,
      failuresBefore: 0
    });
  }

  /** How long what ended instances were fetching waited for another one, as a proof. */
  waited(what: string, ends: readonly End[], mostMs: number): Proof {
    this.read();
    const all = ends.flatMap(({ told, gone }) => waits(this.cluster.mediaLines, told, gone));
    const longest = Math.max(...all);
    const found =
      all.length === 0
        ? 'nothing was under way'
        : `${(longest / 1000).toFixed(1)} s at most, of ${all.length}`;
    return [what, found, `at most ${mostMs / 1000} s`, all.length > 0 && longest <= mostMs];
  }

  close(): void {
    this.senders.close();
  }

  async #judge(
    plan: Plan,
    isOwn: (id: string) => boolean,
    { failuresBefore, ...options }: CheckOptions & { failuresBefore: number }
  ): Promise<Verdict> {
    const idIn = (key: string): string => key.slice(key.indexOf('/') + 1).replace(/\.wav(?:\.json)?$/, '');
    const objects = await this.cluster.bucket.objects((key) => isOwn(idIn(key)));
    const isCounted = (id: string): boolean => !this.#overlooked.has(id) && isOwn(id);
    const found = this.ledger.findings(isCounted, { answers: this.senders.answers, objects, failuresBefore });
    const verdict = check(plan, found, options);
    this.problems.push(...verdict.problems);
    return verdict;
  }

  async #linger(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    this.read();
  }

  #progress(plan: Plan): string {
    const stored = plan.recordings.filter(({ id }) => this.ledger.hasOutput(id)).length;
    const answered = plan.recordings.filter(({ id }) => this.senders.answers.has(id)).length;
    const shares = [...this.ledger.shares()].sort().map(([name, count]) => `${name}: ${count}`);
    return `${answered} of ${plan.recordings.length} sent, ${stored} stored (${shares.join(', ')})`;
  }
}
