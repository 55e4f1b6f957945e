import type { StoredRecordings } from '../../src/archive/index/stored-index';
import { filenameValues, shownValues } from '../../src/naming/filename-template';
import { serveRead } from '../admin/admin-route';
import { deployedNode } from '../admin/dialog-route';
import { archiveState } from '../lib/archive-state';
import type { NodeRedApi } from '../lib/node-red';
import { LAST_STORED_PATH, type LastStored } from './last-stored-request';

/** Latest files that are looked at: samples are no real recordings. */
const MOST_LOOKED_AT = 50;

/** Tells the dialog of a deployed node of what its file names are made: numbers and ids of a call. */
export function serveLastStored(RED: NodeRedApi, type: string): void {
  serveRead<LastStored>(RED, {
    path: LAST_STORED_PATH,
    permission: 'telnyx.read',
    failed: 'The archive could not be read.',
    run: (asked) =>
      deployedNode(RED, type, asked.text('id')) === null
        ? { last: null }
        : lastStored(archiveState(RED).facts.recordings)
  });
}

function lastStored(recordings: StoredRecordings): LastStored {
  for (const { file } of recordings.entries.latestFirst({
    from: null,
    before: null,
    limit: MOST_LOOKED_AT
  })) {
    const recording = recordings.get(file)?.recording;
    if (recording === undefined || recording.sample === true) continue;
    const { format, stored_at } = recording;
    const facts = { ext: format, announced_at: stored_at, media_index: null };
    return { last: { stored_at, values: shownValues(filenameValues(recording, facts)) } };
  }
  return { last: null };
}
