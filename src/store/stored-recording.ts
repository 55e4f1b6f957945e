import type { RecordingDetails } from '../recording/recording-details';
import type { LockFacts, RetentionFacts } from './kept-facts';

/** The destinations. Their names are on disk, in sidecars and in the index, so they never change. */
export type DestinationKind = 'folder' | 'bucket' | 'message';

/** What is known of a file once it is stored. */
export interface StoredFacts {
  /** Bytes. */
  size: number;
  /** Hex. */
  sha256: string;
  content_type: string;
  destination: DestinationKind;
  /** Absolute; `folder` only. */
  path?: string;
  /** `bucket` only. */
  bucket?: string;
  key?: string;
  /** Null where the bucket keeps no versions. */
  version_id?: string | null;
  /** The location of the sidecar, or null if there is none. */
  sidecar: string | null;
  source_host: string;
  attempts: number;
  resumed: boolean;
  already_stored: boolean;
  /** ISO 8601 UTC. */
  stored_at: string;
  deleted_at_source: string | null;
  /** The identity under which the index knows it, so that the index can be rebuilt from sidecars. */
  identity?: string;
  /** The location of the text of the recording; absent if there is none. */
  transcription_file?: string;
  /** When the provider made or announced that text. ISO 8601 UTC. */
  transcribed_at?: string;
  /** How long it is kept; absent when no policy says so. */
  retention?: RetentionFacts;
  /** That its object is locked, as the store confirmed; absent when it is not, or need not be. */
  lock?: LockFacts;
  /** It is that of a sample event, not a real recording. */
  sample?: true;
}

/** `msg.recording`, and what the sidecar holds. */
export type StoredRecording = RecordingDetails & StoredFacts;

/** What a destination needs to know to read a copy again: its `KnownCopy`. */
export function knownCopy({ size, version_id }: Pick<StoredRecording, 'size' | 'version_id'>): {
  size: number;
  versionId: string | null;
} {
  return { size, versionId: version_id ?? null };
}

/** The location of a file, as in `msg.payload`; null when it is only in the message. */
export function locationOf({
  path,
  bucket,
  key
}: Pick<StoredRecording, 'path' | 'bucket' | 'key'>): string | null {
  return path ?? (bucket === undefined ? null : `s3://${bucket}/${key ?? ''}`);
}

/** A stored file as the flow gets it. */
export interface StoredFile {
  recording: StoredRecording;
  /** `msg.payload`: absolute path, `s3://bucket/key`, or the bytes. */
  payload: string | Buffer;
}
