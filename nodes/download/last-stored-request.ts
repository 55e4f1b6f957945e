import type { FilenameToken } from '../../src/naming/filename-syntax';

/** Below the admin root: where the dialog asks what its file name would make of the last recording. */
export const LAST_STORED_PATH = '/telnyx-recording-download/last-stored';

export interface LastStored {
  /** Null: no real recording has been stored. */
  last: {
    /** ISO 8601 UTC. */
    stored_at: string;
    /** What the tokens stand for, as they are in a file name. */
    values: Readonly<Record<FilenameToken, string>>;
  } | null;
}
