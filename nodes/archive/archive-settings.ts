import { CodedError } from '../../src/errors/coded-error';
import type { HoldCase } from '../../src/evidence/deletion/holds';
import { readCase } from '../../src/library/actions/hold-recordings';
import {
  isNaming,
  isOpen,
  readRecordingQuery,
  type RecordingQuery
} from '../../src/library/actions/recording-query';
import { readRange } from '../../src/reconcile/read-moment';
import { folderOf } from '../download/download-settings';
import type { FlowMessage, NodeConfig, NodeRedApi, RedNode } from '../lib/node-red';
import { readChoice, readText } from '../lib/read-setting';
import { ACTIONS, type ArchiveAction } from './archive-fields';

/** The properties of a `telnyx-archive` node, as saved in a flow. */
export interface ArchiveConfig extends NodeConfig {
  action?: string;
  folder?: string;
  bucket?: string;
}

/** What one message asks for. */
export type ArchiveRequest = { query: RecordingQuery } & (
  | { action: 'find'; most: number }
  | { action: 'verify' | 'report' }
  | { action: 'hold' | 'release'; given: HoldCase }
  | { action: 'sweep' | 'erase'; isDryRun: boolean; most: number }
);

/** Files that one message finds or deletes, unless it says how many. */
const USUAL_LIMIT = 1000;
const LARGEST_LIMIT = 100_000;

/**
 * What a message asks for: its own `action` overrides the node's.
 *
 * @throws CodedError `BAD_SETTING` that says what to set
 */
export function readArchiveRequest(config: ArchiveConfig, message: FlowMessage, now: number): ArchiveRequest {
  const { action: asked } = message;
  const action =
    asked === undefined || asked === '' ? readChoice(config.action, 'Action', ACTIONS) : readAction(asked);
  const query = readRecordingQuery(message['query'], (from, to) => readRange(from, to, now));
  switch (action) {
    case 'find':
      return { action, query, most: readLimit(message['limit']) };
    case 'verify':
    case 'report':
      return { action, query };
    case 'hold':
      if (isOpen(query)) throw noQuery('A hold needs to know which recordings are meant.');
      return { action, query, given: readCase(message['case'], true) };
    case 'release':
      return { action, query, given: readCase(message['case'], false) };
    case 'erase':
      if (!isNaming(query))
        throw noQuery('An erasure needs to know whose recordings are meant: recording_id, number or call.');
      return { action, query, isDryRun: readDryRun(message['dryRun']), most: readLimit(message['limit']) };
    case 'sweep':
      return { action, query, isDryRun: readDryRun(message['dryRun']), most: readLimit(message['limit']) };
  }
}

/** The folder that a node is about, absolute; null: it has not chosen one. @throws CodedError `BAD_SETTING` */
export function readFolder(RED: NodeRedApi, node: RedNode, { folder }: ArchiveConfig): string | null {
  return readText(folder) === '' ? null : folderOf(RED, node, folder);
}

function readAction(asked: unknown): ArchiveAction {
  const action = ACTIONS.find((each) => each === asked);
  if (action !== undefined) return action;
  throw new CodedError('BAD_SETTING', `msg.action must be one of ${ACTIONS.join(', ')}.`);
}

/** Only the value `false` itself deletes: a text or a number may be a slip. */
function readDryRun(value: unknown): boolean {
  if (value === undefined || value === true) return true;
  if (value === false) return false;
  throw new CodedError('BAD_SETTING', 'msg.dryRun must be true or false. Only false deletes anything.');
}

function readLimit(value: unknown): number {
  if (value === undefined) return USUAL_LIMIT;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LARGEST_LIMIT)
    return value;
  throw new CodedError('BAD_SETTING', `msg.limit must be a whole number from 1 to ${LARGEST_LIMIT}.`);
}

function noQuery(what: string): CodedError {
  return new CodedError('BAD_SETTING', `${what} Set msg.query, for example {number: '+15550100'}.`);
}
