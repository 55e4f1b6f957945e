import { randomUUID } from 'node:crypto';
import { account, recorder, tab, webhookIn } from './flows';
import { exchange, type RawAnswer, type RawRequest } from './http-client';
import { type FlowNode, NodeRedProcess, type NodeRedOptions, type RecordedMessage } from './node-red-process';
import { type Delivery, holdEvent, jsonDelivery } from './deliveries';
import { TRUSTED } from './sign';
import { until } from './until';

/** A flow of one webhook node that trusts `TRUSTED`, wired to a recorder, plus the nodes of the test. */
export function webhookFlow(webhook: Record<string, unknown> = {}, more: FlowNode[] = []): FlowNode[] {
  return [tab(), account({ publicKeys: TRUSTED.publicKey }), webhookIn(webhook), ...recorder(), ...more];
}

/** A running Node-RED with a webhook node, and helpers for its tests. */
export class WebhookInstance {
  private constructor(readonly nodeRed: NodeRedProcess) {}

  static async start(options: NodeRedOptions): Promise<WebhookInstance> {
    return new WebhookInstance(await NodeRedProcess.start(options));
  }

  /** A second one in the same userDir. */
  async beside(options: Parameters<NodeRedProcess['beside']>[0] = {}): Promise<WebhookInstance> {
    return new WebhookInstance(await this.nodeRed.beside(options));
  }

  /** Any request to a node's path below httpNodeRoot. */
  async request(nodePath: string, request: Omit<RawRequest, 'path'>): Promise<RawAnswer> {
    return exchange(this.nodeRed.port, { ...request, path: this.nodeRed.nodePath(nodePath) });
  }

  async deliver(delivery: Delivery, nodePath = '/telnyx'): Promise<RawAnswer> {
    return this.request(nodePath, delivery);
  }

  /**
   * Everything that reached the recorder, with nothing left in flight: delivers one more event and waits for
   * it. Leaves that event out.
   */
  async settled(nodePath = '/telnyx', file?: string): Promise<RecordedMessage[]> {
    const id = `settled-${randomUUID()}`;
    const { status } = await this.deliver(jsonDelivery(holdEvent(id)), nodePath);
    if (status !== 200) throw new Error(`A plain delivery was answered ${status}. Log:\n${this.nodeRed.log}`);
    const isLast = ({ event }: RecordedMessage) => event?.['id'] === id;
    const all = await until('the last message', () => {
      const seen = this.nodeRed.recorded(file);
      return seen.some(isLast) ? seen : undefined;
    });
    return all.filter(({ event }) => !String(event?.['id']).startsWith('settled-'));
  }

  async stop(): Promise<void> {
    await this.nodeRed.stop();
  }
}
