import { loadOf } from '../../src/archive/queue/jobs';
import { EmissionPace, MOST_ORDERS } from '../../src/reconcile/emission-pace';
import { archiveState } from '../lib/archive-state';
import type { NodeRedApi } from '../lib/node-red';

/** @returns resolves when the next message may be sent, no faster than the download nodes take them */
export function pacedBy(
  RED: NodeRedApi,
  onWaiting: (reason: 'downloads' | null) => void,
  signal: AbortSignal
): () => Promise<void> {
  const { nodes } = archiveState(RED);
  const pace = new EmissionPace(
    () => loadOf(nodes.values(), MOST_ORDERS),
    (isWaiting) => onWaiting(isWaiting ? 'downloads' : null)
  );
  return () => pace.turn(signal);
}
