import { createHash, randomBytes } from 'node:crypto';

/** Milliseconds after its last use for which a ticket can be used. */
const IDLE_MS = 10 * 60_000;
/** Milliseconds after which it ends even while it is used. */
const LIFE_MS = 2 * 60 * 60_000;
const MOST = 1000;

interface Held<Grant> {
  grant: Grant;
  owner: string | null;
  issued: number;
  used: number;
}

/**
 * Short-lived permissions to read one file. The player of a browser cannot send the token by which users of the editor
 * are known, so they exchange it for the address of a file, which nobody can guess. It works for some minutes, and for
 * one file only.
 */
export class Tickets<Grant> {
  /** By their digests, oldest first: an address must not be found by the time that a comparison takes. */
  readonly #held = new Map<string, Held<Grant>>();
  readonly #now: () => number;

  /** @param now milliseconds of a monotonic clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * @param owner null when nobody has to log in. When there are too many tickets, the oldest of the owner with the most ends
   * @returns a new ticket, safe in a URL
   */
  issue(grant: Grant, owner: string | null = null): string {
    const now = this.#now();
    for (const [name, held] of this.#held) if (this.#hasEnded(held, now)) this.#held.delete(name);
    if (this.#held.size >= MOST) this.#endOne(owner);
    const ticket = randomBytes(32).toString('base64url');
    this.#held.set(digest(ticket), { grant, owner, issued: now, used: now });
    return ticket;
  }

  /** @param owner whose tickets end where others have no more */
  #endOne(owner: string | null): void {
    const counts = new Map([[owner, 0]]);
    for (const held of this.#held.values()) counts.set(held.owner, (counts.get(held.owner) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const from = counts.get(owner) === most ? owner : [...counts].find(([, count]) => count === most)?.[0];
    for (const [name, held] of this.#held) if (held.owner === from) return void this.#held.delete(name);
  }

  /** @param ticket from outside. @returns undefined when there is none, or it has ended */
  redeem(ticket: string): Grant | undefined {
    const name = digest(ticket.slice(0, 100));
    const held = this.#held.get(name);
    if (held === undefined) return undefined;
    const now = this.#now();
    if (this.#hasEnded(held, now)) {
      this.#held.delete(name);
      return undefined;
    }
    held.used = now;
    return held.grant;
  }

  #hasEnded({ issued, used }: Held<Grant>, now: number): boolean {
    return now - used > IDLE_MS || now - issued > LIFE_MS;
  }
}

function digest(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url');
}
