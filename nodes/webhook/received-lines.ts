import { existsSync } from 'node:fs';
import path from 'node:path';
import type { CustodyRecorder } from '../../src/evidence/custody/custody-recorder';
import {
  KnownDeliveries,
  type ReceivedDelivery,
  mayAnnounce,
  receivedEntries
} from '../../src/reconcile/deliveries/received-entries';
import type { LoggedDelivery } from '../../src/webhook/log/record';
import type { Span } from '../../src/webhook/log/delivery-log';
import { stateDirectory } from '../lib/state';
import type { NodeRedApi } from '../lib/node-red';

/** Milliseconds by which a line may be later than what it tells of. */
const LAG_MS = 60_000;

/** Notes an accepted delivery, if it is about a recording. */
export function noteReceived(custody: CustodyRecorder, delivery: ReceivedDelivery): void {
  if (mayAnnounce(delivery)) receivedEntries(delivery).forEach((entry) => custody.record(entry));
}

/**
 * Enters what the delivery log has and the custody log has not: the end that a crash took, and what came before the first
 * node began that stores.
 *
 * @param since when the last line was written by the process before; milliseconds since 1970, NaN: never, so that the log
 *   begins with this process
 * @param read the deliveries of a span
 * @throws as the logs do
 */
export async function catchUpReceived(
  RED: NodeRedApi,
  custody: CustodyRecorder,
  since: number,
  read: (span: Span) => AsyncIterable<readonly LoggedDelivery[]>
): Promise<void> {
  const directory = stateDirectory(RED);
  // A look creates no delivery log.
  if (!existsSync(path.join(directory, 'deliveries'))) return;
  const from = Number.isNaN(since) ? performance.timeOrigin : since - LAG_MS;
  await custody.settled();
  const known = new KnownDeliveries();
  await known.read((await custody.opened()).directory, from);
  for await (const batch of read({ from, to: Date.now() })) {
    const missing = batch.filter((delivery) => mayAnnounce(delivery) && !known.has(delivery));
    // Together, so that they share a sync.
    await custody.recorded(missing.flatMap(receivedEntries));
  }
}
