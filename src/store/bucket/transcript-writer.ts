import { createHash } from 'node:crypto';
import { CodedError } from '../../errors/coded-error';
import { hashStream } from '../hash-stream';
import type { BucketObjects } from './objects';
import type { SentBytes } from './client/bucket-request';
import type { TextWriter } from '../destination';

const OPTIONS = { contentType: 'text/plain; charset=utf-8' };

/**
 * Texts as objects beside the stored ones.
 *
 * @param keyOf the key of a location in this bucket
 */
export function bucketTexts(
  objects: Pick<BucketObjects, 'probe' | 'put' | 'read'>,
  keyOf: (location: string) => string
): TextWriter {
  return {
    create: async (location, text) => {
      const key = keyOf(location);
      const body = bytesOf(text);
      const written = await objects.put(key, body, OPTIONS);
      if (written.ok) return 'created';
      const found = await objects.probe(key);
      if (found.kind !== 'object' || found.size !== body.bytes.length) return 'taken';
      const { versionId, size } = found;
      const { bytes } = await objects.read(key, { versionId, most: size });
      return (await hashStream(bytes)).sha256 === body.sha256.toString('hex') ? 'same' : 'taken';
    },
    replace: async (location, text) => {
      const key = keyOf(location);
      const found = await objects.probe(key);
      const written = await objects.put(key, bytesOf(text), {
        ...OPTIONS,
        ...(found.kind === 'object' ? { replaces: found } : {})
      });
      if (!written.ok)
        throw new CodedError('STORE_FAILED', `The text ${location} was changed by somebody else meanwhile.`, {
          retryable: true
        });
    }
  };
}

function bytesOf(text: string): SentBytes {
  const bytes = Buffer.from(text, 'utf8');
  return { bytes, sha256: createHash('sha256').update(bytes).digest() };
}
