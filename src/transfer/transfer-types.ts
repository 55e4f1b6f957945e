import type { Hash } from 'node:crypto';
import type { MediaKind } from '../recording/recording-reference';
import type { PartialCopy } from '../store/destination';

/** Which addresses a transfer may contact: public hosts over https, or anything. */
export type NetworkPolicy = 'public-https' | 'any';

export interface TransferRequest {
  /** The address, used byte for byte. A secret: it never reaches an error or a log. */
  url: string;
  /** The provider has just made the address: it is used even if it has expired by this machine's clock. */
  isFresh?: boolean;
  /** Sent to the first host only, never after a redirect to another origin. */
  authorization?: string;
  network: NetworkPolicy;
  kind: MediaKind;
  /** The format of a text, as announced; null or left out if only its bytes show it. */
  textFormat?: string | null;
  /** Bytes; 0: no limit. */
  maxSize: number;
  /** Milliseconds without a byte before the attempt counts as stalled. */
  stallTimeoutMs: number;
  into: PartialCopy;
  /** ETag of the bytes already held, from `onValidator`; without it a transfer starts over. */
  resumeEtag?: string;
  /** Size of the whole file with this ETag, from `onValidator`. */
  resumeSize?: number;
  /** What the event announced about the file; a file that differs is not accepted. */
  expected?: { size: number | null; sha256: string | null };
  signal: AbortSignal;
  /**
   * Called when the first bytes show that the file is what it should be, before the first of them is
   * written; not when a transfer resumes.
   */
  onMedia?: (media: MediaFound) => Promise<void>;
  /** @param received bytes held; @param total expected size, or null */
  onProgress?: (received: number, total: number | null) => void;
  /**
   * Called when the response is accepted, before its first byte is held, so that a later attempt can
   * resume.
   *
   * @param etag null: these bytes cannot be resumed from (no ETag, or a weak one)
   * @param size of the whole file, or null when the response does not say
   */
  onValidator?: (etag: string | null, size: number | null) => void;
}

export interface MediaFound {
  /** What the first bytes say it is: `mp3`, `wav`, `mp4`, `pdf`, … */
  format: string;
  contentType: string;
  /** Of the whole file, or null when the response does not say. */
  size: number | null;
}

export interface TransferResult {
  size: number;
  /** Hex. */
  sha256: string;
  contentType: string;
  /** What the first bytes say it is: `mp3`, `wav`, `mp4`, `pdf`, … */
  format: string;
  sourceHost: string;
  resumed: boolean;
}

/** What is known of the bytes that the store holds already. */
export interface HeldBytes {
  hash: Hash;
  size: number;
  /** The first bytes, at most `HEAD_BYTES`. */
  head: Buffer;
  /** The last bytes that were held at the start, which a resumed transfer asks for again. */
  tail: Buffer;
}
