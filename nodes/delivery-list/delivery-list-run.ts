import type { WebhookMessage } from '../../src/events/build-event';
import type { Provider } from '../../src/events/provider';
import { openDeliveries } from '../../src/providers/telnyx/deliveries/list-deliveries';
import { telnyxProvider } from '../../src/providers/telnyx/telnyx-provider';
import { withoutAccount } from '../../src/providers/provider';
import {
  newDeliverySummary,
  summarised,
  type DeliveryRun
} from '../../src/reconcile/deliveries/delivery-summary';
import { EmittedDeliveries } from '../../src/reconcile/deliveries/emitted-deliveries';
import { findMissed } from '../../src/reconcile/deliveries/missed-deliveries';
import { ownAddresses } from '../../src/reconcile/deliveries/own-addresses';
import { Reception, type ReceptionParts } from '../../src/reconcile/deliveries/reception';
import { missingFromLog, replayDeliveries } from '../../src/reconcile/deliveries/replay-deliveries';
import { noteError } from '../../src/reconcile/reconcile';
import type { StateDatabase } from '../../src/state/state-database';
import { REMEMBERED_MS } from '../../src/webhook/journal/delivery-identities';
import type { SharedQueue } from '../config/queue/shared-queue';
import { apiBreakers } from '../config/provider-accounts';
import type { TelnyxAccount } from '../config/telnyx-account-access';
import { apiDates } from '../lib/custody';
import type { NodeRedApi } from '../lib/node-red';
import { stateDatabase } from '../lib/state';
import type { ListRun } from '../list/list-node';
import { receiverIds, runningReceivers } from '../webhook/webhook-receivers';
import { deliveryIdentities, deliveryJournal, loggedDeliveries } from '../webhook/webhook-runtime';
import type { DeliveryRequest, DeliverySettings } from './delivery-list-settings';
import { pacedBy } from './paced-by';

const WEBHOOK_TYPE = 'telnyx-webhook-in';
const LOOK_AGAIN_MS = 1000;

type FromTelnyx = Extract<DeliverySettings, { source: 'telnyx' }>;

/**
 * Hands over what Telnyx tried to deliver but this Node-RED has not accepted.
 *
 * @param account null when none is chosen
 * @throws CodedError `BAD_SETTING` when there is no account; `signal.reason` when aborted
 */
export async function runMissed(
  RED: NodeRedApi,
  { range, isWanted }: DeliveryRequest,
  {
    only,
    outcome,
    sentTo,
    account,
    reception
  }: FromTelnyx & { account: TelnyxAccount | null; reception: Reception },
  { status, signal }: ListRun
): Promise<DeliveryRun> {
  if (account === null) throw withoutAccount(telnyxProvider);
  const begun = Date.now();
  const to = range.to ?? begun;
  const summary = newDeliverySummary(range.from, to, begun);
  const turn = pacedBy(RED, (reason) => status.waiting(reason), signal);
  await stateDatabase(RED).written();
  const deliveries = openDeliveries(account, { breakers: apiBreakers, onDate: apiDates(RED) });
  const onWait = (reason: unknown): void => status.waiting(reason === null ? null : 'api');
  const paths = runningReceivers(RED, WEBHOOK_TYPE).map(({ path }) => path);
  try {
    return await summarised(
      summary,
      () =>
        findMissed(
          deliveries.list({ outcome, from: range.from, to, onWait }, signal),
          {
            only,
            outcome,
            isWanted,
            isOurs: ownAddresses(sentTo, paths),
            reception,
            turn,
            onProgress: () => status.progress(summary, 'list'),
            signal
          },
          summary
        ),
      Date.now,
      signal
    );
  } finally {
    await deliveries.close();
  }
}

/**
 * Hands accepted deliveries over once more.
 *
 * @throws `signal.reason` when aborted
 */
export async function runReplay(
  RED: NodeRedApi,
  { range, isWanted }: DeliveryRequest,
  { provider, emit }: { provider: Provider | null; emit: (message: WebhookMessage) => void },
  { status, signal }: ListRun
): Promise<DeliveryRun> {
  const begun = Date.now();
  const to = range.to ?? begun;
  const summary = newDeliverySummary(range.from, to, begun);
  const turn = pacedBy(RED, (reason) => status.waiting(reason), signal);
  return summarised(
    summary,
    () =>
      replayDeliveries(
        loggedDeliveries(RED, { from: range.from ?? -Infinity, to }, () =>
          noteError(summary, missingFromLog())
        ),
        { provider, isWanted, emit, turn, onProgress: () => status.progress(summary, 'list'), signal },
        summary
      ),
    Date.now,
    signal
  );
}

/** @param scope id of the node */
export function receptionOf(
  RED: NodeRedApi,
  scope: string,
  { emit, signal, queue }: Pick<ReceptionParts, 'emit' | 'signal'> & { queue: SharedQueue | null }
): Reception {
  return new Reception({
    scope,
    journal: deliveryJournal(RED),
    identities: deliveryIdentities(RED, queue),
    emitted: emittedDeliveries(stateDatabase(RED)),
    receivers: () => runningReceivers(RED, WEBHOOK_TYPE).map(({ receiver }) => receiver),
    scopes: receiverScopes(RED),
    rememberedMs: REMEMBERED_MS,
    emit,
    now: Date.now,
    signal
  });
}

/** Looked up at most once a second, because it goes through all nodes of all flows. */
function receiverScopes(RED: NodeRedApi): () => readonly string[] {
  let ids: readonly string[] = [];
  let until = -Infinity;
  return () => {
    if (performance.now() >= until) {
      ids = receiverIds(RED, WEBHOOK_TYPE);
      until = performance.now() + LOOK_AGAIN_MS;
    }
    return ids;
  };
}

/** Milliseconds between two sweeps of old entries. */
const SWEEP_INTERVAL_MS = 60 * 60 * 1000;

const known = new WeakMap<StateDatabase, EmittedDeliveries>();

function emittedDeliveries(database: StateDatabase): EmittedDeliveries {
  const found = known.get(database);
  if (found !== undefined) return found;
  const emitted = new EmittedDeliveries(database);
  known.set(database, emitted);
  // Old entries only take up space; what cannot be removed now is tried again in an hour.
  const sweep = (): void => void emitted.sweep().catch(() => undefined);
  setInterval(sweep, SWEEP_INTERVAL_MS).unref();
  return emitted;
}
