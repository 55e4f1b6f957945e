import type { StateDatabase } from '../../state/state-database';

export interface LogJournalOptions {
  database: StateDatabase;
  /** Of the logs; created with the first delivery. */
  directory: string;
  /** See `OwnedState.guard`. */
  guard: (when: 'before' | 'after') => void;
  /** Receives what the owner of the machine should know, in whole sentences. */
  log: (text: string) => void;
  /** How many days deliveries are kept, by the id of their node. It may change. */
  days: ReadonlyMap<string, number>;
  /** Bytes that all logs together may take. */
  mostBytes: number;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number;
}
