import { type StoredRecordings, storedCopies } from '../archive/index/stored-index';
import type { CodedError } from '../errors/coded-error';
import type { ListedBatch } from '../providers/provider';
import { identityOfId } from '../recording/recording-reference';
import type { RecordingOrigin } from '../recording/origin';
import type { RecordingReference } from '../recording/recording-reference';
import { type Fields, asText } from '../values/fields';

/** A listed recording to fetch. */
export interface WantedRecording {
  provider: string;
  recording_id: string;
  /** Whether this instance has stored it. */
  isStored: boolean;
  /** As the provider lists it. */
  item: Fields;
}

export interface ListCounts {
  listed: number;
  stored: number;
  missing: number;
  /** Still being recorded or processed; a later run finds them. */
  not_ready: number;
  /** Canceled or failed recordings, which have no file. */
  without_file: number;
}

interface ComparisonParts {
  /** Whose list it is. */
  origin: RecordingOrigin;
  recordings: Pick<StoredRecordings, 'find'>;
  only: 'missing' | 'all';
  /** Sends a recording to the flow; resolves when the next one may follow. */
  emit: (wanted: WantedRecording) => Promise<void>;
  /** Called after each batch; updated in place. */
  onBatch: (counts: ListCounts, batch: ListedBatch) => void;
  onGap: (gap: CodedError) => void;
}

const NOT_READY = new Set(['in-progress', 'processing', 'paused', 'pending']);
const WITHOUT_FILE = new Set(['canceled', 'failed', 'deleted', 'absent']);

/**
 * Compares what a provider lists with what is stored, and emits what is wanted.
 *
 * @param counts updated in place, even when the list fails
 * @throws as the list and `emit` do
 */
export async function compareList(
  list: AsyncIterable<ListedBatch>,
  { origin, recordings, only, emit, onBatch, onGap }: ComparisonParts,
  counts: ListCounts
): Promise<void> {
  for await (const batch of list) {
    if (batch.gap !== null) onGap(batch.gap);
    for (const item of batch.items) {
      const wanted = judge(item, origin, recordings, counts);
      if (wanted !== null && (only === 'all' || !wanted.isStored)) await emit(wanted);
    }
    onBatch(counts, batch);
  }
}

function judge(
  item: Fields,
  origin: RecordingOrigin,
  recordings: Pick<StoredRecordings, 'find'>,
  counts: ListCounts
): WantedRecording | null {
  counts.listed += 1;
  const status = asText(item['status'])?.toLowerCase() ?? '';
  const recording_id = asText(item['id']);
  const references = origin.fromListed(item);
  const stored = references.length > 0 && isStored(recordings, references);
  if (stored) counts.stored += 1;
  else if (NOT_READY.has(status)) counts.not_ready += 1;
  else if (WITHOUT_FILE.has(status) || references.length === 0 || recording_id === null)
    counts.without_file += 1;
  else counts.missing += 1;
  const isWanted = stored || !(NOT_READY.has(status) || WITHOUT_FILE.has(status));
  if (recording_id === null || references.length === 0 || !isWanted) return null;
  return { provider: origin.name, recording_id, isStored: stored, item };
}

/**
 * Whether all files of a listed recording are stored, in any destination.
 *
 * @param references of the listed item; none: there is nothing that could be stored
 */
function isStored(
  recordings: Pick<StoredRecordings, 'find'>,
  references: readonly RecordingReference[]
): boolean {
  return references.every((reference) => {
    if (storedCopies(recordings, reference).length > 0) return true;
    // Sidecars of older versions know only the last part of a track's key.
    const { provider, recording_id, track } = reference.details;
    if (recording_id === null || track === null) return false;
    return recordings.find(identityOfId(provider, recording_id, track)).length > 0;
  });
}

export function noCounts(): ListCounts {
  return { listed: 0, stored: 0, missing: 0, not_ready: 0, without_file: 0 };
}
