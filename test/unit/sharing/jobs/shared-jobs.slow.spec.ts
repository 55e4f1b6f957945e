import { type JobsProcess, type Worker, itRunsJobs } from '../../archive/queue/jobs-contract';
import { StateFixture } from '../../archive/state-fixture';
import { SharingFixture } from '../sharing-fixture';
import { type SharingInstance, instanceOf } from './shared-jobs-stage';

describe('the jobs that several Node-REDs share', () => {
  let fixture: SharingFixture;
  beforeEach(async function () {
    fixture = await SharingFixture.start(this);
  });
  afterEach(() => fixture.close());

  describe('as those of one', () => {
    itRunsJobs(() => {
      const state = new StateFixture();
      const begun: SharingInstance[] = [];
      const begin = async ({ work, concurrency, onFault }: Worker): Promise<JobsProcess> => {
        const instance = instanceOf(await fixture.join('one'), { work, concurrency, onFault, state });
        begun.push(instance);
        return instance;
      };
      const remove = async (): Promise<void> => {
        await Promise.all(begun.map(({ jobs }) => jobs.close()));
        await state.remove();
      };
      return Promise.resolve({ begin, remove });
    });
  });
});
