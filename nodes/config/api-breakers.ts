import { CircuitBreakers } from '../../src/providers/http/circuit-breaker';

/** Whether the API of an account answers is the same for all nodes that ask it. */
export const apiBreakers = new CircuitBreakers();
