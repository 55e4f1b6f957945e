import { createHash } from 'node:crypto';
import type { FormatChoice } from '../recording/choose-format';
import type { RecordingReference } from '../recording/recording-reference';

/**
 * The order to store one recording. Plain JSON on purpose: what is needed to go on after a restart
 * is in it, and nothing else.
 */
export interface ArchiveJob {
  reference: RecordingReference;
  format: FormatChoice;
}

/**
 * Names the partial copy of one file. The same recording wanted by the same node gives the same id, so
 * that a later attempt finds what an earlier one left; another node with the same folder gives another.
 *
 * @param scope id of the node
 * @returns safe characters only
 */
export function partialCopyId(scope: string, identity: string, format: string | null): string {
  return `${partialCopyPrefix(scope)}${digest(`${identity}\n${format ?? ''}`)}`;
}

/** How the ids of all partial copies of one node begin. */
export function partialCopyPrefix(scope: string): string {
  return `${digest(scope).slice(0, 12)}_`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
