import { CodedError } from '../../src/errors/coded-error';
import type { DeliveryJournal } from '../../src/webhook/journal/delivery-journal';
import { LmdbJournal } from '../../src/webhook/journal/lmdb-journal';
import type { NodeRedApi } from '../lib/node-red';
import { ownedState, stateDatabase, stateDirectory } from '../lib/state';

/** Milliseconds between two rounds of forgetting. */
const SWEEP_INTERVAL_MS = 60 * 60 * 1000;

const journals = new Map<string, DeliveryJournal>();

/**
 * The one journal of this Node-RED. It outlives redeploys, as the nodes do not. While its directory cannot
 * be written, or is another process's, nothing is accepted; every delivery tries again.
 */
export function deliveryJournal(RED: NodeRedApi): DeliveryJournal {
  const directory = stateDirectory(RED);
  const open = (): DeliveryJournal => {
    const journal = journals.get(directory) ?? openJournal(RED);
    const { problem } = ownedState(RED);
    if (problem !== null) throw problem;
    journals.set(directory, journal);
    return journal;
  };
  return {
    find: (scope, id) => open().find(scope, id),
    accept: (delivery) => open().accept(delivery),
    remember: (scope, id, answer) => open().remember(scope, id, answer),
    pending: (scope) => open().pending(scope),
    written: async () => journals.get(directory)?.written()
  };
}

function openJournal(RED: NodeRedApi): DeliveryJournal {
  try {
    const journal = new LmdbJournal(stateDatabase(RED));
    // Old entries only take up room; what cannot be removed now is tried again in an hour.
    const forget = (work: Promise<void>): void => void work.catch(() => undefined);
    setInterval(() => {
      forget(journal.forgetIdentities());
      forget(journal.forgetPending());
    }, SWEEP_INTERVAL_MS).unref();
    forget(journal.forgetIdentities());
    return journal;
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError(
      'NOT_RECORDED',
      `The state directory ${stateDirectory(RED)} cannot be written, so no delivery is accepted. Look at its ` +
        'permissions and at the free space.',
      { cause, retryable: true }
    );
  }
}
