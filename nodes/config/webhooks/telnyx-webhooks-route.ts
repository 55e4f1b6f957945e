import { CodedError } from '../../../src/errors/coded-error';
import { TelnyxApi } from '../../../src/providers/telnyx/api-client';
import { listWebhookSettings, setWebhookUrl } from '../../../src/providers/telnyx/webhooks/webhook-settings';
import type { WebhookSetting } from '../../../src/providers/telnyx/webhooks/webhook-kinds';
import { withoutTrailingSlashes } from '../../../src/text/edges';
import { deployedNode, serveDialogAction } from '../../admin/dialog-route';
import type { DialogValues } from '../../admin/dialog-values';
import type { NodeRedApi } from '../../lib/node-red';
import { DEFAULT_API_URLS } from '../api-urls';
import { proxyOf } from '../proxy-access';
import type { TelnyxAccountNode } from '../telnyx-account-access';
import { recorded } from './call-record';
import { keyOf } from './key-of';
import { ownAddress } from './own-address';
import { TELNYX_WEBHOOKS_PATH, type Outcome, type TelnyxWebhookList } from './webhooks-request';

/** The route behind the buttons that list and set webhook URLs at Telnyx. */
export function serveTelnyxWebhooks(RED: NodeRedApi): void {
  const run = async (values: DialogValues): Promise<Outcome<object>> => {
    const api = openApi(RED, values);
    const action = values.text('action');
    if (action === 'list') return recorded(api, (ask) => list(ask));
    if (action === 'set') return recorded(api, (ask) => set(ask));
    throw new CodedError('BAD_SETTING', 'The dialog asked for something that this version does not do.');

    async function list(ask: Parameters<typeof listWebhookSettings>[0]): Promise<TelnyxWebhookList> {
      const address = ownAddress(RED, 'telnyx-webhook-in', values);
      return { ...address, ...(await listWebhookSettings(ask, values.text('kind'), values.text('name'))) };
    }

    async function set(ask: Parameters<typeof setWebhookUrl>[0]): Promise<{ setting: WebhookSetting }> {
      const [collection, id, url] = [values.text('collection'), values.text('id'), values.text('url')];
      const expected = values.text('expected') || null;
      const setting = await setWebhookUrl(ask, {
        collection,
        id,
        field: values.text('field'),
        expected,
        url
      });
      // Addresses can hold passwords, so they stay out of the log.
      RED.log.info(`The ${setting.field} of /${collection}/${id} at Telnyx was set from the editor.`);
      return { setting };
    }
  };
  serveDialogAction(RED, {
    path: TELNYX_WEBHOOKS_PATH,
    run,
    failed: 'Node-RED could not ask Telnyx. Its log may say more.'
  });
}

/** @throws CodedError `BAD_SETTING` when the API address cannot be used */
function openApi(RED: NodeRedApi, values: DialogValues): TelnyxApi {
  const node: TelnyxAccountNode | null = deployedNode(RED, 'telnyx-account', values.text('account'));
  const apiKey = keyOf(values, node, process.env['TELNYX_API_KEY']);
  const pace = node?.telnyxAccount?.pace;
  return new TelnyxApi({
    apiUrl: withoutTrailingSlashes(values.setting('apiUrl', node).trim() || DEFAULT_API_URLS.telnyx),
    apiKey: () => apiKey,
    proxy: proxyOf(RED, values.text('proxy')),
    ...(pace && { pace })
  });
}
