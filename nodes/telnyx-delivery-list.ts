import type { WebhookMessage } from '../src/events/build-event';
import { parseFetched } from '../src/reconcile/deliveries/missed-deliveries';
import type { HandOver } from '../src/webhook/journal/delivery-journal';
import { sharePace } from './config/queue/account-peers';
import { telnyxQueueOf } from './config/queue/queue-access';
import { telnyxAccountOf } from './config/telnyx-account-access';
import { receptionOf, runMissed, runReplay } from './delivery-list/delivery-list-run';
import {
  readDeliveryRequest,
  readDeliverySettings,
  type DeliveryListConfig
} from './delivery-list/delivery-list-settings';
import { createNode } from './lib/create-node';
import type { NodeRedApi, RedNode } from './lib/node-red';
import { startListNode, type ListWork } from './list/list-node';
import { readText } from './lib/read-setting';
import { deliveryJournal, handOvers } from './webhook/webhook-runtime';

export = function (RED: NodeRedApi): void {
  const watch = handOvers(RED);

  RED.nodes.registerType('telnyx-delivery-list', function (this: RedNode, config: DeliveryListConfig) {
    createNode(RED, this, config);
    startListNode(RED, this, (signal) => workOf(this, config, signal));
  });

  function workOf(node: RedNode, config: DeliveryListConfig, signal: AbortSignal): ListWork {
    const settings = readDeliverySettings(config);
    const queue = telnyxQueueOf(RED, config.queue);
    const account = telnyxAccountOf(RED, config.account, node);
    if (queue !== null) sharePace(RED, readText(config.account), queue);
    const emit = (message: WebhookMessage, handOver: HandOver | null): void => {
      const sent = { _msgid: RED.util.generateId(), ...message };
      if (handOver === null) node.send([sent, null]);
      else watch.send(node, { message: sent, id: message.event.id, handOver });
    };
    const recover = (): void => receptionOf(RED, node.id, { emit, signal, queue }).recover(parseFetched);
    watch.watch(node, () => {
      recover();
      return Promise.resolve();
    });
    return {
      topic: 'delivery.list',
      queue,
      afterStop: 'what the flow already got from Telnyx is not sent again.',
      run: (message, run) => {
        const request = readDeliveryRequest(config, message);
        if (settings.source === 'log') {
          const { provider } = settings;
          return runReplay(RED, request, { provider, emit: (replayed) => emit(replayed, null) }, run);
        }
        const reception = receptionOf(RED, node.id, { emit, signal, queue });
        return runMissed(RED, request, { ...settings, account, reception }, run);
      },
      begin: recover,
      end: async () => {
        await watch.settle(node);
        // Node-RED may exit next. What the flow has must not be repeated at the next start.
        await deliveryJournal(RED).written();
      }
    };
  }
};
