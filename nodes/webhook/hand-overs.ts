import { randomUUID } from 'node:crypto';
import { inBackground, onClose } from '../lib/on-input';
import type { FlowMessage, NodeRedApi, ReceiveEvent, RedNode } from '../lib/node-red';
import type { HandOver } from '../../src/webhook/journal/delivery-journal';

/**
 * Milliseconds after which a message that has not reached all of its nodes counts as handed over. Node-RED delivers it in
 * the next turn; only a user's hook can delay it further, or stop it.
 */
const TAKEN_BY_A_HOOK_MS = 10_000;

/** Turns of the event loop that are enough for even a long chain of junctions and links. */
const MOST_TURNS = 20;

/** Entries that are kept in memory; beyond that, the oldest one is dropped. */
const MOST_REMEMBERED = 10_000;

/** Unique, because the process may hold another copy of this package. */
const LABEL = `telnyx-hand-overs-${randomUUID()}`;
const BEFORE = `onReceive.${LABEL}` as const;
const AFTER = `postReceive.${LABEL}` as const;

/** Types of nodes that only pass a message on, so that the nodes they are wired to count. Subflows do this, too. */
const PASSES_ON: ReadonlySet<string> = new Set(['junction', 'link in', 'link out']);

/** Nothing is ever added to it. */
const NONE = new Set<string>();

/** A delivery that the flow is to get. */
export interface Outgoing {
  message: FlowMessage & { _msgid: string };
  /** The event's id. */
  id: string;
  handOver: HandOver;
}

interface OnTheWay extends Omit<Outgoing, 'message'> {
  /** The message's id, which its first node may change. */
  key: string;
  node: RedNode;
  /** The nodes that do not have it yet, by id. */
  waiting: Map<string, unknown>;
  /** Ids of the nodes that have it; undefined while none has. */
  had: Set<string> | undefined;
  /** Ids of the nodes that have it from an earlier message, and must not get this one. */
  barred: Pick<Set<string>, 'delete' | 'size'>;
  /** Milliseconds of a monotonic clock. */
  sentAt: number;
}

/**
 * Watches messages from a webhook node until the nodes that it is wired to have them. Node-RED's `send` returns earlier: a
 * deploy in the same turn stops those nodes first, and Node-RED drops the message silently. So a delivery is handed over
 * when its nodes have received it (`postReceive`; `postDeliver` comes before that). What a deploy interrupts stays in the
 * journal and is sent again once the flows have started, only to the nodes that lack it.
 */
export class HandOvers {
  readonly #RED: NodeRedApi;
  readonly #takenMs: number;
  readonly #onTheWay = new Map<string, OnTheWay>();
  /** Ids of the nodes that have a delivery which others lack, by delivery. */
  readonly #partly = new Map<string, Set<string>>();
  /** Ids of the nodes that get a delivery with a new message, by the id of the message that a hook may still hold. */
  readonly #replaced = new Map<string, ReadonlySet<string>>();
  readonly #recoveries = new Map<RedNode, () => Promise<void>>();
  /** Nodes with something to send again after the current deploy. */
  readonly #owing = new Set<RedNode>();
  /** When this last made sure that the hooks are there; milliseconds of a monotonic clock. */
  #listenedAt = -Infinity;
  /** True from when nodes are stopped until all have started again. */
  #isDeploying = true;

  /** @param takenMs see `TAKEN_BY_A_HOOK_MS` */
  constructor(RED: NodeRedApi, takenMs = TAKEN_BY_A_HOOK_MS) {
    this.#takenMs = takenMs;
    this.#RED = RED;
    RED.events.on('flows:stopping', () => {
      this.#isDeploying = true;
    });
    // Runs before the nodes' own listeners, some of which send at once.
    RED.events.prependListener('flows:started', () => {
      this.#isDeploying = false;
      this.#afterDeploy();
    });
    // After a blocked event loop, messages are delivered first.
    setInterval(() => setImmediate(() => this.#endOld()), takenMs).unref();
  }

  /** @param recover sends again what was left behind; called after a deploy that did not restart the node */
  watch(node: RedNode, recover: () => Promise<void>): void {
    this.#recoveries.set(node, recover);
    onClose(node, () => {
      this.#recoveries.delete(node);
      this.#owing.delete(node);
    });
  }

  /** Whether all nodes behind a node's first output are there, as far as that can be known. */
  isFlowThere(node: RedNode): boolean {
    return !this.#isDeploying || this.#targetsOf(node).areAllThere;
  }

  /**
   * Sends a message from the first output, and completes or leaves its hand-over.
   *
   * @returns false when nothing was sent because a deploy is replacing the nodes; the hand-over is left
   */
  send(node: RedNode, outgoing: Outgoing): boolean {
    const { waiting, areAllThere } = this.#targetsOf(node);
    if (this.#isDeploying && !areAllThere) {
      this.#owing.add(node);
      outgoing.handOver.leave();
      return false;
    }
    const had = this.#partly.size === 0 ? undefined : this.#hadBefore(nameOf(node, outgoing));
    const barred = had === undefined ? NONE : new Set([...had].filter((id) => waiting.delete(id)));
    const { message, id, handOver } = outgoing;
    const sentAt = performance.now();
    if (waiting.size === 0 || !this.#listen(sentAt)) {
      if (had === undefined) node.send(message);
      handOver.done();
      return true;
    }
    const key = message._msgid;
    this.#onTheWay.set(key, { key, node, id, handOver, waiting, had, barred, sentAt });
    node.send(message);
    return true;
  }

  /** For a node that closes: waits until its messages have reached the nodes that they can, and leaves the others. */
  async settle(node: RedNode): Promise<void> {
    const left = (): OnTheWay[] => [...this.#onTheWay.values()].filter((one) => one.node === node);
    for (let turn = 0; turn < MOST_TURNS && left().length > 0; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const one of left()) this.#leave(one);
  }

  /** Ids of the nodes that have a delivery from an earlier message; undefined when none has. */
  #hadBefore(name: string): Set<string> | undefined {
    const had = this.#partly.get(name);
    this.#partly.delete(name);
    return had;
  }

  /**
   * @param now milliseconds of a monotonic clock
   * @returns false when Node-RED has no hooks, so that nothing can be watched
   */
  #listen(now: number): boolean {
    const { hooks } = this.#RED;
    if (hooks === undefined) return false;
    // Somebody may have cleared all hooks, before this message or while it is on its way: once a millisecond is enough.
    if (now - this.#listenedAt < 1) return true;
    this.#listenedAt = now;
    if (!hooks.has(BEFORE)) {
      hooks.add(BEFORE, (event) => this.#beforeReceive(event));
      hooks.add(AFTER, (event) => this.#afterReceive(event));
    }
    return true;
  }

  // These two are called for every message of every flow, so they have to recognise quickly what is not ours.

  #beforeReceive({ msg, destination: { id, node } }: ReceiveEvent): false | undefined {
    if (this.#onTheWay.size + this.#replaced.size === 0) return undefined;
    const one = this.#onTheWay.get(msg._msgid);
    if (one === undefined) return this.#replaced.get(msg._msgid)?.has(id) === true ? false : undefined;
    if (one.barred.delete(id)) {
      this.#forgetDone(one);
      return false;
    }
    if (!one.waiting.has(id)) return undefined;
    // A closing node may still take it, and its successor would get it a second time.
    return this.#isDeploying && this.#RED.nodes.getNode(id) !== node ? false : undefined;
  }

  #afterReceive({ msg, destination: { id, node } }: ReceiveEvent): void {
    if (this.#onTheWay.size === 0) return;
    const one = this.#onTheWay.get(msg._msgid);
    if (one === undefined || !one.waiting.has(id)) return;
    // A user's hook may have held it until its node had closed.
    if (this.#isDeploying && this.#RED.nodes.getNode(id) !== node) return;
    one.waiting.delete(id);
    if (one.waiting.size === 0) one.handOver.done();
    else one.had = (one.had ?? new Set()).add(id);
    this.#forgetDone(one);
  }

  #forgetDone({ key, waiting, barred }: OnTheWay): void {
    if (waiting.size + barred.size === 0) this.#onTheWay.delete(key);
  }

  /** Leaves a message for the next attempt. */
  #leave(one: OnTheWay): void {
    this.#onTheWay.delete(one.key);
    if (one.waiting.size === 0) return;
    if (one.had !== undefined) remember(this.#partly, nameOf(one.node, one), one.had);
    // A node that has it may have sent it on to one that still waits, under the same id: that message has to pass.
    else remember(this.#replaced, one.key, new Set(one.waiting.keys()));
    one.handOver.leave();
  }

  #afterDeploy(): void {
    for (const one of this.#onTheWay.values()) {
      const isLost = [...one.waiting].some(([id, node]) => this.#RED.nodes.getNode(id) !== node);
      if (!isLost) continue;
      this.#leave(one);
      this.#owing.add(one.node);
    }
    for (const node of this.#owing) {
      const recover = this.#recoveries.get(node);
      if (recover !== undefined) inBackground(node, recover);
    }
    this.#owing.clear();
  }

  #endOld(): void {
    if (this.#isDeploying) return;
    const now = performance.now();
    for (const { key, waiting, sentAt, handOver } of this.#onTheWay.values()) {
      // The oldest are first.
      if (now - sentAt < this.#takenMs) return;
      this.#onTheWay.delete(key);
      if (waiting.size > 0) handOver.done();
    }
  }

  /**
   * The nodes that a message from the first output finally reaches. A node that is missing while no deploy is under way is
   * disabled, or cannot work: it gets nothing, as in Node-RED.
   */
  #targetsOf(node: RedNode): { waiting: Map<string, unknown>; areAllThere: boolean } {
    const waiting = new Map<string, unknown>();
    // Made only where nodes pass messages on: this runs for every delivery.
    let passing: Set<string> | undefined;
    const next = [...(node.wires?.[0] ?? [])];
    let areAllThere = true;
    for (let id = next.pop(); id !== undefined; id = next.pop()) {
      if (waiting.has(id) || passing?.has(id) === true) continue;
      const target = this.#RED.nodes.getNode(id);
      const behind = wiresBehind(target);
      if (behind.length > 0) {
        passing = (passing ?? new Set()).add(id);
        next.push(...behind);
      } else if (isNode(target)) waiting.set(id, target);
      else areAllThere = false;
    }
    return { waiting, areAllThere };
  }
}

function isNode(value: unknown): value is Partial<Pick<RedNode, 'type' | 'wires'>> {
  return typeof value === 'object' && value !== null;
}

/** What a node that only passes messages on is wired to; a dead end counts as the receiver itself. */
function wiresBehind(node: unknown): readonly string[] {
  if (!isNode(node) || typeof node.type !== 'string') return [];
  const passesOn = PASSES_ON.has(node.type) || node.type.startsWith('subflow:');
  return passesOn ? (node.wires ?? []).flat() : [];
}

/** Distinguishes a delivery from its copies, and from another one after the log was removed and begun again. */
function nameOf(node: RedNode, { id, handOver }: Pick<Outgoing, 'id' | 'handOver'>): string {
  return `${node.id} ${handOver.name} ${id}`;
}

function remember<Value>(memory: Map<string, Value>, name: string, value: Value): void {
  memory.set(name, value);
  const [oldest] = memory.keys();
  if (memory.size > MOST_REMEMBERED && oldest !== undefined) memory.delete(oldest);
}
