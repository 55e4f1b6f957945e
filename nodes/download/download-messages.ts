import type { JobItem } from '../../src/archive/queue/job';
import type { FileOutcome } from '../../src/archive/queue/run-result';
import { CodedError } from '../../src/errors/coded-error';
import type { DeletionReason } from '../../src/evidence/deletion/tombstones';
import { providers } from '../../src/providers/registry';
import { isWithoutTracks } from '../../src/recording/extract/from-daily';
import {
  type RecordingRequest,
  findRecordings,
  fromStored,
  referencesFromMessage,
  transcriptsFromMessage
} from '../../src/recording/find-recordings';
import type { FormatChoice, RecordingReference } from '../../src/recording/recording-reference';
import type { RecordingDetails } from '../../src/recording/recording-details';
import { sampleReference } from '../../src/recording/sample-reference';
import type { StoredFile, StoredRecording } from '../../src/store/stored-recording';
import { shownText } from '../../src/text/shown-text';
import type { FlowMessage, NodeRedApi, Send } from '../lib/node-red';
import { sampleProof } from '../samples/sample-proof';

/** Far more than any message or recording has, but few enough to persist together. */
const MOST_FILES = 10_000;

/**
 * What a message asks to be stored: a damaged file of the archive or a listed transcript, else what its event
 * carries, else what `msg.recording_id` or `msg.url` names.
 *
 * @throws CodedError `NO_RECORDING`; `TOO_LARGE` when there are too many
 */
export function itemsOf(message: FlowMessage, format: FormatChoice): JobItem[] {
  const source = { event: message['event'], payload: message.payload };
  const damaged = fromStored(message.payload, providers);
  const request = requestOf(message);
  const listed = damaged === null ? transcriptsFromMessage(request, providers) : [damaged];
  const found = listed.length > 0 ? listed : findRecordings(source);
  const references = found.length > 0 ? found : referencesFromMessage(request, providers);
  if (references.length > MOST_FILES)
    throw new CodedError(
      'TOO_LARGE',
      `The message names ${references.length} files, and at most ${MOST_FILES} are taken from one; nothing was stored. No ` +
        'provider sends so many: look at who sent it, or split it into several messages.'
    );
  if (references.length > 0 && isSample(message['event']))
    return references.map((reference) => sampleItem(sampleReference(reference), format));
  if (references.length > 0) return references.map((reference) => ({ reference, format }));
  const topic = typeof message.topic === 'string' ? ` (topic "${shownText(message.topic)}")` : '';
  if (isWithoutTracks(source)) {
    throw new CodedError(
      'NO_RECORDING',
      `The raw-tracks recording of the message${topic} has no tracks: nobody was heard or seen while it ran. There is no ` +
        'file to store.'
    );
  }
  throw new CodedError(
    'NO_RECORDING',
    `The message${topic} carries nothing to store. Expected an event with a recording, fax or attachment, or ` +
      'msg.recording_id, or msg.url. Put an event switch with the rule "carries a recording" before this node.'
  );
}

/** What only this process can have sent. Nothing that arrives from outside can make an event one. */
function isSample(event: unknown): boolean {
  const isMarked = typeof event === 'object' && event !== null && 'sample' in event && event.sample === true;
  return isMarked && sampleProof.proves(event);
}

/** A sample has one form, whatever is wanted. */
function sampleItem(reference: RecordingReference, format: FormatChoice): JobItem {
  return { reference, format: reference.sample === true ? 'any' : format };
}

function requestOf(message: FlowMessage): RecordingRequest {
  const { recording_id, transcript_id, provider, url, payload } = message;
  return { recording_id, transcript_id, provider, url, payload };
}

/** A message of this process whose job is under way. */
interface PendingMessage {
  message: FlowMessage;
  send: Send;
  /** Ends the handling of the message, with or without an error. */
  end: (error: Error | null) => void;
}

/** Messages beyond this number are not kept in memory: they resume from disk, as after a restart. */
const MOST_LIVE = 10_000;

/** The messages that wait for their jobs, by job id. */
export class PendingMessages {
  readonly #messages = new Map<string, PendingMessage>();

  add(jobId: string, live: PendingMessage): void {
    if (this.#messages.size < MOST_LIVE) this.#messages.set(jobId, live);
  }

  /** @returns undefined for a job of an earlier process; each message is returned once */
  take(jobId: string): PendingMessage | undefined {
    const live = this.#messages.get(jobId);
    this.#messages.delete(jobId);
    return live;
  }

  clear(): void {
    this.#messages.clear();
  }
}

/** What the flow gets in place of a file that was deleted and is not stored again. */
export interface DeletedOutput {
  payload: null;
  recording: RecordingDetails & {
    /** Bytes that it had. */
    size: number;
    already_stored: true;
    /** Times are ISO 8601 UTC. */
    stored_at: string;
    deleted_at: string;
    deletion: DeletionReason;
  };
}

/** The files that were deleted on purpose, before or since. */
export function deletedFiles(outcomes: readonly FileOutcome[]): DeletedOutput[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.kind !== 'deleted') return [];
    const { stored_at, deleted_at, reason: deletion, bytes: size } = outcome.tombstone;
    const { details } = outcome.reference;
    return [
      {
        payload: null,
        recording: { ...details, size, already_stored: true as const, stored_at, deleted_at, deletion }
      }
    ];
  });
}

/** One message per file; with `msg.parts` when there are several. */
export function storedMessages(
  RED: Pick<NodeRedApi, 'util'>,
  message: FlowMessage,
  files: readonly (StoredFile | DeletedOutput)[]
): FlowMessage[] {
  const id = RED.util.generateId();
  return files.map(({ payload, recording }, index) => ({
    ...message,
    payload,
    recording,
    ...(files.length > 1 ? { parts: { id, index, count: files.length } } : {})
  }));
}

/** The files that were stored. */
export function storedFiles(outcomes: FileOutcome[]): StoredFile[] {
  return outcomes.flatMap((outcome) => (outcome.kind === 'stored' ? [outcome.file] : []));
}

/** One error for all files of a message that could not be stored; null if there are none. */
export function failureOf(outcomes: FileOutcome[]): CodedError | null {
  const errors = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.error] : []));
  const [first, ...others] = errors;
  if (first === undefined || others.length === 0) return first ?? null;
  return new CodedError(
    first.code,
    `${errors.length} of ${outcomes.length} files of the message were not stored. The first: ${first.message}`,
    { cause: first, trouble: first.trouble }
  );
}

/** The log line for a file that is not stored again. */
export function deletedLine({ recording_id, deleted_at, deletion }: DeletedOutput['recording']): string {
  const why = deletion === 'expired' ? 'its time was over' : 'somebody asked for it';
  const name = recording_id === null ? 'a recording' : `the recording ${shownText(recording_id)}`;
  return `Not stored again: ${name} was deleted on ${deleted_at}, because ${why}.`;
}

/** The log line for a stored file. */
export function storedLine({
  already_stored,
  path,
  bucket,
  key,
  size,
  sha256
}: Pick<StoredRecording, 'already_stored' | 'path' | 'bucket' | 'key' | 'size' | 'sha256'>): string {
  const where = path ?? (bucket === undefined ? 'in the message' : `s3://${bucket}/${key ?? ''}`);
  return `${already_stored ? 'Already stored' : 'Stored'}: ${where}, ${size} bytes, SHA-256 ${sha256}`;
}
