import { ArchiveProgress } from '../src/archive/archive-progress';
import { keptMessage } from '../src/archive/kept-message';
import { CodedError } from '../src/errors/coded-error';
import { afterStart } from './runtime/after-start';
import { answerResponse } from './runtime/answer-response';
import { archiveState } from './runtime/archive-state';
import { dailyAccountOf } from './runtime/daily-account-access';
import {
  readDownloadSettings,
  type DownloadSettings,
  type RecordingDownloadConfig
} from './runtime/download-settings';
import { showDownloads } from './runtime/download-status';
import { createDownloadWork, type DownloadWork } from './runtime/download-work';
import { LiveMessages } from './runtime/live-messages';
import type { NodeRedApi, RedNode } from './runtime/node-red';
import { NodeStatus } from './runtime/node-status';
import { asError, onClose, onInput } from './runtime/on-input';
import { failureOf, jobsOf, storedFiles, storedLine, storedMessages } from './runtime/recording-messages';
import { telnyxAccountOf } from './runtime/telnyx-account-access';

const TYPE = 'telnyx-recording-download';

export = function (RED: NodeRedApi): void {
  const say = (key: string, values?: Record<string, string | number>): string =>
    RED._(`${TYPE}.status.${key}`, values);

  RED.nodes.registerType(TYPE, function (this: RedNode, config: RecordingDownloadConfig) {
    RED.nodes.createNode(this, config);
    const status = new NodeStatus(this);
    onClose(this, () => status.dispose());
    try {
      start(this, config, readDownloadSettings(RED, this, config), status);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      status.problem(say('bad-setting'));
      afterStart(RED, this, () => this.error(error, {}));
      // Every message says so too: none is lost in silence.
      onInput(this, () => Promise.reject(error));
    }
  });

  function start(
    node: RedNode,
    config: RecordingDownloadConfig,
    settings: DownloadSettings,
    status: NodeStatus
  ): void {
    const sources = {
      account: telnyxAccountOf(RED, config.account, node),
      dailyAccount: dailyAccountOf(RED, config.dailyAccount, node),
      dailyBucket: null
    };
    const live = new LiveMessages();
    let failure: string | null = null;
    const show = (): void => showDownloads(status, say, progress.summary(), failure);
    const progress = new ArchiveProgress(() => show());
    const fail = (error: CodedError): void => {
      failure = error.code;
      show();
    };

    let work: DownloadWork | undefined;
    /** The state may become writable later: every message tries again. */
    const opened = async (): Promise<DownloadWork> => {
      if (work !== undefined) return work;
      work = createDownloadWork(node.id, settings, sources, archiveState(RED), progress, {
        deliver,
        onNotDeleted: (order, error) => node.error(error, { ...order.message }),
        onFault: (error) => {
          fail(error);
          node.warn(error.message);
        }
      });
      await work.start();
      return work;
    };

    onInput(node, async (message, send) => {
      const jobs = jobsOf(message, settings.format);
      await new Promise<void>((resolve, reject) => {
        const end = (error: Error | null): void => (error === null ? resolve() : reject(error));
        let order = '';
        const accept = async (): Promise<void> => {
          const { queue } = await opened();
          await queue.add(keptMessage(message), jobs, (id) => {
            order = id;
            live.add(id, { message, send, end });
          });
          if (settings.answer === 'queued') answerResponse(message, 200);
        };
        accept().catch((error: unknown) => {
          live.take(order);
          if (error instanceof CodedError) fail(error);
          if (settings.answer !== 'never') answerResponse(message, 503);
          end(asError(error));
        });
      });
    });

    const deliver: Parameters<typeof createDownloadWork>[5]['deliver'] = (order, outcomes) => {
      const known = live.take(order.id);
      const message = known?.message ?? { ...order.message };
      const files = storedFiles(outcomes);
      const error = failureOf(outcomes);
      failure = error?.code ?? null;
      show();
      for (const { recording } of files) node.log(storedLine(recording));
      if (files.length > 0) (known?.send ?? node.send.bind(node))([storedMessages(RED, message, files)]);
      if (error === null && settings.answer === 'stored') answerResponse(message, 200);
      if (known !== undefined) known.end(error);
      else if (error !== null) node.error(error, message);
    };

    afterStart(RED, node, async () => {
      try {
        await opened();
      } catch (error) {
        if (error instanceof CodedError) fail(error);
        throw error;
      }
    });
    onClose(node, async (removed) => {
      live.clear();
      await work?.close(removed);
    });
  }
};
