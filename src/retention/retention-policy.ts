import { createHash } from 'node:crypto';
import { compileGlob } from '../routing/glob-index';
import type { LockMode, RetentionFacts } from '../store/kept-facts';
import type { StoredRecording } from '../store/stored-recording';
import { asFields, fieldOf } from '../values/fields';
import type { Direction } from './policy-fields';
import type { Periods, PolicySettings, RuleConditions } from './policy-settings';
import { isRequest, type RequestedDate, readRequested } from './requested-retention';

const DAY_MS = 86_400_000;
/** Of a number that is compared; real ones have 15 digits. */
const LONGEST_NUMBER = 300;
/** Hex digits of the version of a policy. */
const VERSION_DIGITS = 16;

/** What the dates are computed from. */
export type KeptRecording = Pick<
  StoredRecording,
  'started_at' | 'ended_at' | 'stored_at' | 'event_type' | 'from' | 'to'
>;

/** The message of a flow, as far as rules look at it. */
export type RuledMessage = Readonly<Record<string, unknown>>;

interface CompiledRule extends Periods {
  fits: (recording: KeptRecording, message: RuledMessage) => boolean;
}

/** Says how long recordings are kept. */
export class RetentionPolicy {
  readonly name: string;
  /** Of these settings: hex digits that change with any of them. */
  readonly version: string;
  readonly lockMode: LockMode | 'none';
  readonly #default: Periods;
  readonly #rules: readonly CompiledRule[];

  constructor(settings: PolicySettings) {
    const { policy, lockMode, keepUntil, deleteAfter, rules } = settings;
    this.name = policy;
    this.lockMode = lockMode;
    this.version = createHash('sha256')
      .update(JSON.stringify([policy, lockMode, keepUntil, deleteAfter, rules]))
      .digest('hex')
      .slice(0, VERSION_DIGITS);
    this.#default = { keepUntil, deleteAfter };
    this.#rules = rules.map(({ when, ...periods }) => ({ ...periods, fits: compiled(when) }));
  }

  /**
   * The dates of a recording. Count from its start, else its end, else when it was stored; what lies in the future of
   * that counts from when it was stored.
   *
   * @param message `msg.retention` wins over the rules
   * @returns null when neither date is set
   * @throws CodedError `BAD_SETTING` for a `msg.retention` that cannot be used
   */
  of(recording: KeptRecording, message: RuledMessage): RetentionFacts | null {
    const rule = this.#rules.find(({ fits }) => fits(recording, message)) ?? this.#default;
    const dates = datesOf(recording, fieldOf(message, 'retention'), rule);
    return dates === null ? null : { policy: { name: this.name, version: this.version }, ...dates };
  }
}

const NO_PERIODS: Periods = { keepUntil: null, deleteAfter: null };

/**
 * The dates of a recording when no policy is chosen: those that the message asks for, if it does.
 *
 * @returns null when neither date is set
 * @throws CodedError `BAD_SETTING` for a `msg.retention` that asks for dates and cannot be used
 */
export function requestedDates(recording: KeptRecording, message: RuledMessage): RetentionFacts | null {
  const asked = fieldOf(message, 'retention');
  const dates = isRequest(asked) ? datesOf(recording, asked, NO_PERIODS) : null;
  return dates === null ? null : { policy: null, ...dates };
}

function datesOf(
  recording: KeptRecording,
  asked: unknown,
  periods: Periods
): Omit<RetentionFacts, 'policy'> | null {
  const requested = readRequested(asked);
  const base = baseOf(recording);
  const retain_until = dateOf(requested?.keepUntil, periods.keepUntil, base);
  const latest = dateOf(requested?.deleteAfter, periods.deleteAfter, base);
  if (retain_until === null && latest === null) return null;
  // A message may ask for one of the dates only; the later one counts.
  const delete_after =
    latest !== null && retain_until !== null && latest < retain_until ? retain_until : latest;
  return { retain_until, delete_after };
}

function baseOf({ started_at, ended_at, stored_at }: KeptRecording): number {
  const stored = Date.parse(stored_at);
  const start = Date.parse(started_at ?? ended_at ?? stored_at);
  return Number.isNaN(start) || start > stored ? stored : start;
}

/** @returns ISO 8601 UTC */
function dateOf(requested: RequestedDate | undefined, days: number | null, base: number): string | null {
  if (typeof requested === 'string') return requested;
  const count = requested === undefined ? days : requested;
  return count === null ? null : new Date(base + count * DAY_MS).toISOString();
}

function compiled({ events, direction, number, property }: RuleConditions): CompiledRule['fits'] {
  const globs = events.map((pattern) =>
    pattern.includes('*') ? compileGlob(pattern) : (type: string) => type === pattern
  );
  const isEvent = (type: string): boolean => globs.some((fits) => fits(type));
  return (recording, message) => {
    if (globs.length > 0 && !isEvent(recording.event_type ?? '')) return false;
    if (direction !== null && directionOf(message) !== direction) return false;
    if (number !== null && ![recording.from, recording.to].some((party) => beginsWith(party, number)))
      return false;
    return property === null || hasProperty(message, property);
  };
}

/** Telnyx says `incoming` and `outgoing` of calls, `inbound` and `outbound-api` in TeXML. */
function directionOf(message: RuledMessage): Direction | null {
  const payload = asFields(fieldOf(message, 'payload'));
  const value = fieldOf(payload, 'direction') ?? fieldOf(payload, 'Direction');
  if (typeof value !== 'string') return null;
  if (value === 'incoming' || value === 'inbound') return 'inbound';
  return value === 'outgoing' || value.startsWith('outbound') ? 'outbound' : null;
}

/** `sip:`, `tel:`, blanks and punctuation do not count. */
function beginsWith(party: string | null, number: string): boolean {
  if (party === null || party.length > LONGEST_NUMBER) return false;
  const plain = party.replace(/^(?:sips?|tel):/i, '').replace(/[\s().-]/g, '');
  return plain.startsWith(number);
}

function hasProperty(
  message: RuledMessage,
  { name, value }: NonNullable<RuleConditions['property']>
): boolean {
  let found: unknown = message;
  for (const step of name.split('.')) found = fieldOf(asFields(found), step);
  if (typeof found !== 'string' && typeof found !== 'number' && typeof found !== 'boolean') return false;
  return value === null ? found !== '' : String(found) === value;
}
