import { createHash } from 'node:crypto';
import { CodedError } from '../errors/coded-error';
import type { TextContent } from '../recording/recording-reference';
import type { TransferRequest, TransferResult } from './transfer-types';

/** Bytes that are written at once. */
const PIECE = 1024 * 1024;

export interface WriteOptions extends Pick<TransferRequest, 'into' | 'maxSize' | 'onMedia'> {
  /** The ending of its name; null: `txt`. */
  format: string | null;
}

/**
 * Brings a text into a partial copy, as `transfer` brings a file. What an earlier attempt left there is dropped.
 *
 * @throws CodedError `TOO_LARGE` when it has more than `maxSize` bytes; as the copy throws
 */
export async function writeContent(
  { text, contentType }: TextContent,
  { format, maxSize, into, onMedia }: WriteOptions
): Promise<TransferResult> {
  const bytes = Buffer.from(text, 'utf8');
  const size = bytes.length;
  const ending = format ?? 'txt';
  if (maxSize > 0 && size > maxSize)
    throw new CodedError(
      'TOO_LARGE',
      `The text has ${size} bytes, and at most ${maxSize} are stored. Raise "Largest file", or set it to 0.`
    );
  if (into.size > 0) await into.restart();
  await onMedia?.({ format: ending, contentType, size });
  for (let at = 0; at < size; at += PIECE) await into.write(bytes.subarray(at, at + PIECE));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { size, sha256, contentType, format: ending, sourceHost: '', resumed: false };
}
