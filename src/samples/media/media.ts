import { createHash } from 'node:crypto';

export type MediaFormat = 'mp3' | 'wav';

/** Largest piece in which media are made, in bytes. */
const PIECE = 64 * 1024;

/**
 * A file that is a head followed by one repeated block. That is enough for real audio, and a recording
 * of any length takes no more memory than its block; any part of it can be made on its own.
 */
export class Media {
  /** Bytes. */
  readonly size: number;
  #sha256: string | undefined;

  /**
   * @param head the first bytes
   * @param block what repeats after them; not empty
   * @param bodySize bytes after the head; the last block may be cut
   */
  constructor(
    readonly contentType: string,
    readonly head: Buffer,
    readonly block: Buffer,
    bodySize: number
  ) {
    this.size = head.length + bodySize;
  }

  /** The bytes from `start` up to but without `end`, in pieces. */
  *pieces(start = 0, end = this.size): Generator<Buffer> {
    let at = start;
    while (at < end) {
      const [source, offset] =
        at < this.head.length
          ? ([this.head, at] as const)
          : ([this.block, (at - this.head.length) % this.block.length] as const);
      const length = Math.min(end - at, source.length - offset, PIECE);
      yield source.subarray(offset, offset + length);
      at += length;
    }
  }

  /** All bytes. */
  bytes(): Buffer {
    return Buffer.concat([...this.pieces()]);
  }

  /** SHA-256 of all bytes, hex. */
  get sha256(): string {
    if (this.#sha256 === undefined) {
      const hash = createHash('sha256');
      for (const piece of this.pieces()) hash.update(piece);
      this.#sha256 = hash.digest('hex');
    }
    return this.#sha256;
  }

  /** A strong entity tag in S3's form: hex in quotes. Does not read all bytes. */
  get etag(): string {
    const hash = createHash('sha256').update(this.head).update(this.block).update(String(this.size));
    return `"${hash.digest('hex').slice(0, 32)}"`;
  }
}

/** What a generated recording sounds like. */
export interface Sound {
  /** Goes into the file, so that two recordings of equal sound still differ. */
  title: string;
  seconds: number;
  channels: 1 | 2;
}
