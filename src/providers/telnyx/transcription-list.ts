import { transcriptsListedByTelnyx } from '../../recording/extract/from-listed-transcript';
import type { TelnyxListing } from './list-page';

/** "List all recording transcriptions". */
export const TRANSCRIPTIONS: TelnyxListing = {
  path: 'recording_transcriptions',
  things: 'transcriptions',
  time: 'created_at',
  dated: 'created',
  // Each holds its text, and an hour of speech has about 60 kB.
  pageSize: 50,
  maxBody: 32 * 1024 * 1024,
  largestWindow: 400,
  // One that names no recording is reported like one without an id: it cannot be filed beside anything.
  idOf: (item) => transcriptsListedByTelnyx.idOf(item)
};
