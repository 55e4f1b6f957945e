import * as crypto from 'node:crypto';
import type { VerifiedBy } from '../../events/event';
import type { Provider } from '../../events/provider';
import type { SignatureProof } from '../../verification/signed-delivery';

/*
 * A record, little endian:
 *
 *  0  8 bytes   the marker of the log, by which a reader finds the next record after damage
 *  8  uint32    length of the whole record
 * 12  uint32    CRC32C of all but the marker and this field
 * 16  uint32    kind
 * 20  uint64    sequence, without gaps in the whole log
 * 28  float64   time, milliseconds since 1970
 * 36  32 bytes  SHA-256 of all bytes of the previous record
 * 68            content
 */
const LENGTH_AT = 8;
const CRC_AT = 12;
const KIND_AT = 16;
const SEQUENCE_AT = 20;
const TIME_AT = 28;
const PREVIOUS_AT = 36;

/** Bytes of a record before its content. */
export const RECORD_HEAD = 68;

/**
 * Bytes of the marker. It is random and secret, so nothing that a sender writes into a body can be taken for a
 * record.
 */
export const MARKER_BYTES = 8;

export const HASH_BYTES = 32;

/** `answered`: a delivery with the flow's answer, handed over before it was logged. */
export const KINDS = { delivery: 1, handedOver: 2, answered: 3 } as const;

export interface RecordFields {
  kind: number;
  sequence: number;
  /** Milliseconds since 1970. */
  time: number;
}

export interface FoundRecord extends RecordFields {
  /** Where it begins. */
  at: number;
  /** Bytes of the whole record. */
  length: number;
}

/** Completes a record whose content is already in place, and returns its hash. */
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
 * Finds the next intact record. If it does not begin at `from`, the bytes in between are damaged.
 *
 * @returns null when there is none
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

/** The record that begins at `at`, or null when there is none or it is incomplete. */
export function readRecord(bytes: Buffer, at: number, marker: Buffer): FoundRecord | null {
  const head = readHead(bytes, at, marker);
  if (head === null || head.length > bytes.length - at) return null;
  return bytes.readUInt32LE(at + CRC_AT) === checksum(bytes, at, head.length) ? head : null;
}

/** What a record says of itself, unchecked: only `readRecord` knows that it is intact. Null when none begins there. */
export function readHead(bytes: Buffer, at: number, marker: Buffer): FoundRecord | null {
  if (at + RECORD_HEAD > bytes.length) return null;
  if (bytes.compare(marker, 0, MARKER_BYTES, at, at + MARKER_BYTES) !== 0) return null;
  const length = bytes.readUInt32LE(at + LENGTH_AT);
  if (length < RECORD_HEAD) return null;
  return {
    at,
    length,
    kind: bytes.readUInt32LE(at + KIND_AT),
    sequence: readWhole(bytes, at + SEQUENCE_AT),
    time: bytes.readDoubleLE(at + TIME_AT)
  };
}

/** The hash of the previous record, as stored in a record. */
export function previousHash(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at + PREVIOUS_AT, at + PREVIOUS_AT + HASH_BYTES);
}

/** SHA-256 in one call, where Node.js has it (20.12): twice as fast for a short record. */
const { hash } = crypto as { hash?: typeof crypto.hash };

export function hashOf(record: Buffer): Buffer {
  if (hash !== undefined) return hash('sha256', record, 'buffer');
  return crypto.createHash('sha256').update(record).digest();
}

/** Writes a whole number up to 2^53, in 8 bytes. */
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

/** What the flow answered. */
export interface LoggedAnswer {
  status: number;
  contentType: string | null;
  body: Buffer;
}

/** An accepted delivery as the log keeps it. */
export interface LoggedDelivery {
  /** Its place in the order in which deliveries were accepted. */
  sequence: number;
  /** Id of the node that accepted it. */
  scope: string;
  provider: Provider;
  /** The identity used for duplicates. */
  id: string;
  eventType: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  verified: VerifiedBy;
  keyIndex: number;
  contentType: string | undefined;
  /** Raw query string of a GET delivery, else null. */
  query: string | null;
  rawBody: Buffer;
  /** Null when unknown. */
  proof: SignatureProof | null;
  /** Set when the flow has answered with 2xx: then it was handed over before it was logged. */
  answer: LoggedAnswer | null;
  /** Set for a later copy of a delivery. */
  duplicate?: true;
}

export interface NewDelivery extends Omit<LoggedDelivery, 'sequence' | 'answer'> {
  /** Omitted: as null. */
  answer?: LoggedAnswer | null;
}

/** The part of a delivery that is neither in the head of its record nor binary. */
interface Facts extends Omit<NewDelivery, 'receivedAt' | 'rawBody' | 'answer' | 'contentType'> {
  contentType?: string;
  /** The answer's body follows that of the delivery, which has `behind` bytes. */
  answer?: Omit<LoggedAnswer, 'body'> & { behind: number };
}

/** Picks the facts by name: a delivery may come with more than belongs into the log. */
function factsOf(delivery: NewDelivery): Facts {
  const { scope, provider, id, eventType, verified, keyIndex, query, proof } = delivery;
  const { contentType, answer = null, rawBody, duplicate } = delivery;
  const facts: Facts = { scope, provider, id, eventType, verified, keyIndex, query, proof };
  if (contentType !== undefined) facts.contentType = contentType;
  if (duplicate) facts.duplicate = true;
  if (answer !== null) {
    facts.answer = { status: answer.status, contentType: answer.contentType, behind: rawBody.length };
  }
  return facts;
}

/** Bytes before the facts, which hold their length. */
const LENGTH_BYTES = 4;

/**
 * A delivery that is ready to be written. Its content is the length of the facts, the facts as JSON, the body, and the
 * body of the answer, if there is one.
 */
export class DeliveryDraft {
  readonly kind: number;
  readonly receivedAt: number;
  /** Bytes of the whole record. */
  readonly size: number;
  readonly #facts: string;
  readonly #factsBytes: number;
  readonly #bodies: readonly Buffer[];

  constructor(delivery: NewDelivery) {
    const { rawBody, answer = null } = delivery;
    const facts = factsOf(delivery);
    this.kind = answer === null ? KINDS.delivery : KINDS.answered;
    this.receivedAt = delivery.receivedAt;
    this.#facts = JSON.stringify(facts);
    this.#factsBytes = Buffer.byteLength(this.#facts);
    this.#bodies = answer === null ? [rawBody] : [rawBody, answer.body];
    this.size = RECORD_HEAD + LENGTH_BYTES + this.#factsBytes + rawBody.length + (answer?.body.length ?? 0);
  }

  /** @param record of `size` bytes */
  writeContent(record: Buffer): void {
    let at = record.writeUInt32LE(this.#factsBytes, RECORD_HEAD);
    at += record.write(this.#facts, at);
    for (const body of this.#bodies) at += body.copy(record, at);
  }
}

/**
 * @param record all of its bytes; the buffers of the result are copies
 * @param receivedAt milliseconds since 1970, from the head of the record
 * @returns null when its content is not understood
 */
export function readDelivery(record: Buffer, sequence: number, receivedAt: number): LoggedDelivery | null {
  const begin = RECORD_HEAD + LENGTH_BYTES;
  if (record.length < begin) return null;
  const end = begin + record.readUInt32LE(RECORD_HEAD);
  if (end > record.length) return null;
  const facts = parseFacts(record.toString('utf8', begin, end));
  if (facts === null) return null;
  const bodies = Buffer.from(record.subarray(end));
  const { answer } = facts;
  // The parsed object itself becomes the delivery: copying it would double the cost of reading a log.
  const delivery = facts as Omit<Facts, 'answer'> as LoggedDelivery;
  delivery.sequence = sequence;
  delivery.receivedAt = receivedAt;
  delivery.contentType = facts.contentType;
  delivery.rawBody = answer === undefined ? bodies : bodies.subarray(0, answer.behind);
  delivery.answer =
    answer === undefined
      ? null
      : { status: answer.status, contentType: answer.contentType, body: bodies.subarray(answer.behind) };
  return delivery;
}

/** The checksum has been verified: this package wrote the text. */
function parseFacts(text: string): Facts | null {
  try {
    return JSON.parse(text) as Facts;
  } catch {
    return null;
  }
}

const SEQUENCE_BYTES = 8;

/** Hand-overs in one record. */
export const MOST_HANDED_OVER = 4096;

/** @returns bytes of a record of so many hand-overs */
export function handedOverSize(count: number): number {
  return RECORD_HEAD + count * SEQUENCE_BYTES;
}

export function writeHandedOver(record: Buffer, sequences: readonly number[]): void {
  sequences.forEach((sequence, index) => writeWhole(record, sequence, RECORD_HEAD + index * SEQUENCE_BYTES));
}

export function readHandedOver(record: Buffer): number[] {
  const sequences: number[] = [];
  for (let at = RECORD_HEAD; at + SEQUENCE_BYTES <= record.length; at += SEQUENCE_BYTES)
    sequences.push(readWhole(record, at));
  return sequences;
}

/** Castagnoli's polynomial, bit-reversed. */
const POLYNOMIAL = 0x82f63b78;

/** Eight consecutive tables: entry `n * 256 + b` is the checksum of byte `b` followed by `n` zero bytes. */
const TABLES = makeTables();

/**
 * CRC32C (RFC 3720, appendix B.4) over a range of bytes, eight at a time.
 *
 * @param seed the checksum of the bytes before, to continue from
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  const tables = TABLES;
  let crc = ~seed;
  let at = start;
  for (const whole = end - 7; at < whole; at += 8) {
    crc ^=
      byte(bytes, at) |
      (byte(bytes, at + 1) << 8) |
      (byte(bytes, at + 2) << 16) |
      (byte(bytes, at + 3) << 24);
    crc =
      entry(tables, 1792 + (crc & 255)) ^
      entry(tables, 1536 + ((crc >>> 8) & 255)) ^
      entry(tables, 1280 + ((crc >>> 16) & 255)) ^
      entry(tables, 1024 + (crc >>> 24)) ^
      entry(tables, 768 + byte(bytes, at + 4)) ^
      entry(tables, 512 + byte(bytes, at + 5)) ^
      entry(tables, 256 + byte(bytes, at + 6)) ^
      entry(tables, byte(bytes, at + 7));
  }
  for (; at < end; at += 1) crc = entry(tables, (crc ^ byte(bytes, at)) & 255) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function entry(tables: Int32Array, at: number): number {
  return tables[at] as number;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let value = 0; value < 256; value += 1) {
    let crc = value;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[value] = crc;
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (tables[before & 255] ?? 0) ^ (before >>> 8);
  }
  return tables;
}
