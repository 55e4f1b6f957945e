import type { EventEmitter } from 'node:events';
import { type Leases, LocalLeases } from '../../src/concurrency/leases';
import type { NodeRedApi } from './node-red';

const leases = new WeakMap<EventEmitter, Leases>();

/** The leases of this Node-RED. Nodes with a queue use those of all instances, see `SharedQueue`. */
export function leasesOf({ events }: Pick<NodeRedApi, 'events'>): Leases {
  const known = leases.get(events) ?? new LocalLeases();
  leases.set(events, known);
  return known;
}
