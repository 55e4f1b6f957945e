import type { DeliveryRow, Quarter } from '../../src/activity/activity';

// What the tab "Now" and the runtime tell each other.

/** Below the admin root. */
export const NOW_PATH = '/telnyx-sidebar/now';
export const GIVEN_UP_PATH = '/telnyx-sidebar/given-up';
export const RETRY_PATH = '/telnyx-sidebar/given-up/retry';
export const DISCARD_PATH = '/telnyx-sidebar/given-up/discard';

/** What `RED.comms` carries while somebody looks. */
export const NOW_TOPIC = 'telnyx-sidebar/now';

/** Milliseconds within which the editor has to ask again for the runtime to go on publishing. */
export const WATCHED_MS = 30_000;

/** Rows of each list in one answer. */
export const MOST_ROWS = 50;

/** A file on its way. */
export interface FileRow {
  key: number;
  node: string;
  /** Null when the source does not say. */
  recordingId: string | null;
  eventType: string | null;
  format: string | null;
  isActive: boolean;
  /** Bytes. */
  received: number;
  total: number | null;
}

/** A job that waits for its time. */
export interface PausingRow {
  id: string;
  node: string;
  recordingId: string | null;
  eventType: string | null;
  /** Further recordings of the same message. */
  others: number;
  dueInMs: number;
  /** Why: key below `status.trouble` of the download node; null when it only waits for something to come. */
  trouble: string | null;
  attempt: number;
  of: number;
  /** What is left to do once the flow has its files. */
  followUp: 'deletion' | 'details' | 'side-files' | null;
}

/** A recording that was given up. */
export interface GivenUpRow {
  id: string;
  node: string;
  at: number;
  recordingId: string | null;
  eventType: string | null;
  startedAt: string | null;
  code: string;
  message: string;
  attempts: number;
  /** Whether its download node runs, so that it can be tried again. */
  canRetry: boolean;
}

export interface GivenUpPage {
  total: number;
  rows: GivenUpRow[];
}

/** How a recording of the list is named when it is retried or discarded. */
export function nameOf({ node, id }: Pick<GivenUpRow, 'node' | 'id'>): string {
  return `${node} ${id}`;
}

export interface GivenUpReply {
  done: number;
  /** The first reason why one was left; else null. */
  error: string | null;
  /** Of that reason. */
  code?: string;
}

export interface WebhookRow {
  node: string;
  /** When it last got a verified delivery; null: not since Node-RED began. */
  lastAt: number | null;
  received: number;
  refused: number;
  problem: string | null;
  trouble: { code: string; refused: number } | null;
  health: { problem: 'webhook-failed' | 'deliveries-failed'; failed: number | null } | null;
  isWatched: boolean;
}

export interface ListRow {
  node: string;
  begun: number;
  ended: number | null;
  summary: { listed: number; emitted: number; complete: boolean } | null;
  code: string | null;
}

/** Everything that "Now" shows. */
export interface NowSnapshot {
  /** The runtime's clock, milliseconds since 1970. */
  at: number;
  /** Up to which delivery this is. */
  seq: number;
  deliveries: DeliveryRow[];
  files: FileRow[];
  pausing: PausingRow[];
  /** Files and jobs that wait for their turn, with those of `files` and `pausing`. */
  waiting: number;
  givenUp: GivenUpPage;
  webhooks: WebhookRow[];
  lists: ListRow[];
  /** Of the last day. */
  quarters: Quarter[];
  /** Ids that the editor does not know, of nodes in subflows, and the ids that it knows in their place. */
  shownAs: Record<string, string>;
}

/** What changes all the time: ids, numbers, types and codes, because every editor gets it. */
export interface NowFrame {
  seq: number;
  /** At most `MOST_ROWS`; their reasons are null. */
  deliveries: DeliveryRow[];
  /** Key, bytes received, bytes in all or -1, 1 if active. */
  files: [number, number, number, 0 | 1][];
  /** When it differs, something else changed, too: ask for everything. */
  stamp: string;
}
