import { isApiKey, isBase64Key, isHexKey } from '../../src/verification/key-text';
import { DEFAULT_API_URLS } from '../config/api-urls';
import { apiAddress } from './lib/api-address';
import { entriesOf, isVariable } from './lib/validators';

RED.nodes.registerType('telnyx-account', {
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
    apiUrl: { value: DEFAULT_API_URLS.telnyx, validate: apiAddress },
    proxy: { value: '', type: 'http proxy', required: false }
  },
  credentials: {
    apiKey: { type: 'password' },
    meetingSecrets: { type: 'password' },
    legacySecrets: { type: 'password' }
  },
  label: function () {
    return this.name || 'Telnyx';
  }
});
