import type { DeliveryJournal } from '../../src/receiving/journal';
import { MemoryJournal } from '../../src/receiving/memory-journal';

let shared: DeliveryJournal | undefined;

/** The one journal of this process: it outlives redeploys, as the nodes do not. */
export function deliveryJournal(): DeliveryJournal {
  shared ??= new MemoryJournal();
  return shared;
}
