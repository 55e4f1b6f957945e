import { LocalFacts } from '../../../../src/archive/index/local-facts';
import { JobQueue } from '../../../../src/archive/queue/job-queue';
import { JobRepository } from '../../../../src/archive/queue/job-repository';
import { StateFixture } from '../state-fixture';
import { type JobsProcess, type Worker, itRunsJobs } from './jobs-contract';

describe('the jobs of one Node-RED', () => {
  itRunsJobs(() => {
    const state = new StateFixture();
    const begin = ({ work, concurrency, onFault }: Worker): Promise<JobsProcess> => {
      const repository = new JobRepository(state.database);
      const facts = new LocalFacts(state.database);
      const common = { facts, work, concurrency, onFault, onWaiting: () => undefined };
      const followUps = new JobQueue(repository, { ...common, list: { followUpsOf: 'node' } });
      const jobs = new JobQueue(repository, { ...common, list: 'node', followUps });
      return Promise.resolve({ jobs, facts, crash: () => state.reopen() });
    };
    return Promise.resolve({ begin, remove: () => state.remove() });
  });
});
