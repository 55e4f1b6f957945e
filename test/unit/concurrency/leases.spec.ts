import { LocalLeases } from '../../../src/concurrency/leases';
import { itKeepsLeases } from './leases-contract';

describe('LocalLeases', () => {
  itKeepsLeases(() => Promise.resolve({ leases: new LocalLeases(), remove: () => Promise.resolve() }));
});
