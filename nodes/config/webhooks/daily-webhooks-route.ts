import { CodedError } from '../../../src/errors/coded-error';
import { DailyApi } from '../../../src/providers/daily/daily-client';
import {
  activateDailyWebhook,
  createDailyWebhook,
  listDailyWebhooks,
  type SecretWebhook
} from '../../../src/providers/daily/webhooks/daily-webhooks';
import type { Ask } from '../../../src/providers/http/patient-request';
import { isSameUrl } from '../../../src/providers/http/same-url';
import { withoutTrailingSlashes } from '../../../src/text/edges';
import { decodePaddedBase64 } from '../../../src/values/fields';
import { parseDailySecrets } from '../../../src/verification/account-keys';
import { deployedNode, serveDialogAction } from '../../admin/dialog-route';
import type { DialogValues } from '../../admin/dialog-values';
import type { NodeRedApi, RedNode } from '../../lib/node-red';
import { DEFAULT_API_URLS } from '../api-urls';
import { proxyOf } from '../proxy-access';
import { recorded } from './call-record';
import { keyOf } from './key-of';
import { ownAddress } from './own-address';
import {
  DAILY_WEBHOOKS_PATH,
  type DailyWebhookChange,
  type DailyWebhookList,
  type Outcome,
  type SecretState,
  type ShownWebhook
} from './webhooks-request';

const ACCOUNT = 'daily-account';

/**
 * The route behind the buttons that list, create and activate webhooks at Daily. Secrets come from Daily's answers and go
 * into the credentials of the account, without passing through the browser.
 */
export function serveDailyWebhooks(RED: NodeRedApi): void {
  serveDialogAction(RED, {
    path: DAILY_WEBHOOKS_PATH,
    run: (values) => new DailyRequest(RED, values).run(),
    failed: 'Node-RED could not ask Daily. Its log may say more.'
  });
}

class DailyRequest {
  readonly #RED: NodeRedApi;
  readonly #values: DialogValues;
  readonly #node: RedNode | null;

  /** @throws CodedError `BAD_SETTING` when the id is that of something else, whose secrets are none of our business */
  constructor(RED: NodeRedApi, values: DialogValues) {
    this.#RED = RED;
    this.#values = values;
    const id = values.text('account');
    this.#node = deployedNode(RED, ACCOUNT, id);
    const isOther = this.#node === null && (RED.nodes.getNode(id) ?? null) !== null;
    if (id === '' || isOther) throw new CodedError('BAD_SETTING', 'Choose a Daily account in "Account".');
  }

  /** @throws CodedError `BAD_SETTING` */
  run(): Promise<Outcome<object>> {
    const actions = new Map<string, (ask: Ask) => Promise<object>>([
      ['list', (ask: Ask) => this.#list(ask)],
      ['create', (ask: Ask) => this.#create(ask)],
      ['activate', (ask: Ask) => this.#activate(ask)],
      ['store', (ask: Ask) => this.#store(ask)]
    ]);
    const act = actions.get(this.#values.text('action'));
    if (act === undefined)
      throw new CodedError('BAD_SETTING', 'The dialog asked for something that this version does not do.');
    return recorded(this.#openApi(), act);
  }

  async #list(ask: Ask): Promise<DailyWebhookList> {
    const address = ownAddress(this.#RED, 'daily-webhook-in', this.#values);
    const found = await listDailyWebhooks(ask);
    return { ...address, webhooks: found.map((one) => this.#shown(one, address.url)) };
  }

  async #create(ask: Ask): Promise<DailyWebhookChange> {
    const url = this.#values.text('url');
    // With a secret that the account has already nothing has to be stored, and deliveries are accepted at once.
    const hmac = parseDailySecrets(this.#secrets()).secrets[0]?.toString('base64') ?? null;
    const made = await createDailyWebhook(ask, { url, eventTypes: this.#values.list('eventTypes'), hmac });
    this.#RED.log.info(`The webhook ${made.webhook.uuid} was created at Daily from the editor.`);
    return this.#remembered(made, url);
  }

  async #activate(ask: Ask): Promise<DailyWebhookChange> {
    const [uuid, url] = [this.#values.text('uuid'), this.#values.text('url')];
    const active = await activateDailyWebhook(ask, { uuid, url });
    this.#RED.log.info(`The webhook ${active.webhook.uuid} was activated again at Daily from the editor.`);
    return { shown: this.#shown(active, url), isStored: false };
  }

  async #store(ask: Ask): Promise<DailyWebhookChange> {
    const [uuid, url] = [this.#values.text('uuid'), this.#values.text('url')];
    const found = (await listDailyWebhooks(ask)).find(({ webhook }) => webhook.uuid === uuid);
    if (found === undefined || !isSameUrl(found.webhook.url, url))
      throw new CodedError('BAD_SETTING', 'Daily has no such webhook any more. List again.');
    return this.#remembered(found, url);
  }

  /** Puts the secret of a webhook into the account, unless it is there. */
  async #remembered(made: SecretWebhook, url: string): Promise<DailyWebhookChange> {
    const { hmac } = made;
    if (hmac === null)
      throw new CodedError(
        'LINK_REFUSED',
        'Daily does not tell the secret of the webhook, so it is not in the account. Copy "hmac" from GET /webhooks into "Secret".'
      );
    const isStored = this.#stateOf(made) === 'unknown';
    if (isStored) {
      const id = this.#values.text('account');
      const merged = [this.#secrets(), hmac].filter((text) => text !== '').join(' ');
      await this.#RED.nodes.addCredentials(id, { ...this.#RED.nodes.getCredentials(id), hmac: merged });
    }
    const shown = this.#shown(made, url);
    return { shown: { ...shown, secret: 'known' }, isStored };
  }

  #shown(one: SecretWebhook, url: string): ShownWebhook {
    return { webhook: one.webhook, isOwn: isSameUrl(one.webhook.url, url), secret: this.#stateOf(one) };
  }

  #stateOf({ hmac }: SecretWebhook): SecretState {
    const bytes = hmac === null ? null : decodePaddedBase64(hmac);
    if (bytes === null) return 'unstated';
    const isKnown = parseDailySecrets(this.#secrets()).secrets.some((secret) => secret.equals(bytes));
    return isKnown ? 'known' : 'unknown';
  }

  /** The secrets that the account has, or will have after a deploy. */
  #secrets(): string {
    const id = this.#values.text('account');
    const stored = this.#RED.nodes.getCredentials(id)?.['hmac']?.trim() ?? '';
    // What was stored a moment ago is not yet that of the node, which has the values of environment variables.
    const text = this.#values.isTyped('hmac')
      ? this.#values.password('hmac', this.#node)
      : /^\$[{(]/.test(stored)
        ? (this.#node?.credentials?.['hmac'] ?? '')
        : stored;
    return text.trim() || (process.env['DAILY_HMAC_SECRET'] ?? '').trim();
  }

  #openApi(): DailyApi {
    const apiKey = keyOf(this.#values, this.#node, process.env['DAILY_API_KEY']);
    const apiUrl = this.#values.setting('apiUrl', this.#node).trim() || DEFAULT_API_URLS.daily;
    const proxy = proxyOf(this.#RED, this.#values.text('proxy'));
    return new DailyApi({ apiUrl: withoutTrailingSlashes(apiUrl), apiKey: () => apiKey, proxy });
  }
}
