import { setTimeout as wait } from 'node:timers/promises';
import { request } from 'undici';
import { rootCause } from '../errors/root-cause';
import type { SampleDelivery } from './sample-delivery';
import type { Clock } from './signed-links';
import type { SigningKey } from './signing-key';

export interface DeliverOptions {
  to: string;
  key: SigningKey;
  clock: Clock;
  /** Pauses before the repeats, in milliseconds; as many repeats as entries. */
  retryDelaysMs: readonly number[];
  /** How long one attempt may take until the answer is there. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface DeliveryAttempt {
  /** Status of the answer, or null when none came. */
  status: number | null;
  /** Why no answer came. */
  problem: string | null;
  milliseconds: number;
}

export interface DeliveryReport {
  /** Whether the last answer was 2xx. */
  accepted: boolean;
  /** At least one; the last one decides. */
  attempts: readonly DeliveryAttempt[];
  last: DeliveryAttempt;
}

/**
 * Signs a delivery and posts it as Telnyx's voice products do (docs: "Webhook delivery"): no answer in
 * time, 408, 429 and 5xx are repeated with a new signature, every other answer is final.
 *
 * @throws Error `AbortError` when the signal fires; a delivery that fails is reported, not thrown
 */
export async function deliver(sample: SampleDelivery, options: DeliverOptions): Promise<DeliveryReport> {
  const attempts: DeliveryAttempt[] = [];
  for (;;) {
    const last = await attemptOnce(sample, attempts.length + 1, options);
    attempts.push(last);
    const pause = options.retryDelaysMs[attempts.length - 1];
    if (!isRepeated(last.status) || pause === undefined) {
      return { accepted: isAccepted(last.status), attempts, last };
    }
    await wait(pause, undefined, options.signal ? { signal: options.signal } : {});
  }
}

async function attemptOnce(
  sample: SampleDelivery,
  attempt: number,
  { to, key, clock, timeoutMs, signal }: DeliverOptions
): Promise<DeliveryAttempt> {
  const body = sample.body(attempt, to);
  const timestamp = String(Math.floor(clock() / 1000));
  const started = performance.now();
  const elapsed = () => Math.round(performance.now() - started);
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await request(to, {
      method: 'POST',
      body,
      headers: {
        'content-type': sample.contentType,
        'user-agent': 'telnyx-webhooks',
        ...key.sign(body, timestamp)
      },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout
    });
    const milliseconds = elapsed();
    await response.body.dump();
    return { status: response.statusCode, problem: null, milliseconds };
  } catch (error) {
    signal?.throwIfAborted();
    const problem = timeout.aborted ? `no answer within ${timeoutMs} ms` : rootCause(error);
    return { status: null, problem, milliseconds: elapsed() };
  }
}

function isAccepted(status: number | null): boolean {
  return status !== null && status >= 200 && status < 300;
}

function isRepeated(status: number | null): boolean {
  return status === null || status === 408 || status === 429 || status >= 500;
}
