import { createHash } from 'node:crypto';
import { CodedError } from '../errors/coded-error';
import type { FileAhead, FileToPublish, PartialCopy, PublishedFile, Store } from './store';

/** Memory that one recording may take in a message unless the user sets another limit. */
export const DEFAULT_MESSAGE_BYTES = 64 * 1024 * 1024;

/**
 * Hands recordings over in messages instead of storing them: nothing is kept, a restart starts over.
 *
 * @param maxSize bytes per recording; a larger one fails with `TOO_LARGE` before it fills the memory
 */
export function createMessageStore(maxSize: number = DEFAULT_MESSAGE_BYTES): Store {
  return {
    destination: 'message',
    openPart: () => Promise.resolve(new BufferedCopy(maxSize))
  };
}

class BufferedCopy implements PartialCopy {
  private pieces: Buffer[] = [];
  private held = 0;

  constructor(private readonly maxSize: number) {}

  get size(): number {
    return this.held;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (const piece of [...this.pieces]) yield await Promise.resolve(piece);
  }

  /** An announced size that does not fit is refused before a byte is held. */
  begin({ size }: FileAhead): Promise<void> {
    return (size ?? 0) > this.maxSize ? Promise.reject(this.tooLarge()) : Promise.resolve();
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.held + bytes.length > this.maxSize) return Promise.reject(this.tooLarge());
    // Copied: the network's buffers are larger than what they hold.
    this.pieces.push(Buffer.from(bytes));
    this.held += bytes.length;
    return Promise.resolve();
  }

  restart(): Promise<void> {
    this.pieces = [];
    this.held = 0;
    return Promise.resolve();
  }

  suspend(): Promise<void> {
    return this.restart();
  }

  discard(): Promise<void> {
    return this.restart();
  }

  async publish(file: FileToPublish): Promise<PublishedFile> {
    const content = Buffer.concat(this.pieces);
    await this.restart();
    const sha256 = createHash('sha256').update(content).digest('hex');
    if (content.length !== file.size || sha256 !== file.sha256)
      throw new CodedError('STORE_FAILED', 'The bytes in memory are not those that were received.', {
        retryable: true
      });
    return { location: null, alreadyStored: false, content };
  }

  private tooLarge(): CodedError {
    return new CodedError(
      'TOO_LARGE',
      `The recording is larger than the ${this.maxSize} bytes that fit into a message. Store it in a folder or bucket instead.`
    );
  }
}
