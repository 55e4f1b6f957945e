import type { VerifiedBy } from '../../events/event';
import type { Provider } from '../../events/provider';
import { readWhole, RECORD_HEAD, writeWhole } from './record';

/** What a delivery was verified by, so that anybody can verify it again. A secret is never part of it. */
export interface SignatureProof {
  /** The headers that a verification reads, as they came: name, value. */
  headers: readonly (readonly [name: string, value: string])[];
  /** Base64; null where the key is a secret. */
  publicKey: string | null;
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
  /** Null when it is not known. */
  proof: SignatureProof | null;
  /** Set when the flow has answered it with 2xx: it was handed over before it was logged. */
  answer: LoggedAnswer | null;
}

export type NewDelivery = Omit<LoggedDelivery, 'sequence'>;

/** The part of a delivery that is neither in the head of its record nor bytes. */
interface Facts extends Omit<NewDelivery, 'receivedAt' | 'rawBody' | 'answer' | 'contentType'> {
  contentType?: string;
  /** The body of the answer follows that of the delivery, which has so many bytes. */
  answer?: Omit<LoggedAnswer, 'body'> & { behind: number };
}

/** Bytes in front of the facts: their length. */
const LENGTH_BYTES = 4;

/**
 * A delivery that is ready to be written. Its content is the length of the facts, the facts as JSON, the body, and the
 * body of the answer, if there is one.
 */
export class DeliveryDraft {
  readonly receivedAt: number;
  /** Bytes of the whole record. */
  readonly size: number;
  readonly #facts: string;
  readonly #factsBytes: number;
  readonly #bodies: readonly Buffer[];

  constructor({ receivedAt, rawBody, answer, contentType, ...rest }: NewDelivery) {
    this.receivedAt = receivedAt;
    const facts: Facts = rest;
    if (contentType !== undefined) facts.contentType = contentType;
    if (answer !== null) {
      const { status, contentType: type } = answer;
      facts.answer = { status, contentType: type, behind: rawBody.length };
    }
    this.#facts = JSON.stringify(facts);
    this.#factsBytes = Buffer.byteLength(this.#facts);
    this.#bodies = answer === null ? [rawBody] : [rawBody, answer.body];
    this.size =
      RECORD_HEAD +
      LENGTH_BYTES +
      this.#factsBytes +
      this.#bodies.reduce((sum, { length }) => sum + length, 0);
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
 * @param receivedAt milliseconds since 1970, as the head of the record tells it
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
  // The object that was parsed becomes the delivery: a copy of it would double the cost of reading a log.
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

/** The checksum has been looked at: what is there was written by this package. */
function parseFacts(text: string): Facts | null {
  try {
    return JSON.parse(text) as Facts;
  } catch {
    return null;
  }
}

const SEQUENCE_BYTES = 8;

/** Deliveries that one record may tell to be handed over. */
export const MOST_HANDED_OVER = 4096;

/** @returns bytes of a record that tells of so many */
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
