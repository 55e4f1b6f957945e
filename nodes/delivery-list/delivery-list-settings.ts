import { PROVIDERS, type Provider } from '../../src/events/provider';
import { readEvents, type EventFilter } from '../../src/reconcile/deliveries/event-patterns';
import { readRange, type TimeRange } from '../../src/reconcile/read-moment';
import type { FlowMessage, NodeConfig } from '../lib/node-red';
import { readChoice, readText } from '../lib/read-setting';
import { SELECTIONS } from '../list/list-fields';
import { OUTCOMES, SENDERS, SOURCES } from './delivery-list-fields';

/** The properties of a `telnyx-delivery-list` node, as saved in a flow. */
export interface DeliveryListConfig extends NodeConfig {
  source?: string;
  account?: string;
  from?: string;
  to?: string;
  events?: string;
  only?: string;
  outcome?: string;
  sentTo?: string;
  provider?: string;
  queue?: string;
}

export type DeliverySettings =
  | { source: 'log'; /** Null: all. */ provider: Provider | null }
  | {
      source: 'telnyx';
      only: 'missing' | 'all';
      outcome: 'any' | 'failed';
      /** Text in the address; blank: the paths of the webhook nodes decide. */
      sentTo: string;
    };

/** What one message asks for. */
export interface DeliveryRequest {
  range: TimeRange;
  isWanted: EventFilter;
}

/** @throws CodedError `BAD_SETTING` that names the setting */
export function readDeliverySettings(config: DeliveryListConfig): DeliverySettings {
  // Invalid settings are reported on deploy, and read again for every message.
  readDeliveryRequest(config, {});
  const source = readChoice(config.source, 'Source', SOURCES);
  if (source === 'log') {
    const sender = readChoice(config.provider, 'Provider', SENDERS);
    return { source, provider: PROVIDERS.find((provider) => provider === sender) ?? null };
  }
  return {
    source,
    only: readChoice(config.only, 'Send', SELECTIONS),
    outcome: readChoice(config.outcome, 'Outcome', OUTCOMES),
    sentTo: readText(config.sentTo)
  };
}

/**
 * What a message asks for: its own `from`, `to` and `events` override the node's.
 *
 * @throws CodedError `BAD_SETTING`
 */
export function readDeliveryRequest(config: DeliveryListConfig, message: FlowMessage): DeliveryRequest {
  const { from = config.from, to = config.to, events = config.events } = message;
  return { range: readRange(from, to, Date.now()), isWanted: readEvents(events) };
}
