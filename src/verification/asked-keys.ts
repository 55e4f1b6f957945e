import { backoffMs, sleep } from '../clock/backoff';
import { monotonicNow, steadyNow } from '../clock/clocks';
import { CodedError } from '../errors/coded-error';
import { rootCause } from '../errors/root-cause';
import { asFields, asText, decodeStrictBase64 } from '../values/fields';
import { KEY_LENGTH, isLowOrderPoint } from './ed25519';

/** Milliseconds for which a replaced key stays valid: what it signed may still be on its way. */
export const REPLACED_VALID_MS = 24 * 60 * 60 * 1000;

/** Milliseconds between two questions because of a signature that does not match. Strangers can cause them. */
export const ASK_AGAIN_MS = 10 * 60 * 1000;

/**
 * Milliseconds after the last accepted delivery in which a delivery that knows nothing of the account causes no question: the
 * key is most likely the present one, and strangers must not use up the question that a new key needs.
 */
const TRUSTED_MS = 10 * 60 * 1000;

/** Accepted bodies whose ids are remembered, and the bytes of each, as of any other, that are searched. */
const MOST_REMEMBERED = 8;
const SEARCHED_BYTES = 16 * 1024;

/** Milliseconds between two questions when the API refuses, which takes somebody to change something. */
const REFUSED_PAUSE_MS = 60_000;

/** Milliseconds that a delivery waits for an answer. Telnyx itself waits 2 s for some products. */
const LONGEST_WAIT_MS = 1500;

/** Deliveries that wait at the same time, and bytes of their bodies: strangers can send any number. */
const MOST_WAITING = 64;
const MOST_WAITING_BYTES = 8 * 1024 * 1024;

/** Each valid key costs a check for each forged delivery. */
const MOST_REPLACED = 4;

/** Where the keys of an account come from. */
export interface KeySource {
  /**
   * Asks for the keys that are valid now.
   *
   * @returns at least one; 32 bytes each, not of low order
   * @throws CodedError; `signal.reason` when aborted
   */
  ask(signal: AbortSignal): Promise<readonly Buffer[]>;
  /** What `keep` kept last; undefined when there is nothing, or it cannot be read. */
  kept(): unknown;
  /** Keeps a value for the next start. */
  keep(value: unknown): Promise<void>;
}

/**
 * - `found`: there was no key before
 * - `replaced`: there are other keys now
 * - `expired`: a replaced key is no longer valid
 * - `failed`: no answer, or none with a key; what is known stays valid
 */
export type KeyNews =
  | { kind: 'found' | 'replaced' | 'expired' }
  | {
      kind: 'failed';
      error: CodedError;
      /** Whether the last news was the same. */
      isRepeated: boolean;
    };

export interface AskedKeysOptions {
  /** Milliseconds since 1970 that do not jump. */
  now?: () => number;
  /** Milliseconds of a monotonic clock. */
  monotonic?: () => number;
  /** From 0 to 1. */
  random?: () => number;
}

interface KnownKey {
  key: Buffer;
  /** Milliseconds since 1970; null while it is a present one. */
  replacedAt: number | null;
}

/**
 * The public keys that the API of an account tells. They are kept from start to start; a signature that matches none of
 * them is a reason to ask again, at most every ten minutes. A key that was replaced stays valid for a day. A question
 * without an answer changes nothing.
 *
 * Works while it is used; what is known remains afterwards.
 */
export class AskedKeys {
  readonly #now: () => number;
  readonly #monotonic: () => number;
  readonly #random: () => number;
  readonly #listeners = new Set<(news: KeyNews) => void>();
  #source: KeySource | undefined;
  #users = 0;
  #stop: AbortController | undefined;
  #known: readonly KnownKey[] = [];
  #publicKeys: readonly Buffer[] = [];
  #fault: CodedError | null = null;
  #askedAgainAt = -Infinity;
  #acceptedAt = -Infinity;
  /** What a present key has signed, the last ones. Their ids are what strangers do not know. */
  #accepted: { begin: Buffer; ids?: ReadonlySet<string> }[] = [];
  #renewal: Promise<void> | undefined;
  #waiting = 0;
  #waitingBytes = 0;
  #expiry: NodeJS.Timeout | undefined;

  constructor({ now = steadyNow, monotonic = monotonicNow, random = Math.random }: AskedKeysOptions = {}) {
    this.#now = now;
    this.#monotonic = monotonic;
    this.#random = random;
  }

  /** The valid keys, the present ones first; empty while none is known. Another array after each change. */
  get publicKeys(): readonly Buffer[] {
    return this.#publicKeys;
  }

  /** Why the last question had no answer, or null. */
  get fault(): CodedError | null {
    return this.#fault;
  }

  /**
   * Begins to use the keys: reads what was kept, or asks until there is a key.
   *
   * @param source replaces that of earlier users
   * @returns a function that ends this use
   */
  use(source: KeySource): () => void {
    this.#source = source;
    this.#users += 1;
    if (this.#users === 1) this.#begin();
    let isUsed = true;
    return () => {
      if (!isUsed) return;
      isUsed = false;
      this.#users -= 1;
      if (this.#users === 0) this.#end();
    };
  }

  /** @returns a function that removes the listener */
  onNews(listener: (news: KeyNews) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @param keyIndex in `publicKeys`: the key that has signed a delivery which was accepted */
  accepted(rawBody: Buffer, keyIndex: number): void {
    // What a replaced key has signed does not tell whether the key is the present one.
    if (this.#known[keyIndex]?.replacedAt !== null) return;
    this.#acceptedAt = this.#monotonic();
    // Most are never searched. A copy, because a part would keep the whole in memory.
    const begin =
      rawBody.length > SEARCHED_BYTES ? Buffer.from(rawBody.subarray(0, SEARCHED_BYTES)) : rawBody;
    this.#accepted.push({ begin });
    if (this.#accepted.length > MOST_REMEMBERED) this.#accepted.shift();
  }

  /**
   * A signature matches none of the keys: asks for the present ones, unless that happened within the last ten minutes.
   * While deliveries are accepted, only one that names an id which accepted ones have in common is a reason.
   *
   * @param rawBody of the delivery that waits meanwhile; nothing of it is trusted
   * @returns `settled` when `publicKeys` is as new as can be; `pending` when the answer is awaited, and this delivery
   *   must not wait for it
   */
  async renew(rawBody: Buffer): Promise<'settled' | 'pending'> {
    const signal = this.#stop?.signal;
    if (signal === undefined) return 'pending';
    if (this.#renewal === undefined) {
      if (this.#monotonic() - this.#askedAgainAt < ASK_AGAIN_MS) return 'settled';
      if (this.#monotonic() - this.#acceptedAt < TRUSTED_MS && !this.#isOfAccount(rawBody)) return 'settled';
      this.#askedAgainAt = this.#monotonic();
      const renewal = this.#ask(signal).then(() => {
        if (this.#renewal === renewal) this.#renewal = undefined;
      });
      this.#renewal = renewal;
    }
    const bytes = rawBody.length;
    if (this.#waiting >= MOST_WAITING || this.#waitingBytes + bytes > MOST_WAITING_BYTES) return 'pending';
    this.#waiting += 1;
    this.#waitingBytes += bytes;
    try {
      const isOver = await endsWithin(LONGEST_WAIT_MS, this.#renewal);
      return isOver && !signal.aborted ? 'settled' : 'pending';
    } finally {
      this.#waiting -= 1;
      this.#waitingBytes -= bytes;
    }
  }

  /** Whether a body names an id that several accepted ones have in common; true while there is none. */
  #isOfAccount(rawBody: Buffer): boolean {
    const seen = new Set<string>();
    const common = new Set<string>();
    for (const body of this.#accepted) {
      body.ids ??= longIds(body.begin);
      for (const id of body.ids) (seen.has(id) ? common : seen).add(id);
    }
    return common.size === 0 || [...longIds(rawBody)].some((id) => common.has(id));
  }

  #begin(): void {
    const stop = new AbortController();
    this.#stop = stop;
    this.#fault = null;
    if (this.#known.length === 0) this.#adopt(readKept(this.#source?.kept(), this.#now()));
    else this.#adopt(this.#known);
    if (!this.#known.some(({ replacedAt }) => replacedAt === null)) void this.#askUntilKnown(stop.signal);
  }

  #end(): void {
    clearTimeout(this.#expiry);
    this.#stop?.abort();
    this.#stop = undefined;
    this.#renewal = undefined;
  }

  async #askUntilKnown(signal: AbortSignal): Promise<void> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      const error = await this.#ask(signal);
      if (error === null) return;
      const { retryable, retryAfterMs } = error;
      const pause = retryable ? backoffMs(failures, this.#random(), retryAfterMs) : REFUSED_PAUSE_MS;
      await sleep(pause, signal).catch(() => undefined);
    }
  }

  /** @returns why there was no answer, or null */
  async #ask(signal: AbortSignal): Promise<CodedError | null> {
    try {
      const keys = await this.#source?.ask(signal);
      if (keys !== undefined && !signal.aborted) this.#learn(keys);
      return null;
    } catch (thrown) {
      if (signal.aborted) return null;
      const error = thrown instanceof CodedError ? thrown : unexpected(thrown);
      const isRepeated = this.#fault?.code === error.code;
      this.#fault = error;
      this.#tell({ kind: 'failed', error, isRepeated });
      return error;
    }
  }

  #learn(keys: readonly Buffer[]): void {
    this.#fault = null;
    const isNew = keys.some(
      (key) => !this.#known.some((old) => old.replacedAt === null && old.key.equals(key))
    );
    const isGone = this.#known.some(
      ({ key, replacedAt }) => replacedAt === null && !keys.some((present) => present.equals(key))
    );
    if (!isNew && !isGone) return;
    const isFirst = this.#publicKeys.length === 0;
    const replaced = this.#known
      .filter(({ key }) => !keys.some((present) => present.equals(key)))
      .map(({ key, replacedAt }) => ({ key, replacedAt: replacedAt ?? this.#now() }));
    this.#adopt([...keys.map((key) => ({ key, replacedAt: null })), ...replaced]);
    void this.#keep();
    this.#tell({ kind: isFirst ? 'found' : 'replaced' });
  }

  /** Takes keys as known, without those that are no longer valid, and wakes up when the next one is not. */
  #adopt(keys: readonly KnownKey[]): void {
    const now = this.#now();
    const left = (replacedAt: number): number => replacedAt + REPLACED_VALID_MS - now;
    const replaced = keys
      .filter((known): known is KnownKey & { replacedAt: number } => known.replacedAt !== null)
      .filter(({ replacedAt }) => left(replacedAt) > 0)
      .sort((a, b) => b.replacedAt - a.replacedAt)
      .slice(0, MOST_REPLACED);
    this.#known = [...keys.filter(({ replacedAt }) => replacedAt === null), ...replaced];
    this.#publicKeys = this.#known.map(({ key }) => key);
    clearTimeout(this.#expiry);
    const oldest = replaced.at(-1);
    if (oldest === undefined) return;
    this.#expiry = setTimeout(() => this.#expire(), left(oldest.replacedAt)).unref();
  }

  #expire(): void {
    const before = this.#known.length;
    this.#adopt(this.#known);
    if (this.#known.length !== before) this.#tell({ kind: 'expired' });
  }

  async #keep(): Promise<void> {
    const keys = this.#known.map(({ key, replacedAt }) => ({ key: key.toString('base64'), replacedAt }));
    // Without it, the next start asks.
    await this.#source?.keep({ keys }).catch(() => undefined);
  }

  #tell(news: KeyNews): void {
    for (const listener of this.#listeners) listener(news);
  }
}

/** Ids as in `connection_id` (19 digits) and `messaging_profile_id` (a UUID); dates and short numbers are too short. */
function longIds(rawBody: Buffer): Set<string> {
  return new Set(rawBody.toString('latin1', 0, SEARCHED_BYTES).match(/[0-9a-f-]{16,64}/g));
}

/** Reads what was kept, as carefully as if it came from outside. */
function readKept(value: unknown, now: number): KnownKey[] {
  const keys = asFields(value)?.['keys'];
  if (!Array.isArray(keys)) return [];
  return keys.flatMap((entry: unknown): KnownKey[] => {
    const fields = asFields(entry);
    const key = decodeStrictBase64(asText(fields?.['key']) ?? '');
    if (key?.length !== KEY_LENGTH || isLowOrderPoint(key)) return [];
    const replacedAt = fields?.['replacedAt'];
    if (replacedAt === null) return [{ key, replacedAt }];
    // A clock that was set back must not keep a key for longer.
    return typeof replacedAt === 'number' ? [{ key, replacedAt: Math.min(replacedAt, now) }] : [];
  });
}

function unexpected(thrown: unknown): CodedError {
  return new CodedError('LINK_REFUSED', `The request failed: ${rootCause(thrown)}`, {
    cause: thrown,
    retryable: true
  });
}

/** @param work never rejects @returns whether it has ended in time */
async function endsWithin(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  const isOver = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return isOver;
}
