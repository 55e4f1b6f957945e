import { setImmediate as turn } from 'node:timers/promises';
import { CodedError } from '../../../src/errors/coded-error';
import { newDeliverySummary, summarised } from '../../../src/reconcile/deliveries/delivery-summary';
import { type ReplayParts, replayDeliveries } from '../../../src/reconcile/deliveries/replay-deliveries';
import {
  type DeliveryPlace,
  idOfPlace,
  readPlace
} from '../../../src/reconcile/deliveries/search/delivery-place';
import { shownText } from '../../../src/text/shown-text';
import type { LoggedDelivery } from '../../../src/webhook/log/record';
import { pacedBy } from '../../delivery-list/paced-by';
import type { NodeRedApi } from '../../lib/node-red';
import { receiverOf } from '../../webhook/webhook-receivers';
import { deliveryLogs } from '../../webhook/webhook-runtime';
import type { ReplayStatus } from './deliveries-request';

/** Deliveries, and bytes of them, that are read at once and are in memory together. One may be longer than that. */
const BATCH = 64;
const BATCH_BYTES = 1024 * 1024;
/** Nodes that the log line names. */
const MOST_NAMED = 5;

interface Chosen extends DeliveryPlace {
  receivedAt: number;
  node: string;
}

const NOTHING: ReplayStatus = {
  isRunning: false,
  total: 0,
  sent: 0,
  withoutNode: 0,
  missing: 0,
  isWaiting: false,
  ended: null,
  error: null,
  user: null
};

/** Why a run was stopped. */
class Stopped extends Error {
  constructor(readonly by: 'stopped' | 'deploy') {
    super(by);
  }
}

/**
 * Sends chosen deliveries to the flow once more, out of the webhook nodes that received them, as a delivery list does: in
 * the order in which they occurred, no faster than the download nodes take them. One run at a time.
 */
export class ReplayRun {
  readonly #RED: NodeRedApi;
  #status: ReplayStatus = NOTHING;
  #stopping: AbortController | null = null;

  constructor(RED: NodeRedApi) {
    this.#RED = RED;
    RED.events.on('flows:stopping', () => this.stop('deploy'));
  }

  get status(): ReplayStatus {
    return this.#status;
  }

  /**
   * Begins a run, which goes on by itself.
   *
   * @param ids of deliveries; untrusted
   * @param user null when nobody has to log in
   * @throws CodedError `ALREADY_RUNNING`; `BAD_SETTING` when nothing is chosen
   */
  start(ids: readonly string[], user: string | null): ReplayStatus {
    if (this.#stopping !== null)
      throw new CodedError(
        'ALREADY_RUNNING',
        'A replay is running already, so this one was not started. Wait until it has ended, or stop it.'
      );
    // By what they name: zeros in front make many ids of one delivery.
    const places = new Map(ids.map(placeWithId));
    if (places.size === 0) throw new CodedError('BAD_SETTING', 'Choose the deliveries to replay first.');
    const stopping = new AbortController();
    this.#stopping = stopping;
    this.#status = { ...NOTHING, isRunning: true, total: places.size, user };
    void this.#run(
      [...places.values()].filter((place) => place !== null),
      stopping.signal
    );
    return this.#status;
  }

  /** Ends the run, if there is one. */
  stop(by: 'stopped' | 'deploy'): void {
    this.#stopping?.abort(new Stopped(by));
  }

  /** Never rejects. */
  async #run(places: readonly DeliveryPlace[], signal: AbortSignal): Promise<void> {
    let ended: ReplayStatus['ended'] = 'all';
    let error: string | null = null;
    try {
      const chosen = await this.#choose(places, signal);
      if (chosen.length > 0) {
        this.#note(chosen);
        error = await this.#send(chosen, signal);
        if (error !== null) ended = 'failed';
      }
    } catch (fault) {
      ended = fault instanceof Stopped ? fault.by : 'failed';
      if (ended === 'failed')
        error = fault instanceof CodedError ? fault.message : 'The delivery log could not be read.';
    }
    this.#stopping = null;
    this.#change({ isRunning: false, isWaiting: false, ended, error });
  }

  /** Those that are still in the log and whose node runs, in order of arrival. */
  async #choose(places: readonly DeliveryPlace[], signal: AbortSignal): Promise<Chosen[]> {
    const chosen: Chosen[] = [];
    for (const batch of inBatches(places)) {
      await turn();
      signal.throwIfAborted();
      for (const place of batch) {
        const delivery = this.#read(place);
        if (delivery === null) continue;
        const { receivedAt, scope } = delivery;
        if (receiverOf(this.#RED, scope) !== null) chosen.push({ ...place, receivedAt, node: scope });
        else this.#change({ withoutNode: this.#status.withoutNode + 1 });
      }
    }
    this.#change({
      missing: this.#status.total - chosen.length - this.#status.withoutNode
    });
    return chosen.sort((a, b) => a.receivedAt - b.receivedAt || a.place.sequence - b.place.sequence);
  }

  /** @returns what went wrong; else null */
  async #send(chosen: readonly Chosen[], signal: AbortSignal): Promise<string | null> {
    const summary = newDeliverySummary(null, Date.now(), Date.now());
    const parts: ReplayParts<LoggedDelivery> = {
      provider: null,
      isWanted: () => true,
      emit: (message, { scope, rawBody }) => {
        receiverOf(this.#RED, scope)?.replay(message, rawBody);
        this.#change({ sent: this.#status.sent + 1 });
      },
      turn: pacedBy(this.#RED, (reason) => this.#change({ isWaiting: reason !== null }), signal),
      onProgress: () => undefined,
      signal
    };
    const { failure } = await summarised(
      summary,
      () => replayDeliveries(this.#batches(chosen), parts, summary),
      Date.now,
      signal
    );
    this.#change({ missing: this.#status.missing + (chosen.length - summary.known) });
    return failure?.message ?? null;
  }

  async *#batches(chosen: readonly Chosen[]): AsyncGenerator<LoggedDelivery[]> {
    for (const batch of inBatches(chosen)) {
      await turn();
      yield batch.map((place) => this.#read(place)).filter((delivery) => delivery !== null);
    }
  }

  #read({ days, place }: DeliveryPlace): LoggedDelivery | null {
    return deliveryLogs(this.#RED)?.logs.get(days)?.at(place) ?? null;
  }

  /** Who replays what. */
  #note(chosen: readonly Chosen[]): void {
    const { user } = this.#status;
    const who = user === null ? 'A user of the editor' : `The user ${shownText(user)}`;
    const what = chosen.length === 1 ? '1 delivery' : `${chosen.length} deliveries`;
    const nodes = [...new Set(chosen.map(({ node }) => node))];
    const named = nodes.slice(0, MOST_NAMED).join(', ') + (nodes.length > MOST_NAMED ? ', …' : '');
    const [first, last] = [chosen[0], chosen.at(-1)].map((each) =>
      new Date(each?.receivedAt ?? 0).toISOString()
    );
    this.#RED.log.info(
      `${who} replays ${what}, received from ${first} to ${last}, through the webhook nodes ${named}.`
    );
  }

  #change(what: Partial<ReplayStatus>): void {
    this.#status = { ...this.#status, ...what };
  }
}

function placeWithId(id: string): [id: string, place: DeliveryPlace | null] {
  const place = readPlace(id);
  return [place === null ? id : idOfPlace(place), place];
}

/** In groups that are small enough to be read at once. */
function* inBatches<Place extends DeliveryPlace>(places: readonly Place[]): Generator<Place[]> {
  let batch: Place[] = [];
  let bytes = 0;
  for (const one of places) {
    const { length } = one.place;
    if (batch.length === BATCH || (batch.length > 0 && bytes + length > BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(one);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
}
