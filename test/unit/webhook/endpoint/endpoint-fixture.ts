import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RememberedId, type WebhookMessage, rememberedId } from '../../../../src/events/build-event';
import { parseTelnyxDelivery } from '../../../../src/events/reading/parse-telnyx';
import { parsePublicKeys } from '../../../../src/verification/account-keys';
import { TelnyxVerifier } from '../../../../src/verification/telnyx-verifier';
import type { Exchange, FlowAnswer } from '../../../../src/webhook/endpoint/flow-reply';
import type { Rejection } from '../../../../src/webhook/endpoint/rejection';
import {
  type EndpointDeps,
  type EndpointSettings,
  WebhookEndpoint
} from '../../../../src/webhook/endpoint/webhook-endpoint';
import { ByteBudget, captureBody } from '../../../../src/webhook/express/body-capture';
import {
  LocalIdentities,
  type IdentityMemory,
  type Remembered
} from '../../../../src/webhook/journal/delivery-identities';
import type {
  AcceptedDelivery,
  DeliveryJournal,
  HandOver,
  PendingDelivery
} from '../../../../src/webhook/journal/delivery-journal';
import { type Delivery, holdEvent, jsonDelivery } from '../../../support/deliveries';
import { type RawAnswer, type RawRequest, exchange } from '../../../support/http-client';
import { TRUSTED } from '../../../support/sign';
import { deferred, serve } from '../express/real-http';

/** A journal in memory that can be slow, can fail, and notes what it was asked. */
export class TestJournal implements DeliveryJournal, IdentityMemory {
  readonly log: string[] = [];
  readonly left: PendingDelivery[] = [];
  /** What `accept` and `remember` wait for. */
  gate: Promise<void> = Promise.resolve();
  /** What `written` waits for. */
  writing: Promise<void> = Promise.resolve();
  readonly identities = new LocalIdentities(this);
  readonly #known = new Map<string, Remembered>();

  find(scope: string, id: RememberedId): Remembered | undefined {
    return this.#known.get(JSON.stringify([scope, id]));
  }

  async accept(delivery: AcceptedDelivery): Promise<HandOver> {
    const { scope, duplicate } = delivery;
    const id = `${delivery.id}${duplicate === true ? ' again' : ''}`;
    this.log.push(`accept ${id}`);
    await this.gate;
    this.#known.set(JSON.stringify([scope, rememberedId(delivery)]), { answer: null });
    return {
      name: id,
      done: () => this.log.push(`done ${id}`),
      leave: () => this.log.push(`leave ${id}`)
    };
  }

  answered(delivery: AcceptedDelivery, answer: FlowAnswer): Promise<void> {
    return this.remember(delivery.scope, rememberedId(delivery), answer);
  }

  async remember(scope: string, id: RememberedId, answer: FlowAnswer | null): Promise<void> {
    this.log.push(`remember ${typeof id === 'string' ? id : id.partial}`);
    await this.gate;
    this.#known.set(JSON.stringify([scope, id]), { answer });
  }

  async written(): Promise<void> {
    await this.writing;
    this.log.push('written');
  }

  *pending(): Iterable<PendingDelivery> {
    for (let next = this.left.shift(); next !== undefined; next = this.left.shift()) yield next;
  }
}

export interface Emitted {
  message: WebhookMessage;
  rawBody: Buffer;
  exchange: Exchange | null;
}

export interface Fault {
  code: string;
  message: string;
  about: WebhookMessage | null;
  cause: unknown;
}

const verifier = new TelnyxVerifier(
  { publicKeys: parsePublicKeys(TRUSTED.publicKey).keys, meetingSecrets: [], legacySecrets: [] },
  300
);

/** An endpoint behind a real server, and what came out of it. */
export class EndpointStage {
  readonly journal = new TestJournal();
  readonly emitted: Emitted[] = [];
  readonly refusals: Rejection[] = [];
  readonly faults: Fault[] = [];
  late = 0;
  /** Ids of the copies that the flow did not get. */
  readonly dropped: string[] = [];
  readonly endpoint: WebhookEndpoint;
  #port = 0;
  #arrived = 0;
  #awaited: { count: number; resolve: (emitted: Emitted) => void }[] = [];

  private constructor(settings: Partial<EndpointSettings>, parts: Partial<EndpointDeps>) {
    this.endpoint = new WebhookEndpoint(
      {
        scope: 'node',
        reply: 'at-once',
        replyTimeoutMs: 10_000,
        duplicates: 'drop',
        maxBody: 10_000,
        acceptGet: false,
        ...settings
      },
      {
        verifier,
        parse: (content) => {
          this.#arrived += 1;
          return parseTelnyxDelivery(content);
        },
        journal: this.journal,
        identities: this.journal.identities,
        now: Date.now,
        emit: (message, rawBody, { exchange, handOver }) => {
          this.#emit({ message, rawBody, exchange });
          handOver?.done();
        },
        onRejected: (refusal) => this.refusals.push(refusal),
        onFault: (code, message, about, cause) => this.faults.push({ code, message, about, cause }),
        onDropped: ({ event }) => void this.dropped.push(event.id),
        onLateAnswer: () => (this.late += 1),
        ...parts
      }
    );
  }

  static async start(
    settings: Partial<EndpointSettings> = {},
    parts: Partial<EndpointDeps> = {}
  ): Promise<EndpointStage> {
    const stage = new EndpointStage(settings, parts);
    const budget = new ByteBudget(1e6);
    stage.#port = await serve((request: IncomingMessage, response: ServerResponse) => {
      const maxBody = stage.endpoint.maxBody;
      captureBody(request, { maxBody, timeoutMs: 5000, budget }, (body) =>
        stage.endpoint.receive(request, response, body)
      );
    });
    return stage;
  }

  send(raw: Omit<RawRequest, 'path'> & { path?: string }): Promise<RawAnswer> {
    return exchange(this.#port, { path: '/telnyx', ...raw });
  }

  /** Sends a signed event; every call signs again, as a sender that tries again does. */
  deliver(id?: string): Promise<RawAnswer> {
    return this.send(jsonDelivery(holdEvent(id)));
  }

  deliverRaw(delivery: Delivery): Promise<RawAnswer> {
    return this.send(delivery);
  }

  /** Resolves when that many events have reached the flow. */
  async emittedEvent(count: number): Promise<Emitted> {
    const there = this.emitted[count - 1];
    if (there !== undefined) return there;
    const { promise, resolve } = deferred<Emitted>();
    this.#awaited.push({ count, resolve });
    return promise;
  }

  /** Resolves when that many verified deliveries are waiting, recorded, or with the flow. */
  async arrived(count: number): Promise<void> {
    while (this.#arrived < count) await nextTurn();
    // What follows parsing runs in the same turn.
    await nextTurn();
  }

  /** Ids of what reached the flow, with duplicates marked. */
  get ids(): string[] {
    return this.emitted.map(({ message: { event } }) => `${event.id}${event.duplicate ? ' again' : ''}`);
  }

  #emit(emitted: Emitted): void {
    this.emitted.push(emitted);
    for (const { count, resolve } of this.#awaited) {
      const awaited = this.emitted[count - 1];
      if (awaited !== undefined) resolve(awaited);
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
