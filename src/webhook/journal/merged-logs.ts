import type { LoggedDelivery } from '../log/record';

const BATCH = 256;

/** Deliveries of several logs, in order of arrival, in batches. */
export async function* mergedByTime(
  logs: readonly AsyncIterable<readonly LoggedDelivery[]>[]
): AsyncGenerator<readonly LoggedDelivery[]> {
  const [only, ...others] = logs;
  if (only === undefined) return;
  if (others.length === 0) {
    yield* only;
    return;
  }
  const heads = await Promise.all(logs.map((log) => Head.of(log)));
  let batch: LoggedDelivery[] = [];
  for (;;) {
    const first = earliest(heads);
    if (first?.delivery === undefined) break;
    batch.push(first.delivery);
    await first.next();
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The next delivery of one log. */
class Head {
  readonly #batches: AsyncIterator<readonly LoggedDelivery[]>;
  #batch: readonly LoggedDelivery[] = [];
  #at = -1;

  private constructor(log: AsyncIterable<readonly LoggedDelivery[]>) {
    this.#batches = log[Symbol.asyncIterator]();
  }

  static async of(log: AsyncIterable<readonly LoggedDelivery[]>): Promise<Head> {
    const head = new Head(log);
    await head.next();
    return head;
  }

  /** Undefined when there are no more. */
  get delivery(): LoggedDelivery | undefined {
    return this.#batch[this.#at];
  }

  async next(): Promise<void> {
    this.#at += 1;
    if (this.#at < this.#batch.length) return;
    const next = await this.#batches.next();
    this.#batch = next.done === true ? [] : next.value;
    this.#at = 0;
  }
}

function earliest(heads: readonly Head[]): Head | undefined {
  let found: Head | undefined;
  for (const head of heads) {
    if (head.delivery === undefined) continue;
    if (found?.delivery === undefined || head.delivery.receivedAt < found.delivery.receivedAt) found = head;
  }
  return found;
}
