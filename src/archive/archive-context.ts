import type { Deletions } from '../evidence/deletion/deletions';
import type { FilenameTemplate } from '../naming/filename-template';
import type { RecordingProvider } from '../providers/provider';
import type { Destination } from '../store/destination';
import type { NetworkPolicy, TransferRequest, TransferResult } from '../transfer/transfer-types';
import type { Keeping } from './download/keeping';
import type { ResumeStates } from './download/partial-copies';
import type { TranscriptFiling } from './transcripts/transcript-filing';

export interface ArchiveSettings {
  /** Keeps the partial copies of two nodes apart; the node's id. */
  scope: string;
  filename: FilenameTemplate;
  sidecar: boolean;
  /** The maximum number of concurrent transfers. */
  concurrency: number;
  /** Attempts after the first. */
  retries: number;
  /** Bytes; 0: no limit. */
  maxSize: number;
  stallTimeoutMs: number;
  network: NetworkPolicy;
}

/** What archiving needs from the world. */
export interface ArchiveDeps {
  store: Destination;
  /** What is known of the partial copies in the store. */
  partials: ResumeStates;
  transfer: (request: TransferRequest) => Promise<TransferResult>;
  authorize: NonNullable<RecordingProvider['authorize']>;
  /** Absent when no API is available. */
  resolveLinks?: RecordingProvider['resolveLinks'];
  /** Absent when no provider has collections. */
  expand?: NonNullable<RecordingProvider['expand']>;
  /** Absent when no API is available. */
  completeDetails?: RecordingProvider['completeDetails'];
  /** Milliseconds that a recording waits for its details, from when the API is asked. Default 2000. */
  detailsBudgetMs?: number;
  /** How recordings are kept; absent: no policy says so. */
  keeping?: Keeping;
  /** Files the texts of recordings beside their audio. If absent, they are only in `msg.recording`. */
  transcripts?: Pick<TranscriptFiling, 'file'>;
  /** Asks whether a recording is held, before a damaged copy of it gets another name. */
  holds: Pick<Deletions, 'permitted'>;
  /**
   * Called right before a complete copy gets its name; frees that name from a damaged copy. Rejects when it
   * was deleted meanwhile.
   *
   * @param sha256 of the complete copy, hex
   */
  clearPlace?: (sha256: string) => Promise<void>;
  /** Milliseconds since 1970. */
  now: () => number;
  /** From 0 to 1. */
  random: () => number;
}
