import type { IndexedFile } from '../../../src/archive/index/stored-index';
import { CodedError } from '../../../src/errors/coded-error';
import { CUSTODY_DIRECTORY } from '../../../src/evidence/custody/custody';
import { type HistoryPosition, historyOf } from '../../../src/evidence/custody/custody-history';
import { type CustodyLine, recordingName, sha256Hex } from '../../../src/evidence/custody/custody-line';
import { custodyFileNumber } from '../../../src/evidence/custody/custody-reader';
import type { Hold } from '../../../src/evidence/deletion/holds';
import path from 'node:path';
import { custodyOf } from '../../lib/custody';
import type { NodeRedApi } from '../../lib/node-red';
import { stateDirectory } from '../../lib/state';

const POSITION = /^([\w.-]{1,40}):(\d{1,15})$/;

/** Details of a line that the tab shows; the others are for auditors. */
const SHOWN = ['reason', 'kind', 'policy', 'code'] as const;

/** What the custody log tells of a recording, latest first; `next` says where the search was cut. */
export async function recordingLog(
  RED: NodeRedApi,
  { identity, recording }: IndexedFile,
  { before, cases, signal }: { before: unknown; cases: readonly Hold[]; signal: AbortSignal }
): Promise<object> {
  const from = readHistoryPosition(before);
  // What waits to be written happened already.
  await custodyOf(RED).settled();
  const directory = path.join(stateDirectory(RED), CUSTODY_DIRECTORY);
  const name = recordingName(recording.recording_id, identity);
  const { lines, next } = await historyOf(name, { directory, from, signal });
  const caseIds = new Map(cases.map(({ id }) => [sha256Hex(id), id]));
  return {
    lines: lines.map((line) => shownLine(line, caseIds)),
    next: next === null ? null : `${next.file}:${next.before}`
  };
}

/** @returns null at the end of the log. @throws CodedError `BAD_SETTING` */
function readHistoryPosition(value: unknown): HistoryPosition | null {
  if (value === undefined || value === null) return null;
  const [, file = '', before = ''] = (typeof value === 'string' ? POSITION.exec(value) : null) ?? [];
  if (custodyFileNumber(file) === null)
    throw new CodedError('BAD_SETTING', 'The search cannot be continued. Open the recording again.');
  return { file, before: Number(before) };
}

function shownLine({ seq, at, event, actor, details }: CustodyLine, caseIds: Map<string, string>): object {
  const facts = SHOWN.map((name) => details[name]).filter((value) => typeof value === 'string');
  const caseId = caseIds.get(String(details['case_sha256']));
  return { seq, at, event, actor, facts: caseId === undefined ? facts : [caseId, ...facts] };
}
