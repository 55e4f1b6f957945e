import { AWAY, DEFAULT_PREFIX, isQueuePrefix, urlFault } from '../config/queue/queue-fields';
import { QUEUE_TEST_PATH } from '../config/queue/queue-test-request';
import { isTypedKey, offerKey, shownQueue } from './queue/queue-dialog';
import { prepareAdvanced } from './lib/advanced';
import { prepareTest } from './lib/test-button';
import { isVariable, textOf } from './lib/validators';
import { showVariables } from './lib/variables';

interface QueueNode extends EditorNode {
  url?: string;
}

RED.nodes.registerType<QueueNode>('telnyx-queue', {
  category: 'config',
  defaults: {
    name: { value: '' },
    url: {
      value: '',
      validate: function (value, _options) {
        const text = textOf(value).trim();
        const fault = text === '' || isVariable(text) ? null : urlFault(text);
        return fault === null ? true : this._(`${this.type}.error.${fault}`);
      }
    },
    prefix: {
      value: DEFAULT_PREFIX,
      validate: function (value, _options) {
        const text = textOf(value).trim();
        if (text === '' || isVariable(text) || isQueuePrefix(text)) return true;
        return this._(`${this.type}.error.prefix`);
      }
    },
    whenAway: { value: AWAY[0] }
  },
  credentials: {
    password: { type: 'password' },
    encryptionKey: {
      type: 'password',
      validate: function (value, _options) {
        return isTypedKey(textOf(value)) ? true : this._(`${this.type}.error.encryption-key`);
      }
    }
  },
  label: function () {
    return this.name || this.url || 'Redis';
  },
  oneditprepare: function () {
    prepareAdvanced(this);
    showVariables(this, { url: 'REDIS_URL' });
    prepareTest(this, QUEUE_TEST_PATH, () => shownQueue(this));
    offerKey(this);
  }
});
