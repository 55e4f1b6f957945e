import type { VerifiedBy } from '../../../src/events/event';
import type { DeliveryState, ShownDelivery } from '../../../src/reconcile/deliveries/search/shown-delivery';

// What the tab "Deliveries" and the runtime tell each other. All routes are below the admin root.

export const DELIVERIES_PATH = '/telnyx-sidebar/deliveries';
/** Finds deliveries: `DeliveriesReply`. */
export const SEARCH_PATH = `${DELIVERIES_PATH}/search`;
/** Shows one: `DetailsReply`. */
export const DETAILS_PATH = `${DELIVERIES_PATH}/details`;
/** How the last replay is going: `ReplayStatus`. */
export const REPLAY_PATH = `${DELIVERIES_PATH}/replay`;
export const START_PATH = `${REPLAY_PATH}/start`;
export const STOP_PATH = `${REPLAY_PATH}/stop`;

/** Deliveries that one replay sends at most. */
export const MOST_REPLAYED = 10_000;

/** What the list shows of a delivery. Texts come from senders: they are shown as they are. */
export interface DeliveryRow {
  id: string;
  /** When it was received, milliseconds since 1970. */
  at: number;
  provider: string;
  type: string;
  eventId: string;
  /** Id of the webhook node. */
  node: string;
  /** Of that node; null when it does not run: then nothing can be replayed through it. */
  path: string | null;
  verified: VerifiedBy;
  state: DeliveryState;
  from: string | null;
  to: string | null;
}

export interface DeliveriesReply {
  rows: DeliveryRow[];
  /** Where the list continues; null at its end. */
  next: string | null;
  /** What comes later is after this. */
  end: string;
  /** Deliveries that were looked at. */
  looked: number;
  /** Whether some could not be read. */
  isIncomplete: boolean;
  /** Whether the log is another one than before, so that the list has to be loaded again. */
  isOther: boolean;
  /** Those of the rows that waited, as asked for, which do no longer. */
  handedOver: string[];
  /** All webhook nodes, and those that keep nothing once it is handed over. */
  nodes: number;
  notKept: number;
  providers: readonly string[];
  /** Ids that the editor does not know, of nodes in subflows, and the ids that it knows in their place. */
  shownAs: Record<string, string>;
  replay: ReplayStatus;
}

export interface DetailsReply extends ShownDelivery {
  row: DeliveryRow;
}

export interface ReplayStatus {
  isRunning: boolean;
  /** Deliveries that were asked for. */
  total: number;
  /** Sent so far. */
  sent: number;
  /** Left out, because their node does not run, or because they are no longer in the log or cannot be read. */
  withoutNode: number;
  missing: number;
  /** Whether it waits for the download nodes. */
  isWaiting: boolean;
  /** How it ended; null while it runs, and before the first one. */
  ended: 'all' | 'stopped' | 'deploy' | 'failed' | null;
  /** Why it failed, as a text. */
  error: string | null;
  /** Who began it; null when nobody has to log in. */
  user: string | null;
}
