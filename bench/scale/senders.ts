import { Agent, request } from 'node:http';
import { KEY, recordingEvent, signedDelivery, STRANGER_KEY } from '../runs/signed-deliveries';
import type { Answer } from './check';
import { linkOf, type PlannedRequest, type Route } from './plan';

/** As a provider does, but sooner. */
const RETRY_MS = 1000;
const TICK_MS = 10;
const TIMEOUT_MS = 30_000;

export interface SendersOptions {
  /** Of nginx, by route. */
  ports: Record<Route, number>;
  /** The origin of the recordings. */
  storage: string;
}

/** Sends deliveries as providers do: genuine ones until they are accepted. */
export class Senders {
  /** By the id of the recording. */
  readonly answers = new Map<string, Answer[]>();
  readonly #options: SendersOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  #open = 0;

  constructor(options: SendersOptions) {
    this.#options = options;
  }

  /** How many are under way. */
  get open(): number {
    return this.#open;
  }

  /**
   * Sends requests at a fixed rate, however long the receivers take. Resolves when the last one is on its way.
   *
   * @param rate requests a second
   */
  async send(requests: readonly PlannedRequest[], rate: number): Promise<void> {
    const begun = performance.now();
    for (let sent = 0; sent < requests.length;) {
      const due = Math.min(requests.length, ((performance.now() - begun) / 1000) * rate);
      for (; sent < due; sent += 1) this.sendOne(requests[sent]!);
      // The pace of the run itself.
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  }

  /** @param port default: that of nginx for the request's route */
  sendOne(planned: PlannedRequest, port = this.#options.ports[planned.route]): void {
    const { kind, recording } = planned;
    this.#open += 1;
    const text = recordingEvent(recording.id, linkOf(recording, this.#options.storage));
    const { body, headers } = signedDelivery(text, kind === 'forged' ? STRANGER_KEY : KEY);
    let isOpen = true;
    const end = (status: number): void => {
      if (!isOpen) return;
      isOpen = false;
      this.answers.set(recording.id, [...(this.answers.get(recording.id) ?? []), { kind, status }]);
      const isOver = status === 200 || kind === 'forged';
      if (isOver) this.#open -= 1;
      else
        setTimeout(() => {
          this.#open -= 1;
          // Through nginx: it may be a receiver that no longer is.
          this.sendOne(planned);
        }, RETRY_MS).unref();
    };
    const options = { port, path: '/telnyx', host: '127.0.0.1', method: 'POST', headers, agent: this.#agent };
    const sent = request(options, (response) => {
      response.resume();
      response.on('close', () => end(response.complete ? (response.statusCode ?? 0) : 0));
    });
    sent.setTimeout(TIMEOUT_MS, () => sent.destroy());
    sent.on('error', () => end(0));
    sent.end(body);
  }

  close(): void {
    this.#agent.destroy();
  }
}
