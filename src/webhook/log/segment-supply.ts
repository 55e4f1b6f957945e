import type { LogFiles } from './log-files';
import { encodeHeader, SEGMENT_HEAD, type LogEnd, type TimeSpan } from './segment-header';
import { UNKNOWN_SPAN, type Segment, type SegmentDirectory } from './segments';

/** Each filled segment is followed by one this many times as large, up to the largest size. */
const GROWTH = 4;

export interface SegmentSizes {
  /** Bytes of the first segment after a start. */
  first: number;
  /** Bytes of the largest segment. A larger record gets a segment of its own. */
  most: number;
}

/** A segment that is being written. */
export interface OpenSegment {
  readonly number: number;
  readonly file: string;
  readonly handle: number;
  readonly size: number;
  /** Where the next record goes. 0: the head is not written yet. */
  at: number;
  /** The sequence of its first record. */
  first: number;
  span: TimeSpan;
  /** The segment as readers see it, once it has records. */
  listed: Segment | null;
}

/** Writes the head of a segment that is used for the first time. @param tip the end of the log before it */
export function beginSegment(
  segment: OpenSegment,
  bytes: Buffer,
  tip: LogEnd,
  { marker, begunAt }: { marker: Buffer; begunAt: number }
): void {
  segment.first = tip.sequence + 1;
  encodeHeader(bytes, {
    number: segment.number,
    marker,
    firstSequence: segment.first,
    begunAt,
    before: { earliest: tip.earliest, latest: tip.latest },
    previous: tip.hash
  });
}

export function listedSegment({ number, size, first, span }: OpenSegment, marker: Buffer): Segment {
  return { marker, number, size, first, end: Infinity, ...span, before: UNKNOWN_SPAN };
}

export interface SegmentSupplyOptions {
  directory: SegmentDirectory;
  files: LogFiles;
  sizes: SegmentSizes;
  /** The number of the next segment. */
  next: number;
}

/** Allocates segments one ahead, so that no delivery waits for it under load. */
export class SegmentSupply {
  readonly #options: SegmentSupplyOptions;
  #nextNumber: number;
  #nextSize: number;
  #spare: Promise<OpenSegment | null> | null = null;

  constructor(options: SegmentSupplyOptions) {
    this.#options = options;
    this.#nextNumber = options.next;
    this.#nextSize = options.sizes.first;
  }

  /** Allocates the next one in the background. A full disk is reported only when the segment is needed. */
  prepare(): void {
    this.#spare ??= this.#allocate(0).catch(() => null);
  }

  /**
   * @param bytes that must fit into it
   * @throws the system's error
   */
  async take(bytes: number): Promise<OpenSegment> {
    const { files, directory } = this.#options;
    const spare = await this.#spare;
    this.#spare = null;
    if (spare) {
      const isInPlace = files.place(spare.file, spare.handle) === 'own';
      if (isInPlace && spare.size - SEGMENT_HEAD >= bytes) return spare;
      files.close(spare.handle);
      if (isInPlace) directory.remove(spare.number);
    }
    return this.#allocate(bytes);
  }

  /** Little is being written: the next segment to allocate need not be large. */
  beginSmall(): void {
    this.#nextSize = this.#options.sizes.first;
  }

  async close(): Promise<void> {
    const spare = await this.#spare;
    if (spare) this.#options.files.close(spare.handle);
    this.#spare = null;
  }

  async #allocate(bytes: number): Promise<OpenSegment> {
    const { first, most } = this.#options.sizes;
    const least = Math.max(first, SEGMENT_HEAD + bytes);
    const size = Math.max(this.#nextSize, least);
    const made = await this.#make(size).catch((error: unknown) => {
      // A small segment is better than none.
      if (size > least) return this.#make(least);
      throw error;
    });
    this.#nextSize = Math.min(made.size * GROWTH, most);
    return made;
  }

  async #make(size: number): Promise<OpenSegment> {
    const { files, directory } = this.#options;
    for (;;) {
      const number = this.#nextNumber;
      const file = directory.file(number);
      try {
        const handle = await files.allocate(file, size);
        this.#nextNumber = number + 1;
        return {
          number,
          file,
          handle,
          size,
          at: 0,
          first: NaN,
          span: { earliest: NaN, latest: NaN },
          listed: null
        };
      } catch (error) {
        // An earlier owner of the log may have created it. EEXIST may concern the directory instead, hence the path.
        const { code, path: where } = error as NodeJS.ErrnoException;
        if (code !== 'EEXIST' || where !== file) throw error;
        this.#nextNumber = number + 1;
      }
    }
  }
}
