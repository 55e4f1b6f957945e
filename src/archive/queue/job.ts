import { createHash } from 'node:crypto';
import { losslessText } from '../../text/lossless';
import type { Trouble } from '../../errors/trouble';
import type { FormatChoice } from '../../recording/choose-format';
import type { RecordingDetails } from '../../recording/recording-details';
import type { MediaLink, RecordingReference } from '../../recording/recording-reference';
import type { TransferResult } from '../../transfer/transfer-types';
import type { MessageSnapshot } from './message-snapshot';
import type { StoredFile } from '../../store/stored-recording';

/** The request to store one recording. */
export interface JobItem {
  reference: RecordingReference;
  format: FormatChoice;
}

/** What became of one file in earlier runs. */
export interface FileNote {
  attempts: number;
  /** Attempts that failed in a way worth another one. */
  failures: number;
  /** What is known of the recording, with what the API added; the file has its name by it. */
  details?: RecordingDetails;
  /** The API did not tell its part in time; it is asked again when the file is stored. */
  areDetailsLate?: boolean;
  /** Addresses that the API gave in place of dead ones. */
  links?: MediaLink[];
  /** The file is in its place; only what describes it was not written yet. */
  published?: PublishedNote;
  /** Why it will not be tried again. */
  failed?: { code: string; message: string; trouble?: Trouble; cause?: { code: string; message: string } };
}

/** Why a job waits for another attempt. */
export interface RetryNote {
  trouble: Trouble;
  /** Which retry is next, from 1. */
  attempt: number;
  /** How many there are. */
  of: number;
}

export interface PublishedNote {
  result: TransferResult;
  location: string;
  alreadyStored: boolean;
  /** Of a versioned bucket. */
  versionId?: string | null;
}

/** What is left to do of a job whose files are stored: to delete the recordings at the source. */
export interface DeletionNote {
  /** One list per recording: all of its files. */
  recordings: { reference: RecordingReference; files: StoredFile[] }[];
  failures: number;
}

/** What is left to do of a job whose files were stored before the API told what it knows of them. */
export interface DetailsNote {
  recordings: RecordingReference[];
  failures: number;
}

/**
 * Everything that one message asks to be stored. Plain values on purpose: it is on disk until it is
 * carried out, and what is needed to go on after a crash is in it and nothing else. It holds signed links,
 * which are secrets.
 */
export interface Job {
  /** Sorts by age. */
  id: string;
  /** Milliseconds since 1970. */
  acceptedAt: number;
  message: MessageSnapshot;
  items: JobItem[];
  /** What became of each thing; see `file-notes.ts` for the keys. */
  files: Record<string, FileNote>;
  /** Set when the last attempt failed. */
  retry?: RetryNote;
  /** Set when everything is stored and the flow has its messages. */
  deletion?: DeletionNote;
  /** As `deletion`. It comes first: a provider forgets what it deletes. */
  details?: DetailsNote;
}

/**
 * Names one file of a recording.
 *
 * @param format as wanted; null when nothing says it before the bytes do
 */
export function fileKey(identity: string, format: string | null): string {
  return `${identity}\n${format ?? ''}`;
}

/**
 * Names the partial copy of one file. The same recording wanted by the same node gives the same id, so
 * that a later attempt finds what an earlier one left; another node with the same folder gives another.
 *
 * @param scope id of the node
 * @returns safe characters only
 */
export function partialCopyId(scope: string, identity: string, format: string | null): string {
  return `${partialCopyPrefix(scope)}${digest(fileKey(identity, format))}`;
}

/** How the ids of all partial copies of one node begin. */
export function partialCopyPrefix(scope: string): string {
  return `${digest(scope).slice(0, 12)}_`;
}

function digest(text: string): string {
  return createHash('sha256').update(losslessText(text)).digest('hex').slice(0, 32);
}
