import type { CautiousClock } from '../../clock/cautious-clock';
import type { DeliveryLog } from '../log/delivery-log';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Milliseconds for which a segment is written; then another one begins, so that this one can be removed within a day after
 * its first delivery is old enough. Both are done every hour.
 */
const LONGEST_SEGMENT_MS = DAY_MS - 2 * 60 * 60 * 1000;

const MIB = 1024 * 1024;

export interface LogRetentionOptions {
  directory: string;
  log: (text: string) => void;
  mostBytes: number;
  now: () => number;
  /** Decides what is old. */
  clock: Pick<CautiousClock, 'now'>;
  /** By the days that they keep. */
  logs: ReadonlyMap<number, DeliveryLog>;
  /** How many days the content of a log has to be kept. */
  daysOf: (days: number) => number;
  /** Whether a delivery between two sequences (first included, second excluded) of a log still waits. */
  isWanted: (days: number, first: number, end: number) => boolean;
}

/** Removes old deliveries from the logs, but never one that is not handed over yet. */
export class LogRetention {
  readonly #options: LogRetentionOptions;
  #warnedAt = -Infinity;

  constructor(options: LogRetentionOptions) {
    this.#options = options;
  }

  /** Removes deliveries that are kept only until they are handed over. */
  async removeHandedOver(): Promise<void> {
    const log = this.#options.logs.get(0);
    if (log === undefined || log.size === 0) return;
    await log.writer.endSegment();
    await log.prune({ before: Infinity, isWanted: this.#wanting(0) });
  }

  /** Removes segments whose deliveries are all too old. */
  async removeOld(): Promise<void> {
    const { logs, daysOf, clock } = this.#options;
    const now = clock.now();
    for (const [days, log] of logs) {
      if (days === 0) continue;
      const before = now - daysOf(days) * DAY_MS;
      if (log.writer.durable.earliest < Math.max(before, now - LONGEST_SEGMENT_MS))
        await log.writer.endSegment();
      await log.prune({ now, before, isWanted: this.#wanting(days) });
    }
  }

  /** Removes the oldest segments until all are within the limit. */
  keepToSize(): void {
    const { logs, mostBytes, now } = this.#options;
    let removed: number | null = null;
    for (let left = sizeOf(logs); left > mostBytes; left = sizeOf(logs)) {
      const [oldest] = [...logs]
        .flatMap(([days, log]) => {
          const segment = log.oldest(this.#wanting(days), now());
          return segment === null ? [] : [{ log, segment }];
        })
        .sort((a, b) => a.segment.latest - b.segment.latest);
      if (oldest === undefined) break;
      oldest.log.remove(oldest.segment.number);
      removed = oldest.segment.latest;
    }
    if (removed !== null) this.#warn(removed);
  }

  #warn(removed: number): void {
    const { log, now, directory, mostBytes } = this.#options;
    if (now() - this.#warnedAt < DAY_MS) return;
    this.#warnedAt = now();
    const until = !Number.isFinite(removed) ? '' : ` up to ${new Date(removed).toISOString()}`;
    log(
      `The delivery log in ${directory} has reached its limit of ${Math.round(mostBytes / MIB)} MiB, so deliveries${until} ` +
        'were removed earlier than their webhook nodes ask for. Nothing that waits for a flow was removed. Set "Keep" of the ' +
        'webhook nodes to fewer days, or TELNYX_DELIVERY_LOG_MIB to more.'
    );
  }

  #wanting(days: number): (first: number, end: number) => boolean {
    return (first, end) => this.#options.isWanted(days, first, end);
  }
}

function sizeOf(logs: ReadonlyMap<number, DeliveryLog>): number {
  let sum = 0;
  for (const log of logs.values()) sum += log.size;
  return sum;
}
