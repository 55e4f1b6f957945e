import { setTimeout as wait } from 'node:timers/promises';
import { rootCause } from '../errors/root-cause';
import { HttpClient } from '../http/http-client';
import type { SampleDelivery } from './telnyx/sample-delivery';
import type { Clock } from './signed-links';
import { TimeLimit } from './time-limit';

/** Signs deliveries. */
export interface DeliveryKey {
  /** @param timestamp the text that is sent and signed; @returns the headers to send */
  sign(body: Uint8Array, timestamp: string): object;
}

/** What is specific to one provider. */
export interface DeliveryHabits {
  userAgent: string;
  /** @param now unix milliseconds */
  timestamp: (now: number) => string;
  isAccepted: (status: number) => boolean;
  /** @param status null when no answer came */
  isRepeated: (status: number | null) => boolean;
}

/** Telnyx's voice products (docs: "Webhook delivery"). */
export const TELNYX_HABITS: DeliveryHabits = {
  userAgent: 'telnyx-webhooks',
  timestamp: (now) => String(Math.floor(now / 1000)),
  isAccepted: (status) => status >= 200 && status < 300,
  isRepeated: (status) => status === null || status === 408 || status === 429 || status >= 500
};

/** Pauses between the attempts: short, so that a demonstration is quick. */
const RETRY_DELAYS_MS = [250, 500, 1000, 2000, 4000];
const TIMEOUT_MS = 10_000;
const MOST_ANSWER_BYTES = 1024 * 1024;

export interface DeliverOptions {
  to: string;
  key: DeliveryKey;
  habits: DeliveryHabits;
  clock: Clock;
  /** Pauses before the repeats, in milliseconds; as many repeats as entries. */
  retryDelaysMs?: readonly number[];
  /** Deadline for the response to one attempt. */
  timeoutMs?: number;
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
  /** Whether the last response accepted it. */
  accepted: boolean;
  /** At least one; the last one decides. */
  attempts: readonly DeliveryAttempt[];
  last: DeliveryAttempt;
}

/**
 * Signs a delivery and posts it like its provider; repeats have a new signature.
 *
 * @throws Error `AbortError` when the signal fires; a delivery that fails is reported, not thrown
 */
export async function deliver(
  sample: Pick<SampleDelivery, 'body' | 'contentType'>,
  options: DeliverOptions
): Promise<DeliveryReport> {
  const client = new HttpClient();
  try {
    return await deliverWith(client, sample, options);
  } finally {
    client.destroy();
  }
}

async function deliverWith(
  client: HttpClient,
  sample: Pick<SampleDelivery, 'body' | 'contentType'>,
  options: DeliverOptions
): Promise<DeliveryReport> {
  const attempts: DeliveryAttempt[] = [];
  for (;;) {
    const last = await attemptOnce(client, sample, attempts.length + 1, options);
    attempts.push(last);
    const { habits, retryDelaysMs = RETRY_DELAYS_MS } = options;
    const pause = retryDelaysMs[attempts.length - 1];
    if (!habits.isRepeated(last.status) || pause === undefined) {
      return { accepted: last.status !== null && habits.isAccepted(last.status), attempts, last };
    }
    await wait(pause, undefined, options.signal ? { signal: options.signal } : {});
  }
}

async function attemptOnce(
  client: HttpClient,
  sample: Pick<SampleDelivery, 'body' | 'contentType'>,
  attempt: number,
  { to, key, habits, clock, timeoutMs = TIMEOUT_MS, signal }: DeliverOptions
): Promise<DeliveryAttempt> {
  const body = sample.body(attempt, to);
  const timestamp = habits.timestamp(clock());
  const started = performance.now();
  const elapsed = () => Math.round(performance.now() - started);
  const limit = new TimeLimit(timeoutMs, signal);
  try {
    const url = new URL(to);
    const { status, body: answer } = await client.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'POST',
      body,
      headers: {
        'content-type': sample.contentType,
        'user-agent': habits.userAgent,
        ...key.sign(body, timestamp)
      },
      responseTimeoutMs: timeoutMs,
      signal: limit.signal
    });
    const milliseconds = elapsed();
    // Read, so that the server can finish its response; providers ignore its content.
    let read = 0;
    for await (const piece of answer) if ((read += piece.length) > MOST_ANSWER_BYTES) break;
    return { status, problem: null, milliseconds };
  } catch (error) {
    signal?.throwIfAborted();
    const problem = limit.over ? `no answer within ${timeoutMs} ms` : rootCause(error);
    return { status: null, problem, milliseconds: elapsed() };
  } finally {
    limit.dispose();
  }
}
