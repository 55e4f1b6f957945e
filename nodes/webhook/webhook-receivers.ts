import type { EventEmitter } from 'node:events';
import type { WebhookMessage } from '../../src/events/build-event';
import type { WebhookProblem } from '../../src/providers/webhook-health';
import type { SampleSender } from '../../src/webhook/endpoint/sample-sender';
import type { WebhookEndpoint } from '../../src/webhook/endpoint/webhook-endpoint';
import type { NodeConfig, NodeRedApi, RedNode } from '../lib/node-red';
import { onClose } from '../lib/on-input';
import { readNumber } from '../lib/read-setting';
import { KEEP } from './webhook-fields';

/** The end of the types of webhook nodes. */
const WEBHOOK_SUFFIX = '-webhook-in';

/** When a webhook node had its last deliveries, by the monotonic clock; null: none since it was deployed. */
export interface LastDelivery {
  received: number | null;
  refused: number | null;
}

/** A running webhook node. */
export interface RunningReceiver {
  /** As written in the node. */
  path: string;
  /** As written in the node or its account; blank: unknown. */
  publicUrl: string;
  last: Readonly<LastDelivery>;
  receiver: Pick<WebhookEndpoint, 'isReceiving' | 'hold'>;
  /** How it is doing now. */
  report?: () => ReceiverReport;
  samples: Pick<SampleSender, 'send'>;
  /** Sends a message on that the flow has had before. */
  replay: (message: WebhookMessage, rawBody: Buffer) => void;
}

/** How a webhook node is doing. */
export interface ReceiverReport {
  /** Since the last deploy. */
  received: number;
  refused: number;
  /** Why it can accept nothing, as a code; else null. */
  problem: string | null;
  /** Why it refuses everything, as a code, and how many so far; else null. */
  trouble: { code: string; refused: number } | null;
  /** What its provider says of its deliveries; null when that is not asked for, or all is well. */
  health: { problem: WebhookProblem['problem']; failed: number | null } | null;
  isWatched: boolean;
}

/** By Node-RED, because one process may run several. */
const running = new WeakMap<EventEmitter, Map<RedNode, RunningReceiver>>();

/** Makes a webhook node findable while it runs. */
export function noteReceiver(RED: NodeRedApi, node: RedNode, receiver: RunningReceiver): void {
  const here = runningIn(RED);
  here.set(node, receiver);
  onClose(node, () => {
    here.delete(node);
  });
}

/** All running webhook nodes. */
export function allReceivers(RED: Pick<NodeRedApi, 'events'>): [RedNode, RunningReceiver][] {
  return [...runningIn(RED)];
}

/** The running webhook nodes of a type. */
export function runningReceivers(RED: NodeRedApi, type: string): RunningReceiver[] {
  return [...runningIn(RED)].filter(([node]) => node.type === type).map(([, receiver]) => receiver);
}

/** The running webhook node with an id; null when no such node runs. */
export function receiverOf(RED: Pick<NodeRedApi, 'events'>, id: string): RunningReceiver | null {
  for (const [node, receiver] of runningIn(RED)) if (node.id === id) return receiver;
  return null;
}

/** When a running webhook node had its last deliveries; null when no such node runs. */
export function lastDeliveryOf(RED: NodeRedApi, id: string): Readonly<LastDelivery> | null {
  return receiverOf(RED, id)?.last ?? null;
}

/**
 * A running webhook node.
 *
 * @param id its id; that of a node in a subflow means the first of its instances
 */
export function runningReceiver(
  RED: NodeRedApi,
  type: string,
  id: string
): { node: RedNode; receiver: RunningReceiver } | null {
  const isMeant = (node: RedNode & { _alias?: unknown }): boolean =>
    node.type === type && (node.id === id || node._alias === id);
  for (const [node, receiver] of runningIn(RED)) if (isMeant(node)) return { node, receiver };
  return null;
}

/** Ids of the webhook nodes of a type: running ones, including those in subflows, and disabled ones. */
export function receiverIds(RED: NodeRedApi, type: string): string[] {
  const ids = new Set([...runningIn(RED).keys()].filter((node) => node.type === type).map(({ id }) => id));
  RED.nodes.eachNode((saved) => {
    if (saved.type === type) ids.add(saved.id);
  });
  return [...ids];
}

/** Ids of all running webhook nodes. */
export function runningIds(RED: NodeRedApi): string[] {
  return [...runningIn(RED).keys()].map(({ id }) => id);
}

/** How many days the saved webhook nodes keep their deliveries, by their ids; disabled nodes, too. */
export function savedDays(RED: NodeRedApi): Map<string, number> {
  const days = new Map<string, number>();
  RED.nodes.eachNode((saved) => {
    if (!saved.type.endsWith(WEBHOOK_SUFFIX)) return;
    const { keep } = saved as NodeConfig & { keep?: unknown };
    try {
      days.set(saved.id, readNumber(keep, 'Keep', KEEP));
    } catch {
      // Perhaps an environment variable. It keeps nothing that is not kept anyway.
      days.set(saved.id, KEEP.fallback);
    }
  });
  return days;
}

function runningIn({ events }: Pick<NodeRedApi, 'events'>): Map<RedNode, RunningReceiver> {
  const known = running.get(events) ?? new Map<RedNode, RunningReceiver>();
  running.set(events, known);
  return known;
}
