import { isPaddedBase64 } from '../../src/text/base64';
import { withoutTrailingSlashes } from '../../src/text/edges';
import { DEFAULT_API_URLS } from '../config/api-urls';
import { HIDDEN_PASSWORD } from '../config/hidden-password';
import { DEFAULT_PATH } from '../webhook/webhook-fields';
import { belowNodeRoot } from './lib/address';
import { apiAddress } from './lib/api-address';
import { entriesOf, isVariable, textOf } from './lib/validators';

/** Daily requires a list; these are what an archive and a switch on meetings need. */
const EVENT_TYPES = [
  'meeting.started',
  'meeting.ended',
  'recording.started',
  'recording.ready-to-download',
  'recording.error'
];

/** Quotes any text as one word of a shell command. */
function quoted(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

/** The path of this account's webhook node, otherwise of any other; null if there is none. */
function webhookPathOf(accountId: string): string | null {
  const own: string[] = [];
  const others: string[] = [];
  RED.nodes.eachNode((node) => {
    if (node.type !== 'daily-webhook-in' || node.d === true) return;
    const isOwn = node['account'] === accountId;
    (isOwn ? own : others).push(textOf(node['path']) || DEFAULT_PATH.daily);
  });
  return own[0] ?? others[0] ?? null;
}

/** The address of this page, when it can be the public one. */
function publicOrigin(): string | null {
  const { protocol, hostname, origin } = window.location;
  const isHere = /^(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[)|\.local$/.test(hostname);
  return protocol === 'https:' && !isHere ? origin : null;
}

function commandOf(apiUrl: string, origin: string | null, path: string): string {
  const body = {
    url: (origin ?? 'https://YOUR-ADDRESS') + belowNodeRoot(path),
    eventTypes: EVENT_TYPES,
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

RED.nodes.registerType('daily-account', {
  category: 'config',
  defaults: {
    name: { value: '' },
    apiUrl: { value: DEFAULT_API_URLS.daily, validate: apiAddress },
    proxy: { value: '', type: 'http proxy', required: false }
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
    const path = webhookPathOf(this.id);
    const origin = publicOrigin();
    $('#daily-account-no-node').toggle(path === null);
    $('#daily-account-no-address').toggle(origin === null);
    const apiUrl = $('#node-config-input-apiUrl');
    const command = $('#daily-account-command');
    apiUrl
      .on('input change', () => {
        command.text(commandOf(textOf(apiUrl.val()), origin, path ?? DEFAULT_PATH.daily));
      })
      .trigger('change');
    $('#daily-account-copy').on('click', (event) => {
      const done = this._(`${this.type}.button.copied`);
      RED.clipboard.copyText(command.text(), $(event.currentTarget), done);
    });
  }
});
