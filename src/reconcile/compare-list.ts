import type { ArchiveFacts } from '../archive/archive-facts';
import { namesOf, storedCopies } from '../archive/index/stored-index';
import { isTextFiled } from '../archive/transcripts/filed-text';
import type { CodedError } from '../errors/coded-error';
import type { Tombstones } from '../evidence/deletion/tombstones';
import type { ListedBatch } from '../providers/provider';
import { announcesText } from '../recording/find-recordings';
import { identityOfId } from '../recording/recording-reference';
import type { ListedState, ListedTranscripts, RecordingOrigin } from '../recording/origin';
import type { RecordingReference } from '../recording/recording-reference';
import { type Fields, asText, keyDigest } from '../values/fields';

/** A listed recording or transcript to fetch. */
export interface WantedRecording {
  provider: string;
  /** Null for a transcript that does not name its recording. */
  recording_id: string | null;
  /** Null or left out for a recording. */
  transcript_id?: string | null;
  /** Whether this instance has stored it. */
  isStored: boolean;
  /** As the provider lists it. */
  item: Fields;
}

export interface ListCounts {
  listed: number;
  /** Also those that were stored and deleted. */
  stored: number;
  /** Those of them that were deleted here since, because their time was over or somebody asked for it. */
  deleted: number;
  missing: number;
  /** Still being recorded or processed; a later run finds them. */
  not_ready: number;
  /** Canceled or failed, without a file or text. */
  without_file: number;
}

interface ComparisonParts {
  /** Whose list it is. */
  origin: RecordingOrigin;
  /** Default: recordings. */
  what?: ListedKind;
  facts: Pick<ArchiveFacts, 'find'>;
  tombstones: Pick<Tombstones, 'has'>;
  only: 'missing' | 'all';
  /** Sends a recording to the flow; resolves when the next one may follow. */
  emit: (wanted: WantedRecording) => Promise<void>;
  /** Called after each batch; updated in place. */
  onBatch: (counts: ListCounts, batch: ListedBatch) => void;
  onGap: (gap: CodedError) => void;
}

/** What is listed. */
export type ListedKind = 'recordings' | 'transcripts';

/** How to read the items of one list. */
interface ListedItems extends ListedTranscripts {
  provider: string;
  isTranscript: boolean;
}

const NOT_READY = new Set(['in-progress', 'processing', 'paused', 'pending']);
const WITHOUT_FILE = new Set(['canceled', 'failed', 'deleted', 'absent']);

/**
 * Compares what a provider lists with what is stored, and emits what is wanted. What was deleted here is never emitted: the
 * provider may list it for years.
 *
 * @param counts updated in place, even when the list fails
 * @throws as the list and `emit` do
 */
export async function compareList(
  list: AsyncIterable<ListedBatch>,
  { origin, what = 'recordings', facts, tombstones, only, emit, onBatch, onGap }: ComparisonParts,
  counts: ListCounts
): Promise<void> {
  const items = what === 'recordings' ? recordingItems(origin) : transcriptItems(origin);
  for await (const batch of list) {
    if (batch.gap !== null) onGap(batch.gap);
    for (const item of batch.items) {
      const wanted = await judge(item, items, { facts, tombstones }, counts);
      if (wanted !== null && (only === 'all' || !wanted.isStored)) await emit(wanted);
    }
    onBatch(counts, batch);
  }
}

async function judge(
  item: Fields,
  items: ListedItems,
  known: Pick<ComparisonParts, 'facts' | 'tombstones'>,
  counts: ListCounts
): Promise<WantedRecording | null> {
  counts.listed += 1;
  const { provider, isTranscript } = items;
  const id = items.idOf(item);
  const references = items.fromListed(item);
  const said = items.stateOf(item);
  const isNameless = id === null || references.length === 0;
  const state: ListedState = isNameless && said === 'ready' ? 'without-file' : said;
  const stored = references.length > 0 && (await isStored(known.facts, references));
  const deleted = !stored && (await isDeleted(known, references));
  if (deleted) counts.deleted += 1;
  if (stored || deleted) counts.stored += 1;
  else if (state === 'not-ready') counts.not_ready += 1;
  else if (state === 'without-file') counts.without_file += 1;
  else counts.missing += 1;
  if (isNameless || deleted || !(stored || state === 'ready')) return null;
  const ids = isTranscript
    ? { recording_id: references[0]?.details.recording_id ?? null, transcript_id: id }
    : { recording_id: id, transcript_id: null };
  return { provider, ...ids, isStored: stored, item };
}

function recordingItems(origin: RecordingOrigin): ListedItems {
  return {
    provider: origin.name,
    isTranscript: false,
    idOf: (item) => asText(item['id']),
    fromListed: (item) => origin.fromListed(item),
    stateOf: (item) => {
      const status = asText(item['status'])?.toLowerCase() ?? '';
      if (NOT_READY.has(status)) return 'not-ready';
      return WITHOUT_FILE.has(status) ? 'without-file' : 'ready';
    }
  };
}

function transcriptItems({ name, transcripts }: RecordingOrigin): ListedItems {
  const nothing: ListedTranscripts = {
    idOf: () => null,
    fromListed: () => [],
    stateOf: () => 'without-file'
  };
  return { provider: name, isTranscript: true, ...(transcripts ?? nothing) };
}

/**
 * Whether everything that a listed item stands for is stored, in any destination.
 *
 * @param references of the listed item; none: there is nothing that could be stored
 */
async function isStored(
  facts: Pick<ArchiveFacts, 'find'>,
  references: readonly RecordingReference[]
): Promise<boolean> {
  for (const reference of references) if (!(await isOneStored(facts, reference))) return false;
  return true;
}

/**
 * Whether something of what a listed item stands for was deleted, and no copy of that is left in any destination. The rest
 * of the recording is then not fetched either.
 */
async function isDeleted(
  { facts, tombstones }: Pick<ComparisonParts, 'facts' | 'tombstones'>,
  references: readonly RecordingReference[]
): Promise<boolean> {
  for (const reference of references)
    if (
      namesOf(reference).some((name) => tombstones.has(keyDigest(name))) &&
      (await storedCopies(facts, reference)).length === 0
    )
      return true;
  return false;
}

async function isOneStored(
  facts: Pick<ArchiveFacts, 'find'>,
  reference: RecordingReference
): Promise<boolean> {
  const copies = await storedCopies(facts, reference);
  if (announcesText(reference)) return copies.some(({ recording }) => isTextFiled(recording, reference));
  if (copies.length > 0) return true;
  // Sidecars of older versions know only the last part of a track's key.
  const { provider, recording_id, track } = reference.details;
  if (recording_id === null || track === null) return false;
  return (await facts.find(identityOfId(provider, recording_id, track))).length > 0;
}

export function noCounts(): ListCounts {
  return { listed: 0, stored: 0, deleted: 0, missing: 0, not_ready: 0, without_file: 0 };
}
