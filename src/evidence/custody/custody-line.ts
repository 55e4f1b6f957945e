import { createHash } from 'node:crypto';
import { asFields, asSha256, asText } from '../../values/fields';

/** What the custody log tells. The names are on disk, so they never change. */
export const CUSTODY_EVENTS = [
  // The log itself: the first line of each file, what is wrong with it, what was signed and stamped.
  'opened',
  'damage',
  'checkpoint',
  'anchored',
  // The installation.
  'start',
  'stop',
  'settings-changed',
  'clock-jump',
  'listing',
  'gap',
  'restored',
  'certified',
  // A recording, in the order of its life.
  'received',
  'stored',
  'read-back',
  'locked',
  'lock-failed',
  'fixity-ok',
  'fixity-changed',
  'fixity-missing',
  'deleted-at-source',
  'retention-set',
  'retention-extended',
  'hold-placed',
  'hold-released',
  'deletion-refused',
  'deletion-intended',
  'expired',
  'erased',
  'key-shredded',
  'played',
  'exported'
] as const;

export type CustodyEvent = (typeof CUSTODY_EVENTS)[number];

export type CustodyDetails = Readonly<Record<string, string | number | boolean | null>>;

/** What a caller enters. Ids, hashes, codes, counts and times only: no telephone number, no name, no path. */
export interface CustodyEntry {
  event: CustodyEvent;
  /** As `recordingName` gives it; null when the event is not about one recording. */
  recording?: string | null;
  /** Of the file, hex. */
  sha256?: string | null;
  versionId?: string | null;
  /** Who did it: `node:<id>`, `sweep`, `flow`. */
  actor: string;
  details?: CustodyDetails;
}

/** One line as it was read. */
export interface CustodyLine {
  v: 1;
  /** From 1, without gaps, through all files. */
  seq: number;
  /** ISO 8601 UTC, by the clock of the machine. */
  at: string;
  event: string;
  recording: string | null;
  sha256: string | null;
  version_id: string | null;
  actor: string;
  details: CustodyDetails;
  /** SHA-256 of the line before it, with its line feed; hex. */
  prev: string;
}

/** What stands for the hash of something that does not exist: the line before the first one. */
export const NO_HASH = '0'.repeat(64);

/** Bytes of a line. Ours have some 350; what is longer is not ours. */
export const LONGEST_LINE = 16 * 1024;

const MOST_DETAILS = 24;

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * How the log names a recording: its id where that is a UUID, as the providers make them; else a hash of its identity, because
 * nobody knows what such an id tells.
 *
 * @param identity as the index knows it
 */
export function recordingName(recordingId: string | null, identity: string): string {
  return recordingId !== null && UUID.test(recordingId)
    ? recordingId.toLowerCase()
    : `sha256:${sha256Hex(identity)}`;
}

/** @returns the bytes of a line, with its line feed */
export function formatLine(
  { event, recording, sha256, versionId, actor, details }: CustodyEntry,
  place: { seq: number; at: number; prev: string }
): Buffer {
  const line: CustodyLine = {
    v: 1,
    seq: place.seq,
    at: new Date(place.at).toISOString(),
    event,
    recording: plain(recording ?? null),
    sha256: sha256 ?? null,
    version_id: plain(versionId ?? null),
    actor: asLogged(actor),
    details: plainDetails(details ?? {}),
    prev: place.prev
  };
  return Buffer.from(`${JSON.stringify(line)}\n`);
}

/** @returns null for bytes that are no line of this log */
export function parseLine(raw: Uint8Array): CustodyLine | null {
  const fields = parsedFields(raw);
  if (fields === null || fields['v'] !== 1) return null;
  const { seq, recording, version_id } = fields;
  const [at, event, actor] = [asText(fields['at']), asText(fields['event']), asText(fields['actor'])];
  const prev = asSha256(fields['prev']);
  if (!Number.isSafeInteger(seq) || Number(seq) < 1 || at === null || !Number.isFinite(Date.parse(at)))
    return null;
  if (event === null || prev === null) return null;
  return {
    v: 1,
    seq: Number(seq),
    at,
    event,
    recording: asText(recording),
    sha256: asSha256(fields['sha256']),
    version_id: asText(version_id),
    actor: actor ?? '',
    details: (asFields(fields['details']) ?? {}) as CustodyDetails,
    prev
  };
}

function parsedFields(raw: Uint8Array): ReturnType<typeof asFields> {
  if (raw.length > LONGEST_LINE) return null;
  try {
    return asFields(JSON.parse(Buffer.from(raw).toString('utf8')));
  } catch {
    return null;
  }
}

const PLAIN = /^[A-Za-z0-9._:+/=-]{1,512}$/;
const HAS_LETTER = /[A-Za-z]/;

/**
 * A text as the log may hold it. What does not look like an id, a hash, a code or a time, as a number that somebody may have
 * dialled, is replaced by its hash.
 */
export function asLogged(text: string): string {
  if (text === '') return text;
  return PLAIN.test(text) && HAS_LETTER.test(text) ? text : `sha256:${sha256Hex(text)}`;
}

function plain(text: string | null): string | null {
  return text === null ? null : asLogged(text);
}

function plainDetails(details: CustodyDetails): CustodyDetails {
  const known = Object.entries(details).slice(0, MOST_DETAILS);
  return Object.fromEntries(
    known.map(([name, value]) => [
      name,
      typeof value === 'string' && value !== NO_HASH ? asLogged(value) : value
    ])
  );
}
