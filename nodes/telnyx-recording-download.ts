import { apiAuthorization } from '../src/archive/api-authorization';
import { partialCopyPrefix } from '../src/archive/archive-job';
import { ArchiveProgress } from '../src/archive/archive-progress';
import { Archiver } from '../src/archive/archiver';
import { sleep } from '../src/archive/backoff';
import { folderSidecar } from '../src/archive/folder-sidecar';
import { CodedError } from '../src/errors/coded-error';
import { createTransferAgents } from '../src/transfer/transfer-agents';
import { transfer } from '../src/transfer/transfer';
import { afterStart } from './runtime/after-start';
import { answerResponse } from './runtime/answer-response';
import {
  readDownloadSettings,
  type DownloadSettings,
  type RecordingDownloadConfig
} from './runtime/download-settings';
import { showDownloads } from './runtime/download-status';
import type { NodeRedApi, RedNode } from './runtime/node-red';
import { NodeStatus } from './runtime/node-status';
import { onClose, onInput } from './runtime/on-input';
import { failureOf, jobsOf, storedMessages } from './runtime/recording-messages';
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
    let failure: string | null = null;
    const show = (): void => showDownloads(status, say, progress.summary(), failure);
    const progress = new ArchiveProgress(() => show());
    const account = telnyxAccountOf(RED, config.account);
    const agents = createTransferAgents();
    const archiver = new Archiver(
      settings.archive,
      {
        store: settings.store,
        transfer: (request) => transfer(request, { agents }),
        sidecar: folderSidecar,
        authorize: (url) =>
          account === null ? undefined : apiAuthorization(url, account.apiUrl, account.apiKey()),
        now: Date.now,
        random: Math.random,
        sleep
      },
      progress
    );
    const cleared = clearLeftOvers(node, settings);

    onInput(node, async (message, send) => {
      const jobs = jobsOf(message, settings.format);
      await cleared;
      const outcomes = (await Promise.all(jobs.map((job) => archiver.archive(job)))).flat();
      const files = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.file] : []));
      const error = failureOf(
        outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error])),
        files.length
      );
      failure = error instanceof CodedError ? error.code : error === null ? null : 'ERROR';
      show();
      for (const { recording } of files) node.log(storedLine(recording));
      if (files.length > 0) send([storedMessages(RED, message, files)]);
      if (error !== null) throw error;
      if (settings.answer !== 'never') answerResponse(message);
    });

    onClose(node, async () => {
      await archiver.close(
        new CodedError(
          'GAVE_UP',
          'The node was stopped before the recording was stored. Send the message again.'
        )
      );
      await agents.close();
    });
  }
};

/** Jobs do not outlive the process, so nobody will go on with the partial copies of an earlier one. */
async function clearLeftOvers(node: RedNode, { folder }: DownloadSettings): Promise<void> {
  try {
    await folder?.sweepPartialCopies((id) => !id.startsWith(partialCopyPrefix(node.id)));
  } catch {
    // A folder that cannot be read now is reported by the first recording that is to be stored.
  }
}

function storedLine(recording: {
  path?: string;
  size: number;
  sha256: string;
  already_stored: boolean;
}): string {
  const what = recording.already_stored ? 'Already stored' : 'Stored';
  return `${what}: ${recording.path ?? 'in the message'}, ${recording.size} bytes, SHA-256 ${recording.sha256}`;
}
