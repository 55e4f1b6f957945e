import { isApiKey, isBase64Key, isHexKey } from '../../src/verification/key-text';
import { DEFAULT_API_URLS } from '../config/api-urls';
import { TELNYX_KEYS } from '../config/dialog/known-keys';
import { MEETING_CONTEXT } from '../config/meetings/meeting-context';
import { TELNYX_ACCOUNT_TEST_PATH } from '../config/dialog/test-finding';
import { shownAccount } from './account/shown-account';
import { AnyKey } from './account/any-key';
import { prepareAdvanced } from './lib/advanced';
import { apiAddress } from './lib/api-address';
import { publicUrl } from './register/public-url-rule';
import { entriesOf, isVariable } from './lib/validators';
import { prepareTest } from './lib/test-button';
import { makeTyped } from './lib/typed-field';
import { showVariables } from './lib/variables';

interface TelnyxAccountNode extends EditorNode {
  meetingContext?: string;
}

const anyKey = new AnyKey(TELNYX_KEYS);

RED.nodes.registerType<TelnyxAccountNode>('telnyx-account', {
  category: 'config',
  defaults: {
    name: { value: '' },
    publicKeys: {
      value: '',
      validate: function (value, _options) {
        const problems = entriesOf(value).flatMap((entry, index) => {
          // Only the runtime knows what an environment variable holds.
          if (isVariable(entry) || isBase64Key(entry)) return [];
          const number = { number: index + 1 };
          if (isHexKey(entry)) return this._(`${this.type}.error.hex`, number);
          if (isApiKey(entry)) return this._(`${this.type}.error.api-key`, number);
          return this._(`${this.type}.error.not-a-key`, number);
        });
        // The editor marks the field only if it gets a text; it would take a list for valid.
        return problems.length === 0 ? true : problems.join(' ');
      }
    },
    publicUrl: { value: '', validate: publicUrl },
    apiUrl: { value: DEFAULT_API_URLS.telnyx, validate: apiAddress },
    proxy: { value: '', type: 'http proxy', required: false },
    meetingContext: { value: MEETING_CONTEXT },
    anyKey: { value: undefined, validate: anyKey.validator }
  },
  credentials: {
    apiKey: { type: 'password' },
    meetingSecrets: { type: 'password' },
    legacySecrets: { type: 'password' }
  },
  label: function () {
    return this.name || 'Telnyx';
  },
  oneditprepare: function () {
    prepareAdvanced(this);
    prepareTest(this, TELNYX_ACCOUNT_TEST_PATH, () => shownAccount(this));
    showVariables(this, { publicKeys: 'TELNYX_PUBLIC_KEY', apiKey: 'TELNYX_API_KEY' });
    // Accounts of an earlier version have no value.
    if (this.meetingContext === undefined) $('#node-config-input-meetingContext').val(MEETING_CONTEXT);
    makeTyped($('#node-config-input-meetingContext'), { types: ['global'], default: 'global' });
  }
});
