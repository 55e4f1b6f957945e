import { CodedError } from '../../errors/coded-error';

/** One value of DER. All are views of the same bytes. */
export interface Der {
  /** Class, form and number, as one byte. */
  tag: number;
  /** With tag and length. */
  raw: Buffer;
  content: Buffer;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  octets: 0x04,
  oid: 0x06,
  time: 0x18,
  sequence: 0x30,
  set: 0x31
} as const;

/** The tag of a field that is known by its number only. */
export function tagged(number: number): number {
  return 0xa0 | number;
}

/**
 * @returns the one value that the bytes hold
 * @throws CodedError `UNPARSABLE_BODY` when they are anything else
 */
export function readDer(bytes: Buffer): Der {
  const value = valueAt(bytes, 0);
  if (value.raw.length !== bytes.length) throw malformed('there is more behind it');
  return value;
}

/**
 * @param tag what it has to be
 * @returns the values that a value consists of
 * @throws CodedError `UNPARSABLE_BODY`
 */
export function partsOf(value: Der | undefined, tag: number): Der[] {
  const { content } = expect(value, tag);
  const parts: Der[] = [];
  for (let at = 0; at < content.length;) {
    const part = valueAt(content, at);
    parts.push(part);
    at += part.raw.length;
  }
  return parts;
}

/** @throws CodedError `UNPARSABLE_BODY` when there is no value, or it is of another kind */
export function expect(value: Der | undefined, tag: number): Der {
  if (value?.tag === tag) return value;
  throw malformed(value === undefined ? 'something is missing' : 'something else is expected');
}

/** An object identifier, `1.2.840.113549`. @throws CodedError `UNPARSABLE_BODY` */
export function oidOf(value: Der | undefined): string {
  const { content } = expect(value, TAG.oid);
  if (content.length === 0 || content.length > LONGEST_OID) throw malformed('an identifier is too long');
  const numbers: number[] = [];
  let number = 0;
  for (const byte of content) {
    number = number * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    numbers.push(number);
    number = 0;
  }
  const [first = 0, ...rest] = numbers;
  const begin = Math.min(Math.floor(first / 40), 2);
  return [begin, first - 40 * begin, ...rest].join('.');
}

const LONGEST_OID = 64;

function valueAt(bytes: Buffer, at: number): Der {
  const tag = bytes[at];
  const short = bytes[at + 1];
  if (tag === undefined || short === undefined) throw malformed('it ends too early');
  if ((tag & 0x1f) === 0x1f) throw malformed('it has a tag that is not known');
  let length = short;
  let begin = at + 2;
  if (short >= 0x80) {
    const size = short & 0x7f;
    if (size === 0 || size > 4) throw malformed('it has a length that is not allowed');
    if (begin + size > bytes.length) throw malformed('it ends too early');
    length = bytes.readUIntBE(begin, size);
    begin += size;
  }
  if (begin + length > bytes.length) throw malformed('it ends too early');
  return { tag, raw: bytes.subarray(at, begin + length), content: bytes.subarray(begin, begin + length) };
}

function malformed(what: string): CodedError {
  return new CodedError('UNPARSABLE_BODY', `It is not encoded as a time stamp is: ${what}.`);
}
