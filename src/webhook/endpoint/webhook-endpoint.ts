import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DeliveryRow } from '../../activity/activity';
import type { WebhookErrorCode } from '../../errors/codes';
import {
  type DeliveryContent,
  type DeliveryParser,
  type WebhookMessage,
  deliveryIdentity,
  rememberedId,
  webhookMessage
} from '../../events/build-event';
import type { DeliveryVerifier } from '../../verification/signed-delivery';
import { type AcceptanceDeps, type AcceptanceSettings, DeliveryAcceptance } from './delivery-acceptance';
import type { CapturedBody, DeliveryReceiver } from './delivery-receiver';
import type { Exchange } from './flow-reply';
import { STATUS_OF, answer } from './http-responses';
import { type Rejection, rejectionOf, whyNoBytes } from './rejection';

/** Recovered messages that are sent in one turn of the event loop. */
const RECOVERED_IN_ONE_GO = 50;

export interface EndpointSettings extends AcceptanceSettings {
  /** Bytes. */
  maxBody: number;
  acceptGet: boolean;
}

export interface EndpointDeps extends AcceptanceDeps {
  verifier: DeliveryVerifier;
  parse: DeliveryParser;
  /** Whether this is the provider's test of the address: answered with 200 and not sent on. */
  isProbe?: (rawBody: Buffer) => boolean;
  /** Whether the user can choose to accept GET. */
  offersGet?: boolean;
  onRejected: (rejection: Rejection) => void;
  now: () => number;
}

/**
 * Turns the requests of one path into events: method, body, signature, parsing, duplicates, record, answer,
 * hand-over, in this order. Each rejection has its response; nothing unverified reaches `emit`.
 */
export class WebhookEndpoint implements DeliveryReceiver {
  readonly #settings: EndpointSettings;
  readonly #deps: EndpointDeps;
  readonly #acceptance: DeliveryAcceptance;

  constructor(settings: EndpointSettings, deps: EndpointDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#acceptance = new DeliveryAcceptance(settings, deps);
  }

  get maxBody(): number {
    return this.#settings.maxBody;
  }

  get plain(): boolean {
    return this.#settings.reply === 'at-once';
  }

  acceptsMethod(method: string): boolean {
    return method === 'POST' || (method === 'GET' && this.#settings.acceptGet);
  }

  receive(request: IncomingMessage, response: ServerResponse, body: CapturedBody): void {
    void this.#handle(request, response, body);
  }

  /**
   * Hands over what was accepted before a crash, a restart or a redeploy and did not reach the flow.
   * Resolves when done; stops when the endpoint closes.
   */
  async recover(): Promise<void> {
    let count = 0;
    const { scope } = this.#settings;
    for (const { delivery, ...handOver } of this.#deps.journal.pending(scope)) {
      const isOurs = await this.#deps.identities.reclaim(scope, rememberedId(delivery));
      if (this.#acceptance.isClosed()) {
        handOver.leave();
        return;
      }
      const parsed = this.#deps.parse(delivery);
      if (isOurs && parsed.ok) {
        const id = deliveryIdentity(parsed.event, delivery);
        const facts = { ...delivery, id, duplicate: delivery.duplicate === true, recovered: true };
        const message = webhookMessage(parsed.event, facts);
        this.#deps.emit(message, delivery.rawBody, { exchange: null, handOver });
      } else {
        handOver.done();
      }
      count += 1;
      if (count % RECOVERED_IN_ONE_GO === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Whether a delivery with this identity is being received right now. */
  isReceiving(id: string): boolean {
    return this.#acceptance.isReceiving(id);
  }

  /**
   * Holds deliveries with this identity until it is known whether the flow got the event in another way. If it did, they
   * are duplicates; otherwise their sender is asked to try again.
   *
   * @param outcome must not reject
   */
  hold(id: string, outcome: Promise<boolean>): void {
    this.#acceptance.hold(id, outcome);
  }

  /**
   * From now on, senders are asked to try again, including those still waiting for the flow. Resolves when
   * everything is on disk, so that a successor finds what is left and nothing else.
   */
  close(): Promise<void> {
    return this.#acceptance.close();
  }

  /** Never rejects. One function for all that waits: each further promise costs every delivery a turn. */
  async #handle(request: IncomingMessage, response: ServerResponse, body: CapturedBody): Promise<void> {
    try {
      const content = this.#contentOf(request, response, body);
      if (content === null) return;
      const receivedAt = this.#deps.now();
      const { contentType, query, rawBody } = content;
      const { rawHeaders } = request;
      const verdict = await this.#deps.verifier.verify({ rawHeaders, receivedAt, rawBody, query });
      if (!verdict.ok) {
        this.#refuse({ request, response }, verdict.code, verdict.message);
        return;
      }
      const parsed = this.#deps.parse(content);
      if (!parsed.ok) {
        this.#refuse({ request, response }, parsed.code, parsed.message);
        return;
      }
      if (this.#acceptance.isClosed()) {
        answer(request, response, 503);
        return;
      }

      const id = deliveryIdentity(parsed.event, content);
      const { verified, keyIndex } = verdict;
      const facts = { id, receivedAt, verified, keyIndex, duplicate: false, recovered: false };
      await this.#acceptance.accept(
        { request, response },
        {
          message: webhookMessage(parsed.event, facts),
          record: {
            scope: this.#settings.scope,
            id,
            receivedAt,
            verified,
            keyIndex,
            provider: parsed.event.provider,
            eventType: parsed.event.event_type,
            proof: this.#deps.verifier.proof?.(request, keyIndex) ?? null,
            contentType,
            query,
            rawBody
          }
        }
      );
    } catch (fault) {
      this.#deps.onFault(
        'NOT_RECORDED',
        'A delivery could not be handled; the sender will try again.',
        null,
        fault
      );
      answer(request, response, 503);
    }
  }

  /** What is to be verified; null when the request has its answer already. */
  #contentOf(request: IncomingMessage, response: ServerResponse, body: CapturedBody): DeliveryContent | null {
    const method = request.method ?? '';
    if (!this.acceptsMethod(method)) {
      const allow = this.#settings.acceptGet ? 'GET, POST' : 'POST';
      const advice =
        method === 'GET' && this.#deps.offersGet === true
          ? ' If Telnyx sent this one, tick "Accept GET as well (TeXML voice URLs)".'
          : '';
      const text = `A request with the method ${method} arrived; only ${allow} is accepted.${advice}`;
      this.#refuse({ request, response }, 'METHOD_NOT_ALLOWED', text, {
        Allow: allow
      });
      return null;
    }
    const rawBody = method === 'GET' ? Buffer.alloc(0) : body.kind === 'bytes' ? body.bytes : null;
    if (rawBody === null) {
      const reason = whyNoBytes(body.kind, this.maxBody);
      this.#refuse({ request, response }, reason.code, reason.message);
      return null;
    }
    if (this.#acceptance.isClosed()) {
      answer(request, response, 503);
      return null;
    }
    if (this.#deps.isProbe?.(rawBody) === true) {
      answer(request, response, 200);
      return null;
    }
    const query = method === 'GET' ? queryOf(request) : null;
    return { rawBody, contentType: request.headers['content-type'], query };
  }

  #refuse(
    { request, response }: Exchange,
    code: WebhookErrorCode,
    message: string,
    headers: Readonly<Record<string, string>> = {}
  ): void {
    answer(request, response, STATUS_OF[code], headers);
    this.#deps.onRejected(rejectionOf(request, code, message));
  }
}

function queryOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start + 1);
}

/** This many refusals in a row make a node that used to work suspect. Unsigned requests do not count. */
const SUSPICIOUS_IN_A_ROW = 10;

/** What any visitor from the internet can cause, without a provider's signature. */
const NOISE: ReadonlySet<WebhookErrorCode> = new Set(['METHOD_NOT_ALLOWED', 'MISSING_SIGNATURE']);

/** A node that refuses everything: how many deliveries since the last accepted one, and why. */
interface Trouble {
  refused: number;
  code: WebhookErrorCode;
}

/**
 * Counts deliveries, and distinguishes a node that refuses everything from one that strangers probe. Before the first
 * accepted delivery, every refusal shows the user what is wrong; later, only ten signed ones in a row do.
 */
export class DeliveryTally {
  #received = 0;
  #refused = 0;
  #everAccepted = false;
  #sinceAccepted = 0;
  #signedSinceAccepted = 0;
  #code: WebhookErrorCode | null = null;

  /** @param recovered handed over again after a crash: says nothing about the current keys */
  received(recovered: boolean): void {
    this.#received += 1;
    if (recovered) return;
    this.#everAccepted = true;
    this.#sinceAccepted = 0;
    this.#signedSinceAccepted = 0;
    this.#code = null;
  }

  refused(code: WebhookErrorCode): void {
    this.#refused += 1;
    this.#sinceAccepted += 1;
    // A passing scanner must not hide why the provider's own deliveries are refused.
    if (!NOISE.has(code) || this.#signedSinceAccepted === 0) this.#code = code;
    if (!NOISE.has(code)) this.#signedSinceAccepted += 1;
  }

  get counts(): { received: number; refused: number } {
    return { received: this.#received, refused: this.#refused };
  }

  get trouble(): Trouble | null {
    if (this.#code === null) return null;
    if (this.#everAccepted && this.#signedSinceAccepted < SUSPICIOUS_IN_A_ROW) return null;
    return { refused: this.#sinceAccepted, code: this.#code };
  }
}

/** Far more than anybody reads while they arrive. */
const MOST_RECENT = 100;
/** Characters of a type that are kept of one; the longest that a provider sends has some 60. */
const LONGEST_TYPE = 200;

/**
 * The last deliveries of all webhook nodes, and how many there were. Those that were refused are kept apart, so that a
 * stranger who sends many does not push out the others.
 */
export class RecentDeliveries {
  readonly totals = { accepted: 0, duplicates: 0, refused: 0 };
  readonly #now: () => number;
  readonly #passed: DeliveryRow[] = [];
  readonly #refused: DeliveryRow[] = [];
  /** When a webhook node was last sent something by the provider. */
  readonly #last = new Map<string, number>();
  #seq = 0;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Rises with each delivery. */
  get seq(): number {
    return this.#seq;
  }

  /** The flow got a delivery. */
  passed(node: string, { event }: WebhookMessage): void {
    const { event_type: type, verified, duplicate, recovered, replayed } = event;
    const again = recovered === true ? 'recovered' : replayed === true ? 'replayed' : null;
    if (again === null) {
      this.totals[duplicate ? 'duplicates' : 'accepted'] += 1;
      this.#last.set(node, this.#now());
    }
    const outcome = duplicate ? 'duplicate' : 'accepted';
    this.#add(this.#passed, { node, outcome, type, verified, again, code: null, reason: null });
  }

  /** A copy of an earlier delivery, which the flow does not get. */
  dropped(node: string, { event: { event_type: type, verified } }: WebhookMessage): void {
    this.totals.duplicates += 1;
    this.#last.set(node, this.#now());
    const outcome = 'duplicate';
    this.#add(this.#passed, { node, outcome, type, verified, again: null, code: null, reason: null });
  }

  refused(node: string, { code, message }: Pick<Rejection, 'code' | 'message'>): void {
    this.totals.refused += 1;
    const last = this.#refused.at(-1);
    if (last?.node === node && last.code === code) {
      this.#seq += 1;
      Object.assign(last, { seq: this.#seq, at: this.#now(), reason: message, count: last.count + 1 });
      return;
    }
    const nothing = { type: null, verified: null, again: null };
    this.#add(this.#refused, { node, outcome: 'refused', ...nothing, code, reason: message });
  }

  /** When a node last got a verified delivery, in milliseconds since 1970; null: not since this process began. */
  lastAt(node: string): number | null {
    return this.#last.get(node) ?? null;
  }

  /** The rows that came or changed after `seq`, the last one at the end. */
  since(seq: number): DeliveryRow[] {
    return [...this.#passed.slice(-MOST_RECENT), ...this.#refused.slice(-MOST_RECENT)]
      .filter((row) => row.seq > seq)
      .sort((a, b) => a.seq - b.seq);
  }

  #add(rows: DeliveryRow[], about: Omit<DeliveryRow, 'id' | 'seq' | 'at' | 'count'>): void {
    this.#seq += 1;
    const { node, outcome, verified, again, code, reason } = about;
    const type = about.type === null ? null : shortType(about.type);
    const [id, seq, at] = [this.#seq, this.#seq, this.#now()];
    // Property by property: every delivery comes here, and spreading takes several times as long.
    rows.push({ id, seq, at, count: 1, node, outcome, type, verified, again, code, reason });
    // Some at a time, because those that stay have to move.
    if (rows.length > 2 * MOST_RECENT) rows.splice(0, rows.length - MOST_RECENT);
  }
}

/** A type may be as long as a body. A part of a text keeps all of it in memory, so it is copied. */
function shortType(type: string): string {
  if (type.length <= LONGEST_TYPE) return type;
  return `${Buffer.from(type.slice(0, LONGEST_TYPE)).toString()}…`;
}
