import path from 'node:path';
import { CrashGuard } from '../../src/archive/crashes/crash-guard';
import { UnderWayFile } from '../../src/archive/crashes/under-way-file';
import { DeletedRecordings } from '../../src/archive/download/source-deletion';
import { LocalFacts } from '../../src/archive/index/local-facts';
import type { Jobs } from '../../src/archive/queue/jobs';
import { effectsOfOrphan } from '../../src/archive/queue/orphans';
import { JobRepository } from '../../src/archive/queue/job-repository';
import { KeyedMutex } from '../../src/concurrency/keyed-runs';
import { CodedError } from '../../src/errors/coded-error';
import type { StateDatabase } from '../../src/state/state-database';
import type { BucketStore } from '../../src/store/bucket/bucket-store';
import { type PartOwner, partOwner } from '../../src/store/folder/parts/part-owner';
import type { NodeRedApi } from './node-red';
import { ownIdentity, ownedState, stateDatabase, stateDirectory } from './state';

/** What the download nodes of one Node-RED share: jobs, stored files, what was given up. */
export interface ArchiveState {
  readonly database: StateDatabase;
  readonly jobs: JobRepository;
  readonly facts: LocalFacts;
  readonly deleted: DeletedRecordings;
  /** The owner of the partial copies in folders. */
  readonly owner: PartOwner;
  readonly guard: CrashGuard;
  /** The jobs of the running download nodes, by node id. */
  readonly nodes: Map<string, Jobs>;
  /** Held, by node id, while the jobs of a node that is gone are looked after. */
  readonly turns: KeyedMutex;
  /** The buckets of the nodes that store in one, by node id. */
  readonly buckets: Map<string, BucketStore>;
}

/** Milliseconds between two sweeps of old entries. */
const SWEEP_INTERVAL_MS = 60 * 60 * 1000;
/** After the start, when the nodes of all flows exist. */
const FIRST_SWEEP_MS = 5 * 60 * 1000;

const states = new Map<string, ArchiveState>();

/**
 * @throws CodedError `STORE_FAILED` when the state directory cannot be written; the next call tries again;
 *   `STATE_IN_USE` or `BAD_SETTING` as `OwnedState.database`
 */
export function archiveState(RED: NodeRedApi): ArchiveState {
  const directory = stateDirectory(RED);
  const { problem } = ownedState(RED);
  if (problem !== null) throw problem;
  const known = states.get(directory);
  if (known !== undefined) return known;
  try {
    const database = stateDatabase(RED);
    const facts = new LocalFacts(database);
    const jobs = new JobRepository(database);
    const state: ArchiveState = {
      database,
      jobs,
      facts,
      deleted: new DeletedRecordings(facts),
      owner: partOwner(ownIdentity(RED).instance),
      guard: new CrashGuard({ jobs, file: new UnderWayFile(path.join(directory, 'under-way')) }),
      nodes: new Map(),
      turns: new KeyedMutex(),
      buckets: new Map()
    };
    states.set(directory, state);
    const sweep = (): void => {
      // Old entries only take up space; what cannot be removed now is tried again in an hour.
      forget(state).catch(() => undefined);
    };
    setTimeout(sweep, FIRST_SWEEP_MS).unref();
    setInterval(sweep, SWEEP_INTERVAL_MS).unref();
    return state;
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError(
      'STORE_FAILED',
      `The state directory ${directory} cannot be written, so no job is accepted. Look at its permissions and at ` +
        'the free space.',
      { cause, retryable: true }
    );
  }
}

async function forget({ jobs, facts, nodes }: ArchiveState): Promise<void> {
  await jobs.sweep(
    (node) => nodes.has(node),
    (node, job) => facts.changes(effectsOfOrphan(node, job, facts, Date.now()))
  );
  await facts.givenUp.sweep();
}
