import { isPaddedBase64 } from '../../src/text/base64';
import { withoutTrailingSlashes } from '../../src/text/edges';
import { DEFAULT_API_URLS } from '../config/api-urls';
import { DAILY_EVENT_TYPES } from '../config/daily-event-types';
import { DAILY_KEYS } from '../config/dialog/known-keys';
import { HIDDEN_PASSWORD } from '../config/hidden-password';
import { addressFault, webhookUrl } from '../webhook/public-address';
import { DEFAULT_PATH } from '../webhook/webhook-fields';
import { DAILY_ACCOUNT_TEST_PATH } from '../config/dialog/test-finding';
import { shownAccount } from './account/shown-account';
import { AnyKey } from './account/any-key';
import { publicUrl } from './register/public-url-rule';
import { apiAddress } from './lib/api-address';
import { entriesOf, isVariable, textOf } from './lib/validators';
import { knownAddress } from './register/known-address';
import { prepareTest } from './lib/test-button';
import { showVariables } from './lib/variables';

/** Quotes any text as one word of a shell command. */
function quoted(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

interface ShownNode {
  path: string;
  /** Blank when none is typed. */
  publicUrl: string;
}

/** This account's webhook node, otherwise any other; null if there is none. */
function webhookOf(accountId: string): ShownNode | null {
  const own: ShownNode[] = [];
  const others: ShownNode[] = [];
  RED.nodes.eachNode((node) => {
    if (node.type !== 'daily-webhook-in' || node.d === true) return;
    const path = textOf(node['path']) || DEFAULT_PATH.daily;
    const address = textOf(node['publicUrl']).trim() || knownAddress(node, textOf(node['account']));
    (node['account'] === accountId ? own : others).push({ path, publicUrl: address });
  });
  return own[0] ?? others[0] ?? null;
}

/** The address of this Node-RED, when Daily can reach it. */
function publicBase(typed: string): string | null {
  const base = typed || window.location.origin;
  return addressFault(base) === null ? base : null;
}

function commandOf(apiUrl: string, base: string | null, path: string): string {
  const body = {
    url: webhookUrl(base ?? 'https://YOUR-ADDRESS', RED.settings.httpNodeRoot ?? '/', path),
    eventTypes: DAILY_EVENT_TYPES,
    retryType: 'exponential'
  };
  const address = `${withoutTrailingSlashes(apiUrl || DEFAULT_API_URLS.daily)}/webhooks`;
  return [
    "DAILY_API_KEY='YOUR_API_KEY'",
    `curl -X POST ${quoted(address)} \\`,
    '  -H "Authorization: Bearer $DAILY_API_KEY" \\',
    "  -H 'Content-Type: application/json' \\",
    `  -d ${quoted(JSON.stringify(body))}`
  ].join('\n');
}

const anyKey = new AnyKey(DAILY_KEYS);

RED.nodes.registerType('daily-account', {
  category: 'config',
  defaults: {
    name: { value: '' },
    publicUrl: { value: '', validate: publicUrl },
    apiUrl: { value: DEFAULT_API_URLS.daily, validate: apiAddress },
    proxy: { value: '', type: 'http proxy', required: false },
    anyKey: { value: undefined, validate: anyKey.validator }
  },
  credentials: {
    hmac: {
      type: 'password',
      validate: function (value, _options) {
        const fits = entriesOf(value).every(
          (entry) => entry === HIDDEN_PASSWORD || isVariable(entry) || isPaddedBase64(entry)
        );
        return fits ? true : this._(`${this.type}.error.hmac`);
      }
    },
    apiKey: { type: 'password' }
  },
  label: function () {
    return this.name || 'Daily';
  },
  oneditprepare: function () {
    prepareTest(this, DAILY_ACCOUNT_TEST_PATH, () => shownAccount(this));
    showVariables(this, { hmac: 'DAILY_HMAC_SECRET', apiKey: 'DAILY_API_KEY' });
    const webhook = webhookOf(this.id);
    const base = publicBase(webhook?.publicUrl ?? '');
    $('#daily-account-no-node').toggle(webhook === null);
    $('#daily-account-no-address').toggle(base === null);
    const apiUrl = $('#node-config-input-apiUrl');
    const command = $('#daily-account-command');
    apiUrl
      .on('input change', () => {
        command.text(commandOf(textOf(apiUrl.val()), base, webhook?.path ?? DEFAULT_PATH.daily));
      })
      .trigger('change');
    $('#daily-account-copy').on('click', (event) => {
      const done = this._(`${this.type}.button.copied`);
      RED.clipboard.copyText(command.text(), $(event.currentTarget), done);
    });
  }
});
