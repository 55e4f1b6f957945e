import { createHash } from 'node:crypto';
import { CodedError } from '../errors/coded-error';
import type { TextContent } from '../recording/recording-reference';
import { type SampleFile, sampleContent } from '../samples/sample-file';
import type { TransferRequest, TransferResult } from './transfer-types';

/** Bytes that are written at once. */
const PIECE = 1024 * 1024;

export interface WriteOptions extends Pick<TransferRequest, 'into' | 'maxSize' | 'onMedia'> {
  /** The ending of its name; null: the usual one. */
  format: string | null;
}

/**
 * Brings a text into a partial copy, as `transfer` brings a file. What an earlier attempt left there is dropped.
 *
 * @throws CodedError `TOO_LARGE` when it has more than `maxSize` bytes; as the copy throws
 */
export async function writeContent(
  { text, contentType }: TextContent,
  options: WriteOptions
): Promise<TransferResult> {
  return await writeBytes(Buffer.from(text, 'utf8'), contentType, options.format ?? 'txt', options);
}

/**
 * Brings the file that stands for that of a sample into a partial copy. It comes from this package: nothing is contacted.
 *
 * @param title becomes part of a tone, so that two samples are two files
 * @throws as `writeContent`
 */
export async function writeSample(
  sample: SampleFile,
  title: string,
  options: WriteOptions
): Promise<TransferResult> {
  const { bytes, contentType, format } = sampleContent(sample, title, options.format);
  return await writeBytes(bytes, contentType, format, options);
}

async function writeBytes(
  bytes: Buffer,
  contentType: string,
  format: string,
  { maxSize, into, onMedia }: WriteOptions
): Promise<TransferResult> {
  const size = bytes.length;
  if (maxSize > 0 && size > maxSize)
    throw new CodedError(
      'TOO_LARGE',
      `The file has ${size} bytes, and at most ${maxSize} are stored. Raise "Largest file", or set it to 0.`
    );
  if (into.size > 0) await into.restart();
  await onMedia?.({ format, contentType, size });
  for (let at = 0; at < size; at += PIECE) await into.write(bytes.subarray(at, at + PIECE));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { size, sha256, contentType, format, sourceHost: '', resumed: false };
}
