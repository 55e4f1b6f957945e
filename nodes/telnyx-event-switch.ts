import { CodedError } from '../src/errors/coded-error';
import { carriesRecording } from '../src/recording/find-recordings';
import { CATALOGUE_PATH } from '../src/webhook/express/route-path';
import { compileRules } from '../src/routing/compile-rules';
import { EVENT_CATALOGUE, ruleChoices } from '../src/routing/event-catalogue';
import { describeEvent } from '../src/routing/routed-event';
import { readRules, TYPE_PROPERTY } from '../src/routing/rules';
import { serveRead } from './admin/admin-route';
import { createNode } from './lib/create-node';
import { listedEvents } from './lib/listed-events';
import type { FlowMessage, NodeConfig, NodeRedApi, RedNode } from './lib/node-red';
import { NodeStatus } from './lib/node-status';
import { onInput } from './lib/on-input';
import { PROPERTY_TYPES } from './lib/property-types';
import { readTypedProperty } from './lib/typed-property';

interface EventSwitchConfig extends NodeConfig {
  property?: string;
  propertyType?: string;
  rules?: unknown;
  checkall?: string | boolean;
}

export = function (RED: NodeRedApi): void {
  function EventSwitch(this: RedNode, config: EventSwitchConfig): void {
    createNode(RED, this, config);
    const { property = TYPE_PROPERTY, propertyType = PROPERTY_TYPES[0] } = config;
    const read = readRules(config.rules, (family) => EVENT_CATALOGUE.isFamily(family));
    if (!read.ok) {
      refuse(this, read.message, read.rule);
      return;
    }
    if (property.trim() === '' || !PROPERTY_TYPES.some((each) => each === propertyType)) {
      refuse(
        this,
        `The event switch reads the event type from "${property}" (${propertyType}). Expected a message ` +
          'property, a flow or global context key, or a JSONata expression. Open the node and choose one.'
      );
      return;
    }

    const outputs = read.rules.length;
    const match = compileRules(read.rules, String(config.checkall) === 'true', EVENT_CATALOGUE);
    onInput(this, async (message, send) => {
      const type = await readTypedProperty(RED, this, { property, type: propertyType }, message);
      const told = asEvent(message['event']);
      // The fields of `msg.event` describe its own type; for another type the catalogue is used.
      const described = describeEvent(
        type,
        told.event_type === type ? told : undefined,
        told.provider,
        EVENT_CATALOGUE
      );
      const matching = match(described, () =>
        carriesRecording({ event: message['event'], payload: message.payload })
      );
      if (matching.length === 0) return;
      const messages = new Array<FlowMessage | null>(outputs).fill(null);
      for (const output of matching) messages[output] = message;
      send(messages);
    });
  }

  /** Shows and logs the problem, and reports it to the Catch nodes for every message: none is lost silently. */
  function refuse(node: RedNode, reason: string, rule = 0): void {
    const error = new CodedError('BAD_SETTING', reason);
    const key = rule > 0 ? 'bad-rule' : 'bad-settings';
    new NodeStatus(node).problem(RED._(`telnyx-event-switch.status.${key}`, { number: rule }));
    node.error(error);
    onInput(node, () => Promise.reject(error));
  }

  RED.nodes.registerType('telnyx-event-switch', EventSwitch);

  serveRead(RED, {
    path: CATALOGUE_PATH,
    permission: 'telnyx.read',
    failed: 'The event types could not be read.',
    run: async (asked) => ruleChoices(await listedEvents(asked.text('lng')))
  });
};

function asEvent(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
