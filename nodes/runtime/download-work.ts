import { apiAuthorization } from '../../src/archive/api-authorization';
import type { ArchiveOrder } from '../../src/archive/archive-job';
import type { ArchiveProgress } from '../../src/archive/archive-progress';
import { Archiver } from '../../src/archive/archiver';
import { folderSidecar } from '../../src/archive/folder-sidecar';
import { OrderQueue } from '../../src/archive/order-queue';
import { OrderWork } from '../../src/archive/order-work';
import { NodePartialNotes } from '../../src/archive/partial-notes';
import { clearPartialCopies } from '../../src/archive/partial-copies';
import type { FileOutcome } from '../../src/archive/pass-result';
import { SourceDeletion } from '../../src/archive/source-deletion';
import type { CodedError } from '../../src/errors/coded-error';
import { canReadBack } from '../../src/store/store';
import { TelnyxApi } from '../../src/telnyx-api/api-client';
import { completeDetails } from '../../src/telnyx-api/complete-details';
import { deleteAtSource } from '../../src/telnyx-api/delete-at-source';
import { createLinkResolver } from '../../src/telnyx-api/link-resolver';
import { transfer } from '../../src/transfer/transfer';
import { createTransferAgents } from '../../src/transfer/transfer-agents';
import type { ArchiveState } from './archive-state';
import type { DownloadSettings } from './download-settings';
import type { TelnyxAccount } from './telnyx-account-access';

/** What the work tells the node. None of these may throw. */
export interface DownloadEvents {
  deliver: (order: ArchiveOrder, outcomes: FileOutcome[]) => void;
  onNotDeleted: (order: ArchiveOrder, error: CodedError) => void;
  onFault: (error: CodedError) => void;
}

export interface DownloadWork {
  readonly queue: OrderQueue;
  /** Goes on with what an earlier process left. */
  start(): Promise<void>;
  /** @param removed whether the node is deleted or disabled, not just deployed again */
  close(removed: boolean): Promise<void>;
}

/**
 * Puts the parts of the archive together for one download node.
 *
 * @throws CodedError `BAD_SETTING` when the account's API address cannot be used
 */
export function createDownloadWork(
  node: string,
  settings: DownloadSettings,
  account: TelnyxAccount | null,
  state: ArchiveState,
  progress: ArchiveProgress,
  events: DownloadEvents
): DownloadWork {
  const { archive, store, place } = settings;
  const api = account && new TelnyxApi({ apiUrl: account.apiUrl, apiKey: () => account.apiKey() });
  const agents = createTransferAgents();
  const partials = new NodePartialNotes(state.database, node, place);
  const index = state.recordings.at(place);
  const archiver = new Archiver(
    archive,
    {
      store,
      partials,
      transfer: (request) => transfer(request, { agents }),
      sidecar: folderSidecar,
      authorize: (url) =>
        account === null ? undefined : apiAuthorization(url, account.apiUrl, account.apiKey()),
      resolveLinks: createLinkResolver({ api }),
      completeDetails: (reference, signal) => completeDetails(api, reference, signal),
      now: Date.now,
      random: Math.random
    },
    progress,
    index
  );
  const deletion =
    settings.deleteAtSource && canReadBack(store)
      ? new SourceDeletion({
          store,
          sidecar: folderSidecar,
          deleteAtSource: (reference, signal) => deleteAtSource(api, reference, signal),
          now: Date.now
        })
      : null;
  const work = new OrderWork({
    node,
    retries: archive.retries,
    archiver,
    index,
    givenUp: state.givenUp,
    deletion,
    now: Date.now,
    random: Math.random,
    deliver: events.deliver,
    onNotDeleted: events.onNotDeleted
  });
  const queue = new OrderQueue(state.ledger, {
    node,
    concurrency: archive.concurrency,
    now: Date.now,
    work: (order) => work.work(order),
    onWaiting: (count) => progress.queued(count),
    onFault: events.onFault
  });

  return {
    queue,
    start: async () => {
      state.nodes.add(node);
      await state.ledger.nodeHere(node).catch(() => undefined);
      await clearPartialCopies({ node, folder: settings.folder, notes: partials, all: false });
      queue.start();
    },
    close: async (removed) => {
      state.nodes.delete(node);
      await work.close();
      await queue.close();
      await Promise.all([agents.close(), api?.close()]);
      if (!removed) return;
      // The jobs wait for the node to come back; begun files need not.
      await state.ledger.nodeGone(node).catch(() => undefined);
      await clearPartialCopies({ node, folder: settings.folder, notes: partials, all: true });
    }
  };
}
