import { LendingBudget } from '../../src/sharing/jobs/lending/lending-ledger';
import { SharedJobs, type SharedJobsDeps, type SharedJobsOptions } from '../../src/sharing/jobs/shared-jobs';
import { JobFormat } from '../../src/sharing/jobs/wire/job-format';
import type { SharedQueue } from '../config/queue/shared-queue';

interface Options extends Omit<SharedJobsOptions, 'instance' | 'whenAway'> {
  /** Place of the destination: jobs about files elsewhere are left to others. */
  place: string;
}
type Deps = Omit<SharedJobsDeps, 'connection' | 'format' | 'budget' | 'heldElsewhere'>;

/** How much all download nodes with one queue may lend. */
const budgets = new WeakMap<SharedQueue, LendingBudget>();

/** The jobs of a download node, shared with the same node of all instances that have this queue. */
export function jobsOfQueue(queue: SharedQueue, { place, ...options }: Options, deps: Deps): SharedJobs {
  const { connection, sealer, instance, settings } = queue;
  const budget = budgets.get(queue) ?? new LendingBudget();
  budgets.set(queue, budget);
  const { whenAway } = settings;
  const format = new JobFormat({ node: options.node, place, sealer });
  const jobs = new SharedJobs(
    { ...options, instance: instance.id, whenAway },
    { ...deps, connection, format, budget, heldElsewhere: () => queue.cluster.waitingElsewhere(options.node) }
  );
  const close = jobs.close.bind(jobs);
  // What runs goes back to Redis, which the connection has to outlive.
  jobs.close = () => queue.hold(close());
  return jobs;
}
