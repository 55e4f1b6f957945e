import type { ApiRequest } from './json-api';
import { backoffMs, sleep } from '../../clock/backoff';
import { CodedError } from '../../errors/coded-error';

/** Attempts after the first. With their pauses they take about ten minutes, longer than most outages. */
const RETRIES = 12;

export interface Patience {
  /** Called with the reason why the next attempt waits, and with null on success. */
  onWait: (error: CodedError | null) => void;
  /** From 0 to 1. */
  random: () => number;
  signal: AbortSignal;
  /** Default 12. */
  retries?: number;
}

/** Asks an API for one thing, repeatedly while that makes sense. */
export type Ask = (request: Omit<ApiRequest, 'signal'>) => Promise<unknown>;

/**
 * Makes requests to an API that are repeated after temporary failures: too many requests, faults on the other
 * side, a broken connection. The pauses grow, and are never shorter than what the API asks for.
 *
 * @returns a function that throws CodedError as the API client, when the error is final or persists;
 *   `signal.reason` when aborted
 */
export function patientAsk(
  api: { request(request: ApiRequest): Promise<unknown> },
  { onWait, random, signal, retries = RETRIES }: Patience
): Ask {
  return async (request) => {
    for (let failures = 1; ; failures += 1) {
      try {
        const answer = await api.request({ ...request, signal });
        if (failures > 1) onWait(null);
        return answer;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!(error instanceof CodedError) || !error.retryable || failures > retries) throw error;
        onWait(error);
        await sleep(backoffMs(failures, random(), error.retryAfterMs), signal);
      }
    }
  };
}
