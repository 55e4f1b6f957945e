import type { MediaKind } from '../recording/recording-reference';
import type { PartialCopy } from '../store/store';

/** Which addresses a transfer may contact: public hosts over https, or anything. */
export type NetworkPolicy = 'public-https' | 'any';

export interface TransferRequest {
  /** The address, used byte for byte. A secret: it never reaches an error or a log. */
  url: string;
  /** Sent to the first host only, never after a redirect to another origin. */
  authorization?: string;
  network: NetworkPolicy;
  kind: MediaKind;
  /** Bytes; 0: no limit. */
  maxSize: number;
  /** Milliseconds without a byte before the attempt counts as stalled. */
  stallTimeoutMs: number;
  into: PartialCopy;
  /** ETag of the bytes already held; without it a resumed transfer starts over. */
  resumeEtag?: string;
  signal: AbortSignal;
  /** @param received bytes held; @param total expected size, or null */
  onProgress?: (received: number, total: number | null) => void;
  /** Called once when the response's validators are known, so that a later attempt can resume. */
  onValidator?: (etag: string | null) => void;
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
