import { CodedError } from '../src/errors/coded-error';
import type { WebhookMessage } from '../src/events/build-event';
import { parseFetched } from '../src/reconcile/deliveries/missed-deliveries';
import { telnyxAccountOf } from './config/telnyx-account-access';
import { receptionOf, runMissed } from './delivery-list/delivery-list-run';
import {
  readDeliveryRequest,
  readDeliverySettings,
  type DeliveryListConfig
} from './delivery-list/delivery-list-settings';
import type { FlowMessage, NodeRedApi, RedNode } from './lib/node-red';
import { startListNode } from './list/list-node';

export = function (RED: NodeRedApi): void {
  const flowMessage = (message: WebhookMessage): FlowMessage => ({
    _msgid: RED.util.generateId(),
    ...message
  });

  RED.nodes.registerType('telnyx-delivery-list', function (this: RedNode, config: DeliveryListConfig) {
    RED.nodes.createNode(this, config);
    startListNode(RED, this, () => {
      const settings = readDeliverySettings(config);
      const account = telnyxAccountOf(RED, config.account, this);
      return {
        topic: 'delivery.list',
        afterStop: 'what the flow got from Telnyx already does not come twice.',
        run: (message, run) => {
          const request = readDeliveryRequest(config, message);
          const emit = (found: WebhookMessage): void => run.emit(flowMessage(found));
          if (settings.source === 'log') throw new CodedError('BAD_SETTING', 'There is no delivery log yet.');
          const reception = receptionOf(RED, this.id, emit, run.signal);
          return runMissed(RED, request, { ...settings, account, reception }, run);
        },
        begin: (signal) => {
          const emit = (found: WebhookMessage): void => this.send([flowMessage(found), null]);
          receptionOf(RED, this.id, emit, signal).recover(parseFetched);
        }
      };
    });
  });
};
