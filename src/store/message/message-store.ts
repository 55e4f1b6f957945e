import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CodedError } from '../../errors/coded-error';
import type { Destination, FileAhead, FileToPublish, PartialCopy, PublishedFile } from '../destination';
import { sidecarPath } from '../sidecar';

/** Memory that one recording may take in a message unless the user sets another limit. */
export const DEFAULT_MESSAGE_BYTES = 64 * 1024 * 1024;

/** The limit for a message, whatever the setting: later nodes copy it. */
export const MOST_MESSAGE_BYTES = 1024 * 1024 * 1024;

/** Bytes processed between two turns of the event loop; a few milliseconds on a slow machine. */
const PIECE_BYTES = 256 * 1024;

export interface MessageStore extends Destination {
  readonly kind: 'message';
}

/**
 * Passes recordings on in messages instead of storing them: keeps nothing, and a restart starts over.
 *
 * @param maxSize bytes per recording; a larger one fails with `TOO_LARGE` before it fills the memory
 */
export function createMessageStore(maxSize: number = DEFAULT_MESSAGE_BYTES): MessageStore {
  return {
    kind: 'message',
    place: 'message',
    capabilities: { canReadBack: false, canSetAside: false, canPublishAside: false },
    sidecars: { pathOf: sidecarPath, write: notKept, read: () => Promise.resolve(null) },
    transcripts: { create: notKept, replace: notKept },
    locationOf: () => null,
    readBack: notKept,
    setAside: () => Promise.resolve(null),
    erase: () => Promise.resolve(0),
    check: () => Promise.resolve(),
    sweep: () => Promise.resolve(0),
    close: () => Promise.resolve(),
    openPart: () => Promise.resolve(new BufferedCopy(Math.min(maxSize, MOST_MESSAGE_BYTES)))
  };
}

function notKept(): Promise<never> {
  return Promise.reject(
    new CodedError(
      'STORE_FAILED',
      'Recordings that are only in the message are not kept. Choose a folder or bucket.'
    )
  );
}

class BufferedCopy implements PartialCopy {
  readonly #maxSize: number;
  /** The buffers that are filled so far; only the last one has room. One is enough when the size is announced. */
  #buffers: Buffer[] = [];
  #room = 0;
  #held = 0;
  #announced = 0;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#held;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (const piece of this.#pieces()) yield await Promise.resolve(piece);
  }

  /** An announced size that does not fit is refused before a byte is held. */
  begin({ size }: FileAhead): Promise<void> {
    if ((size ?? 0) > this.#maxSize) return Promise.reject(this.#tooLarge());
    this.#announced = size ?? 0;
    return Promise.resolve();
  }

  /** Copies: the network's buffers are larger than what they hold, and are reused. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#held + bytes.length > this.#maxSize) return Promise.reject(this.#tooLarge());
    for (let done = 0; done < bytes.length;) {
      if (this.#room === 0) this.#addBuffer(bytes.length - done);
      const last = this.#buffers.at(-1) ?? Buffer.alloc(0);
      const some = bytes.subarray(done, done + this.#room);
      last.set(some, last.length - this.#room);
      this.#room -= some.length;
      this.#held += some.length;
      done += some.length;
    }
    return Promise.resolve();
  }

  restart(): Promise<void> {
    this.#buffers = [];
    this.#room = 0;
    this.#held = 0;
    this.#announced = 0;
    return Promise.resolve();
  }

  suspend(): Promise<void> {
    return this.restart();
  }

  discard(): Promise<void> {
    return this.restart();
  }

  async publish(file: FileToPublish): Promise<PublishedFile> {
    const [first] = this.#buffers;
    const isWhole = first?.length === this.#held;
    const content = isWhole ? first : Buffer.allocUnsafeSlow(this.#held);
    const hash = createHash('sha256');
    let size = 0;
    for (const piece of this.#pieces()) {
      if (!isWhole) content.set(piece, size);
      hash.update(content.subarray(size, size + piece.length));
      size += piece.length;
      // Others must not wait for a whole large recording.
      await nextTurn();
    }
    await this.restart();
    if (size !== file.size || hash.digest('hex') !== file.sha256)
      throw new CodedError('STORE_FAILED', 'The bytes in memory are not those that were received.', {
        retryable: true
      });
    return { location: null, alreadyStored: false, content };
  }

  /** @param atLeast bytes still to come, used when no size was announced */
  #addBuffer(atLeast: number): void {
    const size = this.#announced > this.#held ? this.#announced - this.#held : Math.max(atLeast, PIECE_BYTES);
    this.#buffers.push(Buffer.allocUnsafeSlow(size));
    this.#room = size;
  }

  /** All that is held, in order. */
  *#pieces(): Generator<Buffer> {
    let left = this.#held;
    for (const buffer of [...this.#buffers]) {
      for (let at = 0; at < buffer.length && left > 0; at += PIECE_BYTES) {
        const piece = buffer.subarray(at, Math.min(at + PIECE_BYTES, buffer.length, at + left));
        left -= piece.length;
        yield piece;
      }
    }
  }

  #tooLarge(): CodedError {
    const maxSize = this.#maxSize;
    const way = maxSize < MOST_MESSAGE_BYTES ? 'Raise "Largest file", or choose' : 'Choose';
    return new CodedError(
      'TOO_LARGE',
      `The recording is larger than the ${maxSize} bytes that fit into a message. ${way} a folder or bucket under "Store in".`
    );
  }
}
