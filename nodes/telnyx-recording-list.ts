import { CodedError } from '../src/errors/coded-error';
import { afterStart } from './lib/on-flows-started';
import { archiveState } from './lib/archive-state';
import { accountsOf } from './config/provider-accounts';
import { emittedMessage, summaryMessage } from './list/list-messages';
import { runList } from './list/list-run';
import { followState } from './lib/follow-state';
import {
  readListRequest,
  readListSettings,
  type ListSettings,
  type RecordingListConfig
} from './list/list-settings';
import { ListStatus } from './list/list-status';
import type { FlowMessage, NodeRedApi, RedNode, Send } from './lib/node-red';
import { NodeStatus } from './lib/node-status';
import { onClose, onInput } from './lib/on-input';

const TYPE = 'telnyx-recording-list';

export = function (RED: NodeRedApi): void {
  const say = (key: string, values?: Record<string, string | number>): string =>
    RED._(`${TYPE}.status.${key}`, values);

  RED.nodes.registerType(TYPE, function (this: RedNode, config: RecordingListConfig) {
    RED.nodes.createNode(this, config);
    const status = new NodeStatus(this);
    onClose(this, () => status.dispose());
    try {
      start(this, config, readListSettings(config), status);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      status.problem(say('bad-setting'));
      afterStart(RED, this, () => this.error(error, {}));
      onInput(this, () => Promise.reject(error));
    }
  });

  function start(
    node: RedNode,
    config: RecordingListConfig,
    settings: ListSettings,
    nodeStatus: NodeStatus
  ): void {
    const accounts = accountsOf(RED, config, node);
    const closing = new AbortController();
    const status = new ListStatus(nodeStatus, say);
    let running: Promise<void> | null = null;
    let isInUse = false;

    const run = async (message: FlowMessage, send: Send): Promise<void> => {
      const request = readListRequest(RED, config, settings.provider, message);
      const emit = (...outputs: (FlowMessage | null)[]): void => {
        if (!closing.signal.aborted) send(outputs);
      };
      const { summary, failure } = await runList(
        request,
        settings,
        accounts,
        archiveState(RED),
        {
          emit: (emitted) => emit(emittedMessage(RED, message, emitted), null),
          onProgress: (progress, phase) => status.progress(progress, phase),
          onWaiting: (reason) => status.waiting(reason)
        },
        closing.signal
      );
      status.ended(summary);
      emit(null, summaryMessage(message, summary));
      if (failure !== null) throw failure;
    };

    onInput(node, async (message, send) => {
      if (running !== null) throw stillRunning();
      status.begin();
      running = run(message, send);
      try {
        await running;
      } catch (error) {
        if (error instanceof CodedError) status.failed(error.code);
        throw error;
      } finally {
        running = null;
      }
    });

    followState(RED, node, {
      begin: () => {
        ownIt(RED);
        if (isInUse) nodeStatus.off();
        isInUse = false;
      },
      stop: ({ code }) => {
        isInUse = true;
        status.failed(code);
      }
    });

    onClose(node, async () => {
      closing.abort(stopped());
      await running?.catch(() => undefined);
    });
  }
};

/** Finds out whether the state is this process's; each run tells what else is wrong with it. */
function ownIt(RED: NodeRedApi): void {
  try {
    archiveState(RED);
  } catch (error) {
    if (error instanceof CodedError && error.code !== 'STORE_FAILED') throw error;
  }
}

function stillRunning(): CodedError {
  return new CodedError(
    'ALREADY_RUNNING',
    'The list is still being worked on, so this message began no second one. Wait for the message of the second output, ' +
      'or deploy the node to stop the one that runs.'
  );
}

function stopped(): CodedError {
  return new CodedError(
    'GAVE_UP',
    'The list was stopped by a deploy or by the end of Node-RED before it was through. Send the message again: what is ' +
      'stored already is not fetched again.'
  );
}
