import { CodedError } from '../../../src/errors/coded-error';
import { comparablePath } from '../../../src/webhook/express/route-path';
import type { DialogValues } from '../../admin/dialog-values';
import type { NodeRedApi } from '../../lib/node-red';
import { webhookUrl } from '../../webhook/public-address';
import { runningReceivers } from '../../webhook/webhook-receivers';
import type { OwnAddress } from './webhooks-request';

/**
 * The webhook URL of the node whose dialog is open.
 *
 * @param type of the node
 * @throws CodedError `BAD_SETTING` when a value names an environment variable that is not set
 */
export function ownAddress(RED: NodeRedApi, type: string, values: DialogValues): OwnAddress {
  const base = values.setting('base');
  const path = values.setting('path');
  if (base === '' || path === '')
    throw new CodedError(
      'BAD_SETTING',
      '"Public URL" or "Path" is blank, or names an environment variable that is not set.'
    );
  const isServed = runningReceivers(RED, type).some(
    (running) => comparablePath(running.path) === comparablePath(path)
  );
  return { url: webhookUrl(base, RED.settings.httpNodeRoot || '/', path), isServed };
}
