import { CodedError } from '../src/errors/coded-error';
import type { ArchiveFacts } from '../src/archive/archive-facts';
import { choiceOf } from './config/account-choices';
import { telnyxQueueOf } from './config/queue/queue-access';
import { factsOfQueue } from './config/queue/queue-facts';
import { accountsOf } from './config/provider-accounts';
import { createNode } from './lib/create-node';
import { type ArchiveState, archiveState } from './lib/archive-state';
import { apiDates } from './lib/custody';
import { deletionsOf } from './lib/deletions';
import { told } from './lib/in-language';
import type { NodeRedApi, RedNode } from './lib/node-red';
import { readBoolean, readText } from './lib/read-setting';
import { reportHealth } from './list/list-health';
import { emittedMessage } from './list/list-messages';
import { serveRunList } from './list/list-runs';
import { startListNode } from './list/list-node';
import { runList } from './list/list-run';
import { readListRequest, readListSettings, type RecordingListConfig } from './list/list-settings';

export = function (RED: NodeRedApi): void {
  serveRunList(RED);
  RED.nodes.registerType('telnyx-recording-list', function (this: RedNode, config: RecordingListConfig) {
    createNode(RED, this, config);
    startListNode(RED, this, () => {
      const settings = readListSettings(config);
      const queue = telnyxQueueOf(RED, config.queue);
      const accounts = accountsOf(RED, config, { user: this, queue });
      const factsIn = (state: ArchiveState): ArchiveFacts =>
        queue === null
          ? state.facts
          : factsOfQueue(queue, state, () => this.warn(told(RED, [{ notice: 'redis-forgot-files' }])));
      return {
        topic: 'recording.list',
        queue,
        afterStop: 'what is already stored is not fetched again.',
        run: async (message, { status, emit, tell, signal }) => {
          const state = archiveState(RED);
          const outcome = await runList(
            readListRequest(RED, config, settings.provider, message),
            settings,
            {
              accounts,
              state,
              facts: factsIn(state),
              ids: { node: this.id, account: readText(config[choiceOf(settings.provider.name).property]) },
              onDate: apiDates(RED),
              deletions: () => deletionsOf(RED),
              events: {
                emit: (emitted) => emit(emittedMessage(RED, message, emitted)),
                onProgress: (progress, phase) => status.progress(progress, phase),
                onWaiting: (reason) => status.waiting(reason)
              }
            },
            signal
          );
          if (!readBoolean(config.health, false)) return outcome;
          const report = { definition: settings.provider, accounts, message, tell, signal };
          return { ...outcome, trouble: await reportHealth(RED, this, report) };
        },
        begin: () => begin(RED, factsIn)
      };
    });
  });
};

/** Learns from now on what others store, if this process owns the state; each run reports its other faults. */
function begin(RED: NodeRedApi, factsIn: (state: ArchiveState) => ArchiveFacts): void {
  try {
    factsIn(archiveState(RED));
  } catch (error) {
    if (error instanceof CodedError && error.code !== 'STORE_FAILED') throw error;
  }
}
