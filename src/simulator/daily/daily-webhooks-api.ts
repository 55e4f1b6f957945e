import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { deliver } from '../deliver';
import { readJson } from '../read-json';
import { sendJson } from '../send-json';
import type { Clock } from '../signed-links';
import { DAILY_HABITS, DailySecret } from './daily-secret';

export interface DailyStandInWebhook {
  uuid: string;
  url: string;
  hmac: string;
  eventTypes: unknown;
  retryType: unknown;
  state: string;
  failedCount: number;
  lastMomentPushed: string | null;
}

/** What Daily posts to a URL before it accepts it. */
const PROBE = '{"test":"test"}';

/** The webhooks of the domain, and the part of Daily's REST API about them (docs: "Webhooks"). */
export class DailyWebhooksApi {
  readonly #clock: Clock;
  readonly webhooks: DailyStandInWebhook[] = [];
  /** Method and path of each request. */
  readonly requests: string[] = [];
  /** A status in place of an answer, or a connection that is closed once the request is carried out. */
  faultOf: ((method: string, path: string) => number | 'cut' | undefined) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Registers a URL without a test. */
  add(url: string, properties: Partial<DailyStandInWebhook> = {}): DailyStandInWebhook {
    const webhook = {
      uuid: randomUUID(),
      url,
      hmac: new DailySecret().hmac,
      eventTypes: ['recording.ready-to-download'],
      retryType: 'circuit-breaker',
      state: 'ACTIVE',
      failedCount: 0,
      lastMomentPushed: null,
      ...properties
    };
    this.webhooks.push(webhook);
    return webhook;
  }

  /** Answers a request with a good key; `url` is its address. */
  async handle(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const method = request.method ?? '';
    this.requests.push(`${method} ${url.pathname}`);
    const fault = this.faultOf?.(method, url.pathname);
    if (typeof fault === 'number') {
      sendJson(response, fault, { error: 'made-up-error' });
      return;
    }
    const [, uuid] = /^\/v1\/webhooks(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const webhook = this.webhooks.find((candidate) => candidate.uuid === uuid);
    if (uuid !== undefined && webhook === undefined) sendJson(response, 404, { error: 'not-found' });
    else if (method === 'GET') sendJson(response, 200, webhook ?? this.webhooks);
    else if (method === 'POST') await this.#change(webhook, { request, response, fault });
    else if (method === 'DELETE' && webhook !== undefined) {
      this.webhooks.splice(this.webhooks.indexOf(webhook), 1);
      sendJson(response, 200, webhook);
    } else sendJson(response, 404, { error: 'not-found' });
  }

  /** Without a body to change, a webhook is created. */
  async #change(
    known: DailyStandInWebhook | undefined,
    {
      request,
      response,
      fault
    }: { request: IncomingMessage; response: ServerResponse; fault: 'cut' | undefined }
  ): Promise<void> {
    const body = await readJson(request);
    const url = body?.['url'] ?? known?.url;
    const eventTypes = body?.['eventTypes'] ?? known?.eventTypes;
    const hmac = body?.['hmac'] ?? known?.hmac ?? new DailySecret().hmac;
    if (typeof url !== 'string' || typeof hmac !== 'string' || !Array.isArray(eventTypes)) {
      sendJson(response, 400, { error: 'invalid-request-error', info: 'url and eventTypes are required' });
      return;
    }
    if (!(await this.#answers(url, hmac))) {
      sendJson(response, 400, {
        error: 'invalid-request-error',
        info: 'non-200 status code returned from webhook'
      });
      return;
    }
    const retryType = body?.['retryType'] ?? known?.retryType ?? 'circuit-breaker';
    const properties = {
      hmac,
      eventTypes: eventTypes as unknown[],
      retryType,
      state: 'ACTIVE',
      failedCount: 0
    };
    const webhook =
      known === undefined ? this.add(url, properties) : Object.assign(known, { url, ...properties });
    if (fault === 'cut') response.destroy();
    else sendJson(response, 200, webhook);
  }

  async #answers(to: string, hmac: string): Promise<boolean> {
    if (!URL.canParse(to)) return false;
    const key = new DailySecret(Buffer.from(hmac, 'base64'));
    const { accepted } = await deliver(
      { contentType: 'application/json', body: () => Buffer.from(PROBE) },
      { to, key, habits: DAILY_HABITS, clock: this.#clock, retryDelaysMs: [] }
    );
    return accepted;
  }
}
