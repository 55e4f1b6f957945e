import { CodedError } from '../src/errors/coded-error';
import { createNode } from './lib/create-node';
import { answerFailure } from './lib/http-response';
import { told as inWords } from './lib/in-language';
import { afterEachStart, afterStart } from './lib/on-flows-started';
import { serveFolderTest } from './config/dialog/folder-test-route';
import { telnyxBucketOf } from './config/bucket/bucket-access';
import { telnyxQueueOf } from './config/queue/queue-access';
import { accountsOf } from './config/provider-accounts';
import { DownloadNode } from './download/download-node';
import { serveLastStored } from './download/last-stored-route';
import { readDownloadSettings, type RecordingDownloadConfig } from './download/download-settings';
import { toldSettings } from './download/told-settings';
import { watchSettings } from './lib/custody';
import { followState } from './lib/follow-state';
import type { NodeRedApi, RedNode } from './lib/node-red';
import { NodeStatus, statusTexts } from './lib/node-status';
import { onClose, onInput } from './lib/on-input';
import { readText } from './lib/read-setting';
import { wiredBehind } from './lib/wired-behind';

const TYPE = 'telnyx-recording-download';

export = function (RED: NodeRedApi): void {
  const say = statusTexts(RED, TYPE);
  watchSettings(RED);
  serveFolderTest(RED);
  serveLastStored(RED, TYPE);

  RED.nodes.registerType(TYPE, function (this: RedNode, config: RecordingDownloadConfig) {
    createNode(RED, this, config);
    const status = new NodeStatus(this);
    onClose(this, () => status.dispose());
    try {
      const own = readText(config.dailyBucket);
      const settings = readDownloadSettings(RED, this, config);
      const { target } = settings;
      const queue = telnyxQueueOf(RED, config.queue);
      const accounts = accountsOf(RED, config, { user: this, queue });
      const told = { ...toldSettings(RED, config, settings), ...queue?.told };
      const sources = {
        accounts,
        ownBucket: own === '' ? null : telnyxBucketOf(RED, own),
        target: target.kind === 'bucket' ? target.settings : null
      };
      const download = new DownloadNode(RED, this, { settings, sources, queue, told, status, say });
      onInput(this, download.store);
      if (queue !== null) afterEachStart(RED, this, () => warnOfAnswer(RED, this));
      followState(RED, this, { begin: () => download.start(), stop: (problem) => download.stop(problem) });
      onClose(this, (removed) => download.close(removed));
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      status.problem(say('bad-setting'));
      afterStart(RED, this, () => this.error(error, {}));
      // Every message reports it, too: none is lost silently.
      onInput(this, (message) => {
        if (config.answer === 'queued' || config.answer === 'stored') answerFailure(message, error);
        throw error;
      });
    }
  });
};

/** With a queue a message has no `msg.res` behind the node: an *http response* there never answers. */
function warnOfAnswer(RED: NodeRedApi, node: RedNode): void {
  const [first] = wiredBehind(RED, node._alias ?? node.id, 'http response');
  if (first === undefined) return;
  const name = first.name === undefined || first.name === '' ? first.id : first.name;
  node.warn(inWords(RED, [{ notice: 'answers-nobody', values: { name } }]));
}
