import * as crypto from 'node:crypto';
import { crc32c } from './crc32c';

/*
 * A record, little endian:
 *
 *  0  8 bytes   the marker of the log, by which a reader finds its way behind a damaged place
 *  8  uint32    length of the whole record
 * 12  uint32    CRC32C of all but the marker and this field
 * 16  uint32    kind
 * 20  uint64    sequence, without gaps in the whole log
 * 28  float64   time, milliseconds since 1970
 * 36  32 bytes  SHA-256 of the record before (all of its bytes)
 * 68            content
 */
const LENGTH_AT = 8;
const CRC_AT = 12;
const KIND_AT = 16;
const SEQUENCE_AT = 20;
const TIME_AT = 28;
const PREVIOUS_AT = 36;

/** Bytes of a record in front of its content. */
export const RECORD_HEAD = 68;

/**
 * Bytes of the marker. It is random and known to nobody outside: what a sender writes into a body can never be taken
 * for a record.
 */
export const MARKER_BYTES = 8;

export const HASH_BYTES = 32;

export const KINDS = { delivery: 1, handedOver: 2 } as const;

export interface RecordFields {
  kind: number;
  sequence: number;
  /** Milliseconds since 1970. */
  time: number;
}

export interface FoundRecord extends RecordFields {
  /** Where it begins. */
  at: number;
  /** Bytes of all of it. */
  length: number;
}

/** Completes a record whose content is in its place already, and returns its hash. */
export function sealRecord(
  record: Buffer,
  marker: Buffer,
  { kind, sequence, time }: RecordFields,
  previous: Buffer
): Buffer {
  marker.copy(record, 0);
  record.writeUInt32LE(record.length, LENGTH_AT);
  record.writeUInt32LE(kind, KIND_AT);
  writeWhole(record, sequence, SEQUENCE_AT);
  record.writeDoubleLE(time, TIME_AT);
  previous.copy(record, PREVIOUS_AT);
  record.writeUInt32LE(checksum(record, 0, record.length), CRC_AT);
  return hashOf(record);
}

/**
 * The next whole record. Where it does not begin at `from`, what is between the two is damaged.
 *
 * @returns null when there is none in the rest
 */
export function findRecord(bytes: Buffer, from: number, marker: Buffer): FoundRecord | null {
  let at = from;
  for (;;) {
    const found = readRecord(bytes, at, marker);
    if (found !== null) return found;
    at = bytes.indexOf(marker, at + 1);
    if (at === -1) return null;
  }
}

/** The record that begins at a place, or null when none does, or not all of it is there. */
export function readRecord(bytes: Buffer, at: number, marker: Buffer): FoundRecord | null {
  if (at + RECORD_HEAD > bytes.length) return null;
  if (bytes.compare(marker, 0, MARKER_BYTES, at, at + MARKER_BYTES) !== 0) return null;
  const length = bytes.readUInt32LE(at + LENGTH_AT);
  if (length < RECORD_HEAD || length > bytes.length - at) return null;
  if (bytes.readUInt32LE(at + CRC_AT) !== checksum(bytes, at, length)) return null;
  return {
    at,
    length,
    kind: bytes.readUInt32LE(at + KIND_AT),
    sequence: readWhole(bytes, at + SEQUENCE_AT),
    time: bytes.readDoubleLE(at + TIME_AT)
  };
}

/** The hash of the record before, as a record tells it. */
export function previousHash(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at + PREVIOUS_AT, at + PREVIOUS_AT + HASH_BYTES);
}

/** SHA-256 in one call where this Node.js has it (20.12): half the time on a short record. */
const { hash } = crypto as { hash?: typeof crypto.hash };

export function hashOf(record: Buffer): Buffer {
  if (hash !== undefined) return hash('sha256', record, 'buffer');
  return crypto.createHash('sha256').update(record).digest();
}

/** Whole numbers up to 2^53 take 8 bytes. */
export function writeWhole(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value % 2 ** 32, at);
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

export function readWhole(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

function checksum(bytes: Buffer, at: number, length: number): number {
  const ofLength = crc32c(bytes, at + LENGTH_AT, at + CRC_AT);
  return crc32c(bytes, at + KIND_AT, at + length, ofLength);
}
