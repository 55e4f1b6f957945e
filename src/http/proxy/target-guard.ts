import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { monotonicNow } from '../../clock/clocks';
import { Semaphore } from '../../concurrency/semaphore';
import { type AddressRule, type Resolver, systemResolver } from '../http-agents';

/**
 * The name service of a network with a proxy may answer late or never. A name that is still unknown by then is left to
 * the proxy.
 */
const LOOK_UP_MS = 3000;
/** Each look-up that waits occupies one of the four threads that also read and write files. */
const LOOK_UPS_AT_ONCE = 2;
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 1000;

/** Domains that are never on the public internet: RFC 6761, 6762, 8375, ICANN's `internal`, and those of many networks. */
const PRIVATE_DOMAINS = /(^|\.)(localhost|local|internal|intranet|private|corp|home|lan|home\.arpa)$/;

export interface TargetGuardOptions {
  rule: AddressRule;
  resolve?: Resolver | undefined;
  /** Milliseconds. */
  lookUpMs?: number;
}

/**
 * Applies an address rule to hosts that a proxy connects to. Only the proxy decides which machine it contacts, so this
 * checks what can be known before: the spelling of the name, and the addresses that this machine's own look-up gives.
 */
export class TargetGuard {
  readonly #rule: AddressRule;
  readonly #resolve: Resolver;
  readonly #lookUpMs: number;
  readonly #turns = new Semaphore(LOOK_UPS_AT_ONCE);
  /** Answers by name; empty when there was none. Oldest first. */
  readonly #known = new Map<string, { at: number; addresses: Promise<readonly string[]> }>();

  constructor({ rule, resolve = systemResolver, lookUpMs = LOOK_UP_MS }: TargetGuardOptions) {
    this.#rule = rule;
    this.#resolve = resolve;
    this.#lookUpMs = lookUpMs;
  }

  /** @throws CodedError the refusal of the rule */
  async check(hostname: string): Promise<void> {
    const rule = this.#rule;
    if (isIP(hostname) !== 0) {
      if (!rule.allows(hostname)) throw rule.refusal(hostname, 'literal');
      return;
    }
    const name = (hostname.endsWith('.') ? hostname.slice(0, -1) : hostname).toLowerCase();
    if (!name.includes('.') || PRIVATE_DOMAINS.test(name)) throw rule.refusal(hostname, 'private-name');
    // The proxy may choose any of them.
    const addresses = await this.#addresses(name);
    if (addresses.some((address) => !rule.allows(address))) throw rule.refusal(hostname, 'name');
  }

  #addresses(name: string): Promise<readonly string[]> {
    const known = this.#known.get(name);
    if (known !== undefined && monotonicNow() - known.at < REMEMBERED_MS) return known.addresses;
    const addresses = this.#lookUp(name);
    this.#known.delete(name);
    this.#known.set(name, { at: monotonicNow(), addresses });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
    return addresses;
  }

  #lookUp(name: string): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const late = new AbortController();
      const timer = setTimeout(() => {
        late.abort();
        resolve([]);
      }, this.#lookUpMs);
      const look = (): Promise<void> =>
        new Promise((done) => {
          this.#resolve(name, (error, found: LookupAddress[]) => {
            clearTimeout(timer);
            resolve(error === null ? found.map(({ address }) => address) : []);
            done();
          });
        });
      this.#turns.run(late.signal, look).catch(() => undefined);
    });
  }
}
