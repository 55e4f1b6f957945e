import { crc32c } from './record';
import { HASH_BYTES, MARKER_BYTES, readWhole, writeWhole } from './record';

/*
 * The head of a segment is written twice, so that it survives one damaged place. One copy, little endian:
 *
 *   0  8 bytes   "TXDELOG" and a line feed
 *   8  uint32    version of the format
 *  12  uint32    CRC32C of all other bytes
 *  16  uint32    number of the segment
 *  20  4 bytes   zero
 *  24  8 bytes   marker of the records
 *  32  uint64    sequence of the first record; records in earlier segments with this or a higher one are ignored
 *  40  float64   start, milliseconds since 1970
 *  48  float64   earliest delivery of the previous segment, or NaN
 *  56  float64   latest one
 *  64  32 bytes  SHA-256 of the record before the first
 */
const MAGIC = Buffer.from('TXDELOG\n', 'latin1');
const VERSION_AT = 8;
const CRC_AT = 12;
const NUMBER_AT = 16;
const MARKER_AT = 24;
const FIRST_AT = 32;
const BEGUN_AT = 40;
const EARLIEST_AT = 48;
const LATEST_AT = 56;
const PREVIOUS_AT = 64;
const COPY_BYTES = 128;

/** Bytes of a segment before its first record. */
export const SEGMENT_HEAD = 2 * COPY_BYTES;

/** Raised when older versions of this package could not read what a newer one writes. */
export const FORMAT_VERSION = 1;

/** Times of the deliveries in a segment, milliseconds since 1970. `NaN`: unknown, or there are none. */
export interface TimeSpan {
  earliest: number;
  latest: number;
}

/** Where a record is. */
export interface Place {
  segment: number;
  at: number;
  length: number;
  sequence: number;
}

/** The end of what is certainly on disk. */
export interface LogEnd extends TimeSpan {
  /** 0: none yet. */
  segment: number;
  /** After the last record. */
  at: number;
  sequence: number;
  /** SHA-256 of the last record. */
  hash: Buffer;
}

export interface SegmentHeader {
  number: number;
  marker: Buffer;
  firstSequence: number;
  begunAt: number;
  /** Of the previous segment. */
  before: TimeSpan;
  previous: Buffer;
}

/** What the head of a file says; `empty`: allocated, not used yet. */
export type ReadHeader =
  | { kind: 'header'; header: SegmentHeader }
  | { kind: 'empty' | 'damaged' }
  | { kind: 'other-version'; version: number };

export function encodeHeader(target: Buffer, header: SegmentHeader): void {
  const copy = target.subarray(0, COPY_BYTES).fill(0);
  MAGIC.copy(copy);
  copy.writeUInt32LE(FORMAT_VERSION, VERSION_AT);
  copy.writeUInt32LE(header.number, NUMBER_AT);
  header.marker.copy(copy, MARKER_AT);
  writeWhole(copy, header.firstSequence, FIRST_AT);
  copy.writeDoubleLE(header.begunAt, BEGUN_AT);
  copy.writeDoubleLE(header.before.earliest, EARLIEST_AT);
  copy.writeDoubleLE(header.before.latest, LATEST_AT);
  header.previous.copy(copy, PREVIOUS_AT);
  copy.writeUInt32LE(checksum(copy), CRC_AT);
  copy.copy(target, COPY_BYTES);
}

/** @param bytes the beginning of a file, which may be shorter than a head */
export function readHeader(bytes: Buffer): ReadHeader {
  const copies = [bytes.subarray(0, COPY_BYTES), bytes.subarray(COPY_BYTES, SEGMENT_HEAD)];
  for (const copy of copies) if (isWhole(copy)) return { kind: 'header', header: decode(copy) };
  const [version, again] = copies.map(versionOf);
  if (version !== undefined && version === again && version !== FORMAT_VERSION)
    return { kind: 'other-version', version };
  return { kind: bytes.every((byte) => byte === 0) ? 'empty' : 'damaged' };
}

function isWhole(copy: Buffer): boolean {
  return (
    copy.length === COPY_BYTES &&
    versionOf(copy) === FORMAT_VERSION &&
    copy.readUInt32LE(CRC_AT) === checksum(copy)
  );
}

function versionOf(copy: Buffer): number | undefined {
  if (copy.length < CRC_AT || copy.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) return undefined;
  return copy.readUInt32LE(VERSION_AT);
}

function decode(copy: Buffer): SegmentHeader {
  return {
    number: copy.readUInt32LE(NUMBER_AT),
    marker: Buffer.from(copy.subarray(MARKER_AT, MARKER_AT + MARKER_BYTES)),
    firstSequence: readWhole(copy, FIRST_AT),
    begunAt: copy.readDoubleLE(BEGUN_AT),
    before: { earliest: copy.readDoubleLE(EARLIEST_AT), latest: copy.readDoubleLE(LATEST_AT) },
    previous: Buffer.from(copy.subarray(PREVIOUS_AT, PREVIOUS_AT + HASH_BYTES))
  };
}

function checksum(copy: Buffer): number {
  return crc32c(copy, NUMBER_AT, COPY_BYTES, crc32c(copy, 0, CRC_AT));
}
