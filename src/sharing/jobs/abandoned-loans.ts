import type { LocalFacts } from '../../archive/index/local-facts';
import type { Job } from '../../archive/queue/job';
import type { JobList, JobRepository } from '../../archive/queue/job-repository';
import { effectsOfOrphan } from '../../archive/queue/orphans';
import { steadyNow } from '../../clock/clocks';
import type { KeyedMutex } from '../../concurrency/keyed-runs';
import type { StateDatabase } from '../../state/state-database';
import type { Cluster } from '../cluster';
import type { RedisConnection } from '../redis-connection';
import type { Sealer } from '../sealer';
import { BullPool, loadBull, queueName } from './bull/bull-pool';
import { JobLender, type JobLenderDeps, type JobLenderOptions, STEP } from './lending/job-lender';
import { LendingBudget, LendingLedger, lendingNodes } from './lending/lending-ledger';
import { JobFormat } from './wire/job-format';

/** Where it was lent. */
export interface LentTo {
  connection: RedisConnection;
  sealer: Sealer | null;
  cluster: Pick<Cluster, 'beat' | 'peers' | 'instance'>;
}

export interface AbandonedLoansDeps {
  database: StateDatabase;
  repository: JobRepository;
  facts: LocalFacts;
  /** Whether this instance has a download node. */
  isHere: (node: string) => boolean;
  /** Held for a node while its jobs or its loans are worked on. */
  turns: KeyedMutex;
}

/** A node that is gone may come back with the next deploy. */
export const ABANDONED_MS = 60 * 60 * 1000;

/** No ledger of a node that is gone keeps others from lending. */
const UNLIMITED = { jobs: Infinity, bytes: Infinity };
const NONE = new Set<string>();

/**
 * What this instance has lent for download nodes that it no longer has. Where another instance has the node, its jobs stay in
 * Redis, and those that have ended leave this disk. Where none has it, nobody would ever take them: they are taken back, and wait
 * on this disk alone for the node to come back.
 */
export class AbandonedLoans {
  readonly #deps: AbandonedLoansDeps;

  constructor(deps: AbandonedLoansDeps) {
    this.#deps = deps;
  }

  /** Whether there is something to look after. */
  get areThere(): boolean {
    return this.#nodes().length > 0;
  }

  /** Looks after all of them once. @throws CodedError `QUEUE_AWAY`; another call goes on */
  async tidy(to: LentTo): Promise<void> {
    for (const node of this.#nodes()) {
      // Who is there now, not some seconds ago.
      await to.cluster.beat();
      await this.#deps.turns.run(node, () => this.#tidyNode(node, to));
    }
  }

  #nodes(): string[] {
    return lendingNodes(this.#deps.database).filter((node) => this.#isAbandoned(node));
  }

  #isAbandoned(node: string): boolean {
    const { repository, isHere } = this.#deps;
    if (isHere(node)) return false;
    const goneFor = repository.goneFor(node);
    if (goneFor !== undefined) return goneFor >= ABANDONED_MS;
    // Nobody has noticed yet, unless there is no job either.
    return listsOf(node).every((list) => repository.next(list, NONE) === undefined);
  }

  async #tidyNode(node: string, { cluster, connection, sealer }: LentTo): Promise<void> {
    if (!this.#isAbandoned(node)) return;
    const isElsewhere = cluster.peers().some(({ nodes }) => Object.hasOwn(nodes, node));
    const format = new JobFormat({ sealer, node });
    const pools = [true, false].map(
      (isForFollowUps) =>
        new BullPool({ name: queueName(node, isForFollowUps), bull: loadBull, connection, format })
    ) as [BullPool, BullPool];
    const [list, followUpsList] = listsOf(node);
    const origin = cluster.instance.id;
    const followUps = this.#lender(
      node,
      { list: followUpsList, origin },
      { pool: pools[0], followUps: null }
    );
    const jobs = this.#lender(node, { list, origin }, { pool: pools[1], followUps: followUps.lender });
    try {
      for (const { ledger, lender } of [jobs, followUps]) {
        const { ids } = ledger;
        // A node that has come back waits for the end of a step only.
        for (let at = 0; at < ids.length && this.#isAbandoned(node); at += STEP) {
          const step = ids.slice(at, at + STEP);
          await lender.take(step);
          if (!isElsewhere) await lender.reclaim(step);
        }
      }
    } finally {
      for (const { lender } of [jobs, followUps]) await lender.close();
      for (const pool of pools) await pool.close();
    }
  }

  #lender(
    node: string,
    options: JobLenderOptions,
    { pool, followUps }: Pick<JobLenderDeps, 'pool' | 'followUps'>
  ): { ledger: LendingLedger; lender: JobLender } {
    const { database, repository, facts } = this.#deps;
    const budget = new LendingBudget(UNLIMITED);
    const ledger = new LendingLedger(database, options.list, budget);
    const lender = new JobLender(options, {
      ...{ repository, ledger, budget, pool, followUps, now: steadyNow },
      commit: (changes) => database.commit(changes),
      changes: (effects) => facts.changes(effects),
      runsHere: () => false,
      giveUp: (job: Job) => Promise.resolve({ effects: effectsOfOrphan(node, job, facts, Date.now()) }),
      onEnded: () => undefined,
      // What cannot be read stays where it is.
      onFault: () => undefined
    });
    lender.open();
    return { ledger, lender };
  }
}

function listsOf(node: string): [JobList, JobList] {
  return [node, { followUpsOf: node }];
}
