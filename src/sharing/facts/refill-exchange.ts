import { type Check, isCount, isText, listOf, oneOf, orNull, shape } from '../jobs/wire/shape';
import type { RedisConnection } from '../redis-connection';
import type { Sealer } from '../sealer';

/** How far something was told: the same in the index of every instance, whose keys are hashes of what is in it. */
export interface Cursor {
  list: 'tombstones' | 'files';
  /** A key of this list; null: its beginning. */
  after: [string, string, string] | null;
}

/** What an instance asks for: some of what changed since a time. */
export interface Asked {
  /** Names the request. */
  page: string;
  /** Milliseconds since 1970. */
  since: number;
  cursor: Cursor;
  /** Hashes of the places that it has, as the index knows them. */
  places: readonly string[];
}

/** What another one answers. */
export interface Page {
  /** As `spellTold`. */
  texts: readonly string[];
  /** Where the next page begins; null: that was all. */
  next: Cursor | null;
}

/** Milliseconds in which an instance that has claimed a request answers it, or another one does. */
const CLAIM_MS = 20_000;
/** Milliseconds for which an answer is kept. */
const KEPT_MS = 60_000;
/** Milliseconds for which the request of an instance is kept that is not heard of any more. */
const ASKED_MS = 86_400_000;
/** Characters of a request, and of a page, sealed or not; those that instances write are shorter. */
const LONGEST_REQUEST = 16 * 1024;
const LONGEST_PAGE = 2 * 1024 * 1024;
const MOST_ASKERS = 200;

const isDigest: Check = (value) => typeof value === 'string' && value.length <= 200;
const isKey: Check = (value) => Array.isArray(value) && value.length === 3 && value.every(isDigest);
const isCursor = shape({ list: oneOf(['tombstones', 'files']), after: orNull(isKey) });
/** It becomes part of a key. */
const isPage: Check = (value) => typeof value === 'string' && /^[\w-]{1,64}$/.test(value);
const isAsked = shape({ page: isPage, since: isCount, cursor: isCursor, places: listOf(isDigest) });
const isAnswer = shape({ texts: listOf(isText), next: orNull(isCursor) });

/**
 * Where instances ask one another for what they have missed: requests and pages in Redis, all of them for a limited time. Throws
 * CodedError `QUEUE_AWAY` as the connection does.
 */
export class RefillExchange {
  readonly #connection: RedisConnection;
  readonly #sealer: Sealer | null;

  /** @param sealer null: pages are readable in Redis */
  constructor(connection: RedisConnection, sealer: Sealer | null) {
    this.#connection = connection;
    this.#sealer = sealer;
  }

  /** Asks all others; takes the place of what this instance asked before. */
  async ask(instance: string, asked: Asked): Promise<void> {
    await this.#connection.command(async (client) => {
      await client.hset(this.#asked, instance, JSON.stringify(asked));
      await client.pexpire(this.#asked, ASKED_MS);
    });
  }

  /** This instance asks no more. */
  async end(instance: string): Promise<void> {
    await this.#connection.command((client) => client.hdel(this.#asked, instance));
  }

  /** What instances ask. */
  async asked(): Promise<{ instance: string; asked: Asked }[]> {
    const length = await this.#connection.command((client) => client.hlen(this.#asked));
    if (length === 0 || length > MOST_ASKERS) return [];
    const all = await this.#connection.command((client) => client.hgetall(this.#asked));
    return Object.entries(all).flatMap(([instance, text]) => {
      const asked = read(text, LONGEST_REQUEST);
      return isAsked(asked) ? [{ instance, asked: asked as Asked }] : [];
    });
  }

  /** @returns whether this instance is the one to answer */
  async claim(page: string): Promise<boolean> {
    const key = this.#connection.key('facts-telling', page);
    return (await this.#connection.command((client) => client.set(key, '', 'PX', CLAIM_MS, 'NX'))) !== null;
  }

  async answer(page: string, answer: Page): Promise<void> {
    const text = JSON.stringify(answer);
    const written = this.#sealer?.seal(text, subjectOf(page)) ?? text;
    await this.#connection.command((client) => client.set(this.#told(page), written, 'PX', KEPT_MS));
  }

  /** @returns null while nobody has answered, or nobody with the same key */
  async answered(page: string): Promise<Page | null> {
    const text = await this.#connection.command((client) => client.get(this.#told(page)));
    if (text === null || text.length > LONGEST_PAGE) return null;
    const opened = this.#sealer === null ? text : this.#sealer.open(text, subjectOf(page));
    const answer = opened === null ? null : read(opened, LONGEST_PAGE);
    return isAnswer(answer) ? (answer as Page) : null;
  }

  /** A page was taken. */
  async taken(page: string): Promise<void> {
    await this.#connection.command((client) => client.del(this.#told(page)));
  }

  get #asked(): string {
    return this.#connection.key('facts-asked');
  }

  #told(page: string): string {
    return this.#connection.key('facts-told', page);
  }
}

function subjectOf(page: string): string {
  return `facts-told\n${page}`;
}

/** @returns undefined when it is too long or no JSON */
function read(text: string, longest: number): unknown {
  if (text.length > longest) return undefined;
  try {
    return JSON.parse(text, (name, field: unknown) => (name === '__proto__' ? undefined : field));
  } catch {
    return undefined;
  }
}
