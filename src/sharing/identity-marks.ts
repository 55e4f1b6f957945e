import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { FlowAnswer } from '../webhook/endpoint/flow-reply';
import { REMEMBERED_MS } from '../webhook/journal/delivery-identities';
import { decodeStrictBase64, fieldOf, asFields } from '../values/fields';
import type { Sealer } from './sealer';
import type { RedisConnection } from './redis-connection';

/** What Redis knows of a delivery. */
export type Mark =
  | { kind: 'none' }
  /** Under way there. */
  | { kind: 'claimed'; instance: string; token: string }
  /** Recorded there. */
  | { kind: 'accepted'; instance: string; answer: FlowAnswer | null };

export interface ClaimOptions {
  instance: string;
  token: string;
}

/** How long a claim outlives the process that made it, in milliseconds. */
export const CLAIM_MS = 30_000;
/** Bytes of an answer that others can repeat. TeXML is far smaller; a larger one is repeated by the instance that gave it only. */
const LARGEST_ANSWER = 16 * 1024;

/** Commands that are sent together. */
const STEP = 500;

const CLAIMED = 'c';
const ACCEPTED = 'a';

/** Claims what is free, and what an earlier process of the same instance had claimed. Returns what others have marked. */
const CLAIM = `
local mark = redis.call('get', KEYS[1])
if mark and string.sub(mark, 1, string.len(ARGV[2])) ~= ARGV[2] then return mark end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[3])
return false`;

/** Claims what somebody else has marked, if it still is so. */
const REPLACE = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/** Marks as accepted, unless it is. */
const ACCEPT = `
local mark = redis.call('get', KEYS[1])
if mark and string.sub(mark, 1, 1) == '${ACCEPTED}' then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

/** Removes a claim, if it still is this one. */
const DROP = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])`;

const RENEW = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('pexpire', KEYS[1], ARGV[2])`;

/**
 * The marks of deliveries in Redis: who has one under way, and which were accepted within 24 hours. Everything here is answered
 * within about a second, or throws CodedError `QUEUE_AWAY`. Redis is not trusted: an unreadable mark counts as none. With a key,
 * only what was written with it is readable, so that nobody else can have a delivery dropped; and answers are encrypted.
 */
export class IdentityMarks {
  readonly #connection: RedisConnection;
  readonly #sealer: Sealer | null;

  /** @param sealer null: marks are clear text */
  constructor(connection: RedisConnection, sealer: Sealer | null) {
    this.#connection = connection;
    this.#sealer = sealer;
  }

  /** @returns `none` when it is claimed now. @param name as `identityName` */
  async claim(name: string, claim: ClaimOptions): Promise<Mark> {
    const [keys, text] = [[this.#key(name)], this.#claimOf(name, claim)];
    const found = await this.#connection.script(CLAIM, keys, [text, claimsOf(claim.instance), CLAIM_MS]);
    const mark = this.#read(name, found);
    if (mark.kind === 'none' && typeof found === 'string')
      await this.#connection.script(REPLACE, keys, [found, text, CLAIM_MS]);
    return mark;
  }

  async read(name: string): Promise<Mark> {
    return this.#read(name, await this.#connection.command((client) => client.get(this.#key(name))));
  }

  async accept(name: string, instance: string, answer: FlowAnswer | null): Promise<void> {
    const values = [this.#acceptedOf(name, instance, answer), REMEMBERED_MS];
    await this.#connection.script(ACCEPT, [this.#key(name)], values);
  }

  /** Marks many as accepted. @param all with the milliseconds for which each is still remembered */
  async acceptAll(
    instance: string,
    all: readonly { name: string; answer: FlowAnswer | null; leftMs: number }[]
  ): Promise<void> {
    await this.#connection.command(async (client) => {
      const results = await Promise.all(
        all.map(({ name, answer, leftMs }) =>
          client.eval(ACCEPT, 1, this.#key(name), this.#acceptedOf(name, instance, answer), Math.ceil(leftMs))
        )
      );
      return results.length;
    });
  }

  /** Ends a claim without a trace. */
  async drop(name: string, claim: ClaimOptions): Promise<void> {
    await this.#connection.script(DROP, [this.#key(name)], [this.#claimOf(name, claim)]);
  }

  /** Holds claims for longer. */
  async renew(claims: readonly (ClaimOptions & { name: string })[]): Promise<void> {
    // All at once would take Redis longer than a command may, and others would wait behind them.
    for (let at = 0; at < claims.length; at += STEP) {
      const step = claims.slice(at, at + STEP);
      await this.#connection.command(async (client: Redis) => {
        await Promise.all(
          step.map((claim) =>
            client.eval(RENEW, 1, this.#key(claim.name), this.#claimOf(claim.name, claim), CLAIM_MS)
          )
        );
      });
    }
  }

  #claimOf(name: string, { instance, token }: ClaimOptions): string {
    const text = `${claimsOf(instance)}${token}`;
    return this.#sealer === null ? text : `${text} ${this.#sealer.prove(text, name)}`;
  }

  #acceptedOf(name: string, instance: string, answer: FlowAnswer | null): string {
    const start = `${ACCEPTED} ${instance} `;
    const text = answer === null || answer.body.length > LARGEST_ANSWER ? '' : answerText(answer);
    return start + (this.#sealer === null ? text : this.#sealer.seal(text, start + name));
  }

  #read(name: string, value: unknown): Mark {
    const none: Mark = { kind: 'none' };
    if (typeof value !== 'string') return none;
    const [kind, instance = ''] = value.split(' ', 2);
    const start = `${kind ?? ''} ${instance} `;
    const rest = value.slice(start.length);
    if (kind === CLAIMED) {
      if (this.#sealer === null) return { kind: 'claimed', instance, token: rest };
      const [token = '', proof = ''] = rest.split(' ', 2);
      const isOurs = this.#sealer.isProof(proof, start + token, name);
      return isOurs ? { kind: 'claimed', instance, token } : none;
    }
    if (kind !== ACCEPTED) return none;
    const text = this.#sealer === null ? rest : this.#sealer.open(rest, start + name);
    return text === null ? none : { kind: 'accepted', instance, answer: readAnswer(text) };
  }

  /** Names and ids come from outside and may have any length. */
  #key(name: string): string {
    return this.#connection.key('identity', createHash('sha256').update(name).digest('base64url'));
  }
}

/** `instance` holds no blanks: an id of this package. */
function claimsOf(instance: string): string {
  return `${CLAIMED} ${instance} `;
}

function answerText({ status, contentType, body }: FlowAnswer): string {
  return JSON.stringify({ status, contentType, body: Buffer.from(body).toString('base64') });
}

function readAnswer(text: string): FlowAnswer | null {
  if (text === '' || text.length > 2 * LARGEST_ANSWER) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const fields = asFields(value);
  const [status, contentType, body] = ['status', 'contentType', 'body'].map((name) => fieldOf(fields, name));
  const bytes = typeof body === 'string' ? decodeStrictBase64(body) : null;
  const isStatus = typeof status === 'number' && Number.isInteger(status) && status >= 200 && status < 300;
  // What a header may hold: anything else would throw when the answer is sent.
  const isType =
    contentType === null || (typeof contentType === 'string' && /^[\x20-\x7e]{1,200}$/.test(contentType));
  return isStatus && isType && bytes !== null ? { status, contentType: contentType, body: bytes } : null;
}
