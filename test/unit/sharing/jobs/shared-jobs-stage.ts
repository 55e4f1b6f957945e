import { LocalFacts } from '../../../../src/archive/index/local-facts';
import type { Job, JobRun } from '../../../../src/archive/queue/job';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import { JobRepository } from '../../../../src/archive/queue/job-repository';
import type { CodedError } from '../../../../src/errors/coded-error';
import { LENDING_LIMITS, LendingBudget } from '../../../../src/sharing/jobs/lending/lending-ledger';
import {
  SharedJobs,
  type SharedJobsOptions,
  type SharedTimes
} from '../../../../src/sharing/jobs/shared-jobs';
import { JobFormat } from '../../../../src/sharing/jobs/wire/job-format';
import { Sealer } from '../../../../src/sharing/sealer';
import { StateFixture } from '../../archive/state-fixture';
import type { Member } from '../sharing-fixture';

export interface InstanceOptions {
  work: (job: Job, run: JobRun) => Promise<JobOutcome>;
  giveUp?: (job: Job) => Promise<JobOutcome>;
  concurrency?: number;
  whenAway?: SharedJobsOptions['whenAway'];
  key?: string;
  version?: number;
  /** Where the files of jobs are. */
  place?: string;
  /** Called before a run writes to Redis how it ended. */
  onWrite?: () => void;
  times?: Partial<SharedTimes>;
  /** Of an earlier process, whose place this one takes. */
  state?: StateFixture;
  onFault?: (error: CodedError) => void;
  /** How many jobs it lends. */
  most?: number;
  heldElsewhere?: () => number;
}

/** A Node-RED with the download node `node`, as far as its jobs are concerned. */
export interface SharingInstance {
  jobs: SharedJobs;
  facts: LocalFacts;
  repository: JobRepository;
  state: StateFixture;
  member: Member;
  /** What the origin was told, in this order. */
  finished: { id: string; isGivenUp: boolean }[];
  faults: CodedError[];
  /** Ends without any notice: nothing that it still does counts. */
  crash: () => Promise<void>;
}

const TIMES: Partial<SharedTimes> = { tend: 30, review: 500, look: 100, grace: 200 };

/** An instance, which is not started. */
export function instanceOf(
  member: Member,
  { state = new StateFixture(), ...options }: InstanceOptions
): SharingInstance {
  const repository = new JobRepository(state.database);
  const facts = new LocalFacts(state.database);
  const finished: SharingInstance['finished'] = [];
  const faults: CodedError[] = [];
  const {
    work,
    giveUp = work as never,
    concurrency = 2,
    whenAway = 'hold',
    key = '',
    version,
    place = '',
    times
  } = options;
  const jobs = new SharedJobs(
    {
      ...{ node: 'node', instance: member.instance.id, concurrency, followUpsAtOnce: 2, whenAway },
      times: { ...TIMES, ...times }
    },
    {
      ...{ connection: member.connection, database: state.database, repository, facts, work, giveUp },
      format: noticed(
        new JobFormat({ sealer: Sealer.withKey(key), place, ...(version !== undefined && { version }) }),
        options.onWrite
      ),
      commit: (effects) => facts.commit(effects),
      budget: new LendingBudget({
        ...LENDING_LIMITS,
        ...(options.most !== undefined && { jobs: options.most })
      }),
      heldElsewhere: options.heldElsewhere,
      onFinished: (ended) => finished.push(ended),
      onWaiting: () => undefined,
      onFault: (error) => {
        faults.push(error);
        options.onFault?.(error);
      }
    }
  );
  const crash = async (): Promise<void> => {
    member.relay.cut();
    await state.reopen();
  };
  return { jobs, facts, repository, state, member, finished, faults, crash };
}

function noticed(format: JobFormat, onWrite: (() => void) | undefined): JobFormat {
  if (onWrite === undefined) return format;
  const write = format.write.bind(format);
  format.write = (lent) => {
    onWrite();
    return write(lent);
  };
  return format;
}
